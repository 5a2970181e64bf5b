// SPDX-License-Identifier: Apache-2.0

package import SuccessionSystem

/// What has taken listeners and is to serve on them: the owner of a ``SuccessorDriver`` that is
/// ready.
@ControlThread
package protocol SuccessorHost: AnyObject, Sendable {
    /// Begins to take from the queues; throws what keeps it from that.
    func startAccepting() async throws
    /// This process does not succeed its predecessor, and will end: a service manager that takes it
    /// for the service's main process is told first. `completion` is called within bounded time.
    func handoverFailed(_ completion: @escaping @ControlThread () -> Void)
}
