// swift-tools-version: 6.1
import PackageDescription

// The modules that need traits, tested through their public API. A package of its own: a build of the
// core fetches none of these dependencies.
let package = Package(
    name: "integration-tests",
    dependencies: [
        .package(
            name: "swift-succession", path: "../..",
            traits: ["NIO", "ServiceLifecycle", "Logging", "Metrics"]),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    ],
    targets: [
        .testTarget(
            name: "AdapterTests",
            dependencies: [
                .product(name: "Succession", package: "swift-succession"),
                .product(name: "SuccessionLifecycle", package: "swift-succession"),
                .product(name: "SuccessionLogging", package: "swift-succession"),
                .product(name: "SuccessionMetrics", package: "swift-succession"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "InMemoryLogging", package: "swift-log"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ]),
        // Its clients block their threads, and its tests change limits of the process: they run one
        // after the other.
        .testTarget(
            name: "SuccessionNIOTests",
            dependencies: [
                .product(name: "Succession", package: "swift-succession"),
                .product(name: "SuccessionNIO", package: "swift-succession"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
