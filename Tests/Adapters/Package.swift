// swift-tools-version: 6.1
import PackageDescription

// The adapters that need traits, tested by their public API, as their users have them.
let package = Package(
    name: "adapter-tests",
    dependencies: [
        .package(
            name: "swift-succession", path: "../..",
            traits: ["ServiceLifecycle", "Logging", "Metrics"]),
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
            ])
    ],
    swiftLanguageModes: [.v6]
)
