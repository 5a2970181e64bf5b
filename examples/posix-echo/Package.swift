// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "posix-echo",
    dependencies: [
        .package(name: "swift-succession", path: "../..", traits: ["Systemd"])
    ],
    targets: [
        .executableTarget(
            name: "posix-echo",
            dependencies: [.product(name: "Succession", package: "swift-succession")]),
        .testTarget(
            name: "posix-echoTests",
            dependencies: [
                "posix-echo", .product(name: "SuccessionTestKit", package: "swift-succession"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
