// SPDX-License-Identifier: Apache-2.0
import Glibc

/// What went wrong with one request, as a client sees it.
struct Failure: Error {
    /// The kinds of failure that the report counts apart.
    enum Category: String, CaseIterable {
        case refused
        case reset
        case truncated
        case timeout
        case wrong
        case keepAliveClosed = "keepalive-closed"
        case other
    }

    var category: Category
    let detail: String
    /// The errno behind `.other`, 0 everywhere else.
    let errno: Int32

    init(_ category: Category, _ detail: String) {
        self.category = category
        self.detail = detail
        self.errno = 0
    }

    /// Sorts the errno of a failed system call into a category.
    init(errno code: Int32, during call: String) {
        // A path that does not exist is to a client what a closed port is: nobody listens there.
        // EAGAIN and EINPROGRESS are how SO_RCVTIMEO and SO_SNDTIMEO report that they expired.
        switch code {
        case ECONNREFUSED, ENOENT: category = .refused
        case ECONNRESET, EPIPE: category = .reset
        case ETIMEDOUT, EAGAIN, EINPROGRESS: category = .timeout
        default: category = .other
        }
        errno = category == .other ? code : 0
        detail = "\(call): \(String(cString: strerror(code)))"
    }
}
