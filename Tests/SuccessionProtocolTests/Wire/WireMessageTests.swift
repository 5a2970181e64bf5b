// SPDX-License-Identifier: Apache-2.0

import SuccessionProtocol
import Testing

@Suite struct WireMessageTests {
    @Test(arguments: Message.Kind.allCases)
    func message_whenEncodedAndDecoded_isTheSame(_ kind: Message.Kind) throws {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<200 {
            for sample in WireSamples.any(kind, &generator) { try Self.checkRoundTrip(sample) }
            for sample in WireSamples.full(kind, &generator) { try Self.checkRoundTrip(sample) }
        }
    }

    /// What is read from any packet is written in such a way that it reads the same again.
    @Test(arguments: Message.Kind.allCases)
    func init_whenMutated_readsAndWritesTheSame(_ kind: Message.Kind) throws {
        var generator = SeededGenerator(seed: 8)
        for _ in 0..<200 {
            for sample in WireSamples.full(kind, &generator) {
                let packet = Self.mutated(sample.message.encoded(), &generator)
                guard let message = try? Message.decode(packet) else { continue }
                try Self.checkRereading(message, as: sample)
            }
        }
    }

    @Test(arguments: Message.Kind.allCases)
    func init_whenKeyIsMissing_throwsOnlyForOneThatIsRequired(_ kind: Message.Kind) throws {
        var generator = SeededGenerator(seed: 9)
        for sample in WireSamples.full(kind, &generator) {
            for key in Set(sample.message.fields.map(\.key)) {
                var message = sample.message
                message.fields.removeAll { $0.key == key }
                let required = Demands.of(sample).required
                Self.check(message, as: sample, throwsOf: required.contains(key) ? key : nil)
            }
        }
    }

    /// No number, or one outside of its range, in the place of any key's value.
    @Test(arguments: Message.Kind.allCases)
    func init_whenNumberIsHostile_throwsOnlyWhereThatIsMalformed(_ kind: Message.Kind) throws {
        var generator = SeededGenerator(seed: 10)
        for sample in WireSamples.full(kind, &generator) {
            for key in Set(sample.message.fields.map(\.key)) {
                for text in WireNumberTests.noNumbers + ["9223372036854775807"] where text != "%31"
                {
                    var message = sample.message
                    for index in message.fields.indices where message.fields[index].key == key {
                        message.fields[index].rawValue = text
                    }
                    let checked = Demands.of(sample).checked
                    Self.check(message, as: sample, throwsOf: checked.contains(key) ? key : nil)
                }
            }
        }
    }

    @Test func init_whenOfAnotherKind_throwsThat() {
        let message = Wire.Stop().message
        #expect(throws: WireError.otherKind("stop", expected: .hello)) {
            try Wire.Hello(message)
        }
    }

    @Test(arguments: ["0/1", "2/1", "1", "1/1/1", "/", "1/", "-1/1", "1/2147483648", "a/b", ""])
    func offer_whenBatchIsNone_namesTheKey(_ text: String) throws {
        var generator = SeededGenerator(seed: 11)
        let sample = try #require(WireSamples.full(.offer, &generator).first)
        var message = sample.message
        for index in message.fields.indices where message.fields[index].key == "BATCH" {
            message.fields[index].rawValue = text
        }
        let error = #expect(throws: WireError.self) { try Wire.Offer(message) }
        #expect(error?.key == "BATCH")
        #expect(error?.failure.code == .malformed)
    }

    @Test(arguments: OwnVariables.names)
    func upgrade_whenEnvironmentSpeaksOfOneProcessAlone_isMalformed(_ name: String) {
        let request = Wire.Upgrade(environment: ["A=1", "\(name)=1"])
        guard case .malformed(let error) = ControlRequest.Arrival(request.message) else {
            Issue.record("\(ControlRequest.Arrival(request.message))")
            return
        }
        #expect(error.key == "ENV")
        #expect(error.description.hasPrefix("ENV=\(name): "))
    }

    @Test func status_whenListenersDoNotFit_saysHowManyThereAre() throws {
        var status = Wire.Status(generation: 1, processID: 2, state: .serving)
        status.listeners = (0..<2_000).map {
            ManifestEntry(what: "tcp:*:\($0)", origin: .bound, backlog: 1, name: "name of \($0)")
        }
        status.listenerCount = 2_000
        let packet = status.message.encoded()
        #expect(packet.count <= Message.maximumPacketSize)
        let read = try Wire.Status(try Message.decode(packet))
        #expect(read.listenerCount == 2_000)
        #expect(read.listeners.count > 300)
        #expect(read.listeners == Array(status.listeners.prefix(read.listeners.count)))
    }

    @Test(
        arguments: [
            (.seconds(-1), "0"), (.milliseconds(1_999) + .microseconds(999), "1999"),
            (.seconds(Int64.max), "9223372036854"),
        ] as [(Duration, String)])
    func duration_whenWritten_isInItsRangeAndRoundedDown(_ duration: Duration, _ text: String) {
        let message = Wire.Drain(deadline: duration).message
        #expect(message.fields.map(\.rawValue) == [text])
    }
}

