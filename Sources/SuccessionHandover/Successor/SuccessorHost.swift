// SPDX-License-Identifier: Apache-2.0

package import SuccessionSystem

/// What has taken listeners and is to serve on them: the owner of a ``SuccessorDriver`` that is
/// ready.
@ControlThread
package protocol SuccessorHost: AnyObject, Sendable {
    /// Begins to take from the queues; throws what keeps it from that.
    func startAccepting() async throws
    /// Makes the predecessor, by its pid, the service's main process again, before this process
    /// ends; `completion` is called within bounded time.
    func giveBack(to predecessor: Int32, _ completion: @escaping @ControlThread () -> Void)
}
