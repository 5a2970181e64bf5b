// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A strict load client: no retry, no tolerance, every lost request is a failure.
///
/// It depends on the C library alone, so that it shares no code with what it tests.
@main
enum LoadCommand {
    static func main() {
        do throws(UsageError) {
            let options = try Options(Array(CommandLine.arguments.dropFirst()))
            if options.help {
                print(Options.usage, terminator: "")
                exit(0)
            }
            exit(run(Session(options: options)))
        } catch {
            StandardError.print("\(error.message)\n\(Options.usage)")
            exit(64)
        }
    }

    private static func run(_ session: Session) -> Int32 {
        StopSignal.prepare()
        var workers: [Worker] = []
        var tally = Tally()
        do throws(Failure) {
            for body in bodies(session) { workers.append(try Worker(body)) }
            StopSignal.wait(duration: session.options.duration)
        } catch {
            StandardError.print("\(error.detail)\n")
            session.stop()
            for worker in workers { _ = worker.join() }
            return 71
        }
        session.stop()
        for worker in workers { tally.add(worker.join()) }
        let report = Report(tally: tally, started: session.started, ended: .now)
        print(session.options.json ? report.json : report.table, terminator: "")
        return tally.failed == 0 ? 0 : 1
    }

    private static func bodies(_ session: Session) -> [@Sendable () -> Tally] {
        let options = session.options
        var bodies: [@Sendable () -> Tally] = []
        for target in options.http {
            let traffic = HTTPTraffic(session: session, target: target)
            for _ in 0..<options.threadsPerTarget {
                bodies += [traffic.connectionPerRequest, traffic.keepAlive]
            }
            bodies += [traffic.slow, traffic.body]
        }
        for target in options.echo {
            let traffic = EchoTraffic(session: session, target: target)
            for _ in 0..<options.threadsPerTarget { bodies.append(traffic.short) }
            if options.hold > 0 { bodies.append(traffic.held) }
        }
        for target in options.udp {
            let traffic = DatagramTraffic(session: session, target: target)
            for _ in 0..<options.threadsPerTarget { bodies.append(traffic.run) }
        }
        return bodies
    }
}
