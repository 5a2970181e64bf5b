// SPDX-License-Identifier: Apache-2.0

// snippet deploy
import SwapControl

/// Upgrades a service, and says what became of it.
@main
struct Deploy {
    static func main() async {
        do {
            let web = try ServiceControl(service: CommandLine.arguments.dropFirst().first ?? "web")
            var request = UpgradeRequest()
            request.timeout = .seconds(30)
            request.drainDeadline = .seconds(60)
            let outcome = try await web.upgrade(request) { event in
                switch event.kind {
                case .step:
                    print("  \(event.step?.name ?? "") \(event.step?.status.rawValue ?? "")")
                case .draining: print("  \(event.connections ?? 0) connections left")
                default: break
                }
            }
            if let failure = outcome.failure {
                print("still \(outcome.predecessor): \(failure.code.rawValue)")
            } else if let serving = try await web.status().serving {
                print(
                    "generation \(serving.number) serves; drained: \(outcome.drain?.isClean ?? false)"
                )
            }
        } catch {
            print("\(error.code.rawValue): \(error.message)")
        }
    }
}
// end deploy
