// swift-tools-version: 6.1
import PackageDescription

// What measures is in C, so that nothing of what is measured runs in it. SwiftPM would link the
// Swift runtime into these programs too; with these flags the linker leaves out what nobody calls.
func program(_ name: String, dependencies: [Target.Dependency] = ["Measuring"]) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies,
        linkerSettings: [.unsafeFlags(["-static-executable", "-nostartfiles"])])
}

let package = Package(
    name: "benchmarks",
    targets: [
        .target(name: "Measuring"),
        program("handover-floor"),
        program("first-response"),
        program("exec-time"),
        program("exit-at-once", dependencies: []),
    ]
)