// MARK: - Support

extension WireMessageTests {
    /// The keys of a message that must be there, and those whose value must be right.
    private struct Demands {
        var required: Set<String> = []
        var checked: Set<String> = []

        static func of(_ sample: any WireMessage) -> Demands {
            switch sample {
            case is Wire.Offer:
                let keys: Set = ["BATCH", "GENERATION", "PID", "TOTAL", "STATE"]
                return Demands(required: keys, checked: keys)
            case is Wire.State: return Demands(required: ["SIZE"], checked: ["SIZE"])
            case Wire.Taken.batch:
                return Demands(required: ["BATCH", "TAKEN"], checked: ["BATCH", "TAKEN"])
            case is Wire.Status:
                return Demands(required: ["GENERATION", "PID"], checked: ["GENERATION", "PID"])
            case is Wire.Upgrade:
                return Demands(checked: ["TIMEOUT_MS", "DRAIN_MS", "STRICT"])
            case is Wire.Drain: return Demands(checked: ["DEADLINE_MS"])
            case is Wire.Reload: return Demands(checked: ["TIMEOUT_MS"])
            case is Wire.Step: return Demands(required: ["STEP", "STATUS"])
            default: return Demands()
            }
        }
    }

    private static func check<Sample: WireMessage>(
        _ message: Message, as sample: Sample, throwsOf key: String?
    ) {
        // Without a valid size it is the acknowledgement of a batch.
        if let taken = sample as? Wire.Taken, case .state = taken { return }
        do throws(WireError) {
            _ = try Sample(message)
            #expect(key == nil, "\(message)")
        } catch {
            #expect(error.key == key, "\(message)")
            if let key { #expect(error.description.contains("\(key)=")) }
        }
    }

    private static func checkRoundTrip<Sample: WireMessage>(_ sample: Sample) throws {
        let decoded = try Message.decode(sample.message.encoded())
        #expect(try Sample(decoded) == sample)
    }

    private static func checkRereading<Sample: WireMessage>(
        _ message: Message, as sample: Sample
    ) throws {
        guard let read = try? Sample(message) else { return }
        #expect(try Sample(read.message) == read)
    }

    private static func mutated(
        _ packet: [UInt8], _ generator: inout SeededGenerator
    ) -> [UInt8] {
        var packet = packet
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let position = Int.random(in: 0..<packet.count, using: &generator)
            switch Int.random(in: 0..<3, using: &generator) {
            case 0: packet[position] = UInt8.random(in: 0x20...0x7E, using: &generator)
            case 1: packet.insert(UInt8.random(in: 0x20...0x7E, using: &generator), at: position)
            default: if packet.count > 1 { packet.remove(at: position) }
            }
        }
        return packet
    }
}
