// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "lifecycle",
    dependencies: [
        .package(
            name: "swift-succession", path: "../..",
            traits: ["Systemd", "ServiceLifecycle", "Logging"]),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
    ],
    targets: [
        .executableTarget(
            name: "lifecycle",
            dependencies: [
                .product(name: "Succession", package: "swift-succession"),
                .product(name: "SuccessionLifecycle", package: "swift-succession"),
                .product(name: "SuccessionLogging", package: "swift-succession"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
