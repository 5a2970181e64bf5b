// SPDX-License-Identifier: Apache-2.0

extension Wire {
    /// An operator's request for an upgrade.
    package struct Upgrade: WireMessage {
        package static let kind = Message.Kind.upgrade

        /// From the start of the successor to its `ready`; nil: the server's configuration says it.
        package var timeout: Duration?
        /// For the predecessor's connections; nil: the server's configuration says it.
        package var drainDeadline: Duration?
        /// Whether a successor that does not take every listener is refused.
        package var isStrict: Bool
        /// An absolute path; nil: the one by which the server was started.
        package var executable: String?
        /// From `argv[0]` on; empty: the server's own.
        package var arguments: [String]
        /// `KEY=VALUE` each, on top of the server's environment.
        package var environment: [String]

        package init(
            timeout: Duration? = nil, drainDeadline: Duration? = nil, isStrict: Bool = false,
            executable: String? = nil, arguments: [String] = [], environment: [String] = []
        ) {
            self.timeout = timeout
            self.drainDeadline = drainDeadline
            self.isStrict = isStrict
            self.executable = executable
            self.arguments = arguments
            self.environment = environment
        }

        package init(keysOf message: Message) throws(WireError) {
            timeout = try message.optionalDuration(.timeout, of: Self.kind)
            drainDeadline = try message.optionalDuration(.drain, of: Self.kind)
            isStrict = try message.optional(.strict, of: Self.kind) == 1
            executable = message.text(.executable)
            arguments = message.texts(.arguments)
            environment = message.texts(.environment)
            if let name = environment.lazy.compactMap(OwnVariables.name).first {
                let key = TextKey.environment.name
                throw .invalid(
                    key: key, of: Self.kind,
                    sentence:
                        "\(key)=\(name): it speaks of one process alone; the successor gets its own"
                )
            }
        }

        package func addKeys(to message: inout Message) {
            if let timeout { message.add(.timeout, timeout) }
            if let drainDeadline { message.add(.drain, drainDeadline) }
            if isStrict { message.add(.strict, 1) }
            if let executable { message.add(.executable, executable) }
            for argument in arguments { message.add(.arguments, argument) }
            for change in environment { message.add(.environment, change) }
        }
    }

    /// How far an upgrade is.
    package struct Step: WireMessage {
        package static let kind = Message.Kind.step

        package var step: StepWord
        package var status: StepStatus
        /// Since this step began.
        package var elapsed: Duration
        /// For people.
        package var detail: String

        package init(step: StepWord, status: StepStatus, elapsed: Duration, detail: String) {
            self.step = step
            self.status = status
            self.elapsed = elapsed
            self.detail = detail
        }

        package init(keysOf message: Message) throws(WireError) {
            guard let step: StepWord = message.word(.step) else {
                throw .missing(key: TextKey.step.name, of: Self.kind)
            }
            guard let status: StepStatus = message.word(.stepStatus) else {
                throw .missing(key: TextKey.stepStatus.name, of: Self.kind)
            }
            self.init(
                step: step, status: status, elapsed: message.duration(.elapsed) ?? .zero,
                detail: message.text(.detail) ?? "")
        }

        package func addKeys(to message: inout Message) {
            message.add(.step, step)
            message.add(.stepStatus, status)
            message.add(.elapsed, elapsed)
            message.add(.detail, detail)
        }
    }
}
