// SPDX-License-Identifier: Apache-2.0

package import SuccessionProtocol
package import SuccessionSystem

/// What gives its listeners away: the owner of what a ``PredecessorDriver`` offers.
///
/// A server's generation is one; a process that holds listeners for other programs is another. The
/// driver calls it in the order of an upgrade, on the control thread. Nothing here may block.
@ControlThread
package protocol PredecessorHost: AnyObject {
    /// The name of the service, as the successor is told.
    var service: String { get }
    /// The number of this generation; the successor is the next one.
    var number: Int { get }
    /// How long each part of an upgrade may take; a plan may say otherwise of `ready`.
    var deadlines: HandoverDeadlines { get }
    /// Whether a service manager waits for the successor: it is then started as a sibling of this
    /// process, and how it ended is the manager's to know first.
    var isChildOfManager: Bool { get }
    /// Whether a parent in the foreground waits for every generation: it then reaps a successor
    /// that has taken over.
    var hasForegroundParent: Bool { get }

    /// What the successor is given: every listener, and the lock.
    ///
    /// The descriptors are borrowed until the upgrade is over.
    func offer() -> [OfferBatch]
    /// How the successor is started; `channel` and `capturedError` are inherited by it.
    func request(
        _ plan: LaunchPlan, channel: OwnedDescriptor, capturedError: OwnedDescriptor?
    ) -> SpawnRequest
    /// The path of what `plan` executes, for messages.
    func path(of plan: LaunchPlan) -> String

    /// The successor's process is being started.
    func begins(_ driver: PredecessorDriver)
    /// Makes the successor known to a service manager, if there is one, and stops taking from the
    /// queues; `completion` gets the reason if either failed.
    ///
    /// It must be called within bounded time.
    func pauseAccepting(
        for successor: ProcessHandle?, _ completion: @escaping @ControlThread (String?) -> Void)
    /// The upgrade has failed before `completion` was called, which still has to be: what has not
    /// begun yet of the pause need not begin.
    func abandonPause()
    /// Nothing is taken any more, and the successor has been told.
    func stoodBy()
    /// Undoes ``pauseAccepting(for:_:)``, also one that failed half-way: the upgrade has failed.
    func resumeServing()
    /// The point of no return: the successor accepts.
    func succeeded(by driver: PredecessorDriver)
    /// The successor that accepted is dead, without having said that it leaves.
    func takeOver(from driver: PredecessorDriver)
    /// The successor has left of its own accord: the listeners will not be needed again.
    func letGo(of driver: PredecessorDriver)

    /// The driver passes a named place; tests stop a process there.
    func step(_ name: String)
    /// Something that the operator of this process should know, and that ends nothing.
    func warn(_ message: String)
}
