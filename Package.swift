// swift-tools-version: 6.1
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
    name: "swift-succession",
    products: [
        .library(name: "Succession", targets: ["Succession"]),
        .library(name: "SuccessionActivation", targets: ["SuccessionActivation"]),
        .library(name: "SuccessionNIO", targets: ["SuccessionNIO"]),
        .library(name: "SuccessionLifecycle", targets: ["SuccessionLifecycle"]),
        .library(name: "SuccessionLogging", targets: ["SuccessionLogging"]),
        .library(name: "SuccessionMetrics", targets: ["SuccessionMetrics"]),
        .library(name: "SwapControl", targets: ["SwapControl"]),
        .library(name: "SuccessionTestKit", targets: ["SuccessionTestKit"]),
        .executable(name: "swapctl", targets: ["swapctl"]),
    ],
    traits: [
        .trait(name: "Systemd", description: "Speak to the service manager through libsystemd."),
        .trait(name: "NIO", description: "SuccessionNIO: adopt listeners in SwiftNIO servers."),
        .trait(
            name: "ServiceLifecycle",
            description: "SuccessionLifecycle: a generation in a ServiceGroup."),
        .trait(name: "Logging", description: "SuccessionLogging: events to swift-log."),
        .trait(name: "Metrics", description: "SuccessionMetrics: events to swift-metrics."),
        .trait(name: "CLI", description: "swapctl, the command-line tool."),
        .default(enabledTraits: ["Systemd", "CLI"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.14.0"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    ],
    targets: [
        // L0
        .target(name: "CSuccession"),
        // Seen by the tests alone: the library itself is loaded when a manager passes sockets.
        .systemLibrary(
            name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
        // L1
        .target(
            name: "SuccessionSystem",
            dependencies: [
                "CSuccession", .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings),
        // L2
        .target(
            name: "SuccessionActivation",
            dependencies: [
                "SuccessionSystem",
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings),
        .target(name: "SuccessionProtocol", swiftSettings: settings),
        .target(
            name: "SuccessionTransport",
            dependencies: [
                "SuccessionSystem", "SuccessionProtocol",
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings),
        // L2b
        .target(
            name: "SuccessionHandover",
            dependencies: [
                "SuccessionSystem", "SuccessionActivation", "SuccessionProtocol",
                "SuccessionTransport",
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings),
        // L3
        .target(
            name: "Succession",
            dependencies: [
                "SuccessionSystem", "SuccessionActivation", "SuccessionProtocol",
                "SuccessionTransport", "SuccessionHandover",
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings),
        // L4
        .target(
            name: "SuccessionNIO",
            dependencies: [
                "Succession", "SuccessionSystem",
                .product(
                    name: "NIOHTTP1", package: "swift-nio", condition: .when(traits: ["NIO"])),
                .product(
                    name: "NIOWebSocket", package: "swift-nio", condition: .when(traits: ["NIO"])),
                .product(name: "NIOCore", package: "swift-nio", condition: .when(traits: ["NIO"])),
                .product(name: "NIOPosix", package: "swift-nio", condition: .when(traits: ["NIO"])),
            ],
            swiftSettings: settings),
        .target(
            name: "SuccessionLifecycle",
            dependencies: [
                "Succession",
                .product(
                    name: "ServiceLifecycle", package: "swift-service-lifecycle",
                    condition: .when(traits: ["ServiceLifecycle"])),
            ],
            swiftSettings: settings),
        .target(
            name: "SuccessionLogging",
            dependencies: [
                "Succession",
                .product(
                    name: "Logging", package: "swift-log", condition: .when(traits: ["Logging"])),
            ],
            swiftSettings: settings),
        .target(
            name: "SuccessionMetrics",
            dependencies: [
                "Succession",
                .product(
                    name: "CoreMetrics", package: "swift-metrics",
                    condition: .when(traits: ["Metrics"])),
            ],
            swiftSettings: settings),
        .target(
            name: "SwapControl",
            dependencies: [
                "SuccessionSystem", "SuccessionProtocol", "SuccessionTransport",
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings),
        // L5
        .target(
            name: "SwapReleases",
            dependencies: [
                "SwapControl", "SuccessionSystem", "SuccessionProtocol",
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings),
        .target(
            name: "SystemdUnits",
            dependencies: [
                "SwapControl", "SuccessionSystem", "SuccessionProtocol",
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings),
        .target(
            name: "SuccessionTestKit",
            dependencies: [
                "SwapControl", "SuccessionSystem",
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings),
        // L6
        .executableTarget(
            name: "swapctl",
            dependencies: [
                "SwapControl", "SwapReleases", "SystemdUnits",
                .product(
                    name: "ArgumentParser", package: "swift-argument-parser",
                    condition: .when(traits: ["CLI"])),
            ],
            swiftSettings: settings),
        // Test fixtures: real processes, each with the one fault its option names.
        .executableTarget(
            name: "succession-load",
            path: "Tests/Fixtures/succession-load", swiftSettings: settings),
        .executableTarget(
            name: "succession-sandbox", path: "Tests/Fixtures/succession-sandbox",
            publicHeadersPath: "."),
        .executableTarget(
            name: "succession-fixture",
            dependencies: [
                "Succession", "SuccessionSystem", "SuccessionProtocol", "SuccessionTransport",
                "SwapReleases", "SwapControl",
            ],
            path: "Tests/Fixtures/succession-fixture", swiftSettings: settings),
        .testTarget(
            name: "SuccessionSystemTests",
            dependencies: [
                "SuccessionSystem", .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "SuccessionActivationTests",
            dependencies: [
                "Succession", "SuccessionActivation", "SuccessionSystem",
                .product(name: "SystemPackage", package: "swift-system"),
                .target(name: "CSystemd", condition: .when(traits: ["Systemd"])),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "SuccessionProtocolTests", dependencies: ["SuccessionProtocol"],
            swiftSettings: settings),
        .testTarget(
            name: "SuccessionTransportTests",
            dependencies: [
                "SuccessionTransport", "SuccessionProtocol", "SuccessionSystem",
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings),
        // Compiled as a user's code is, without our upcoming features: they change who runs where.
        .testTarget(
            name: "SuccessionTests",
            dependencies: [
                "Succession", "SuccessionSystem", "SuccessionProtocol", "SuccessionTransport",
            ]),
        .testTarget(
            name: "SwapControlTests", dependencies: ["SwapControl", "SuccessionProtocol"],
            swiftSettings: settings),
        .testTarget(
            name: "SystemdUnitsTests",
            dependencies: ["SystemdUnits", "SwapControl", "SuccessionProtocol"],
            swiftSettings: settings),
        .testTarget(
            name: "SwapReleasesTests",
            dependencies: ["SwapReleases", "SwapControl", "SuccessionSystem"],
            swiftSettings: settings),
        // Beside the programs of this package, which it starts.
        .testTarget(
            name: "SuccessionTestKitTests",
            dependencies: ["SuccessionTestKit", "SwapControl", "SuccessionSystem"],
            swiftSettings: settings),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "SuccessionSystem", "SuccessionTransport", "SuccessionProtocol",
                "SuccessionHandover", "SwapControl", "SuccessionTestKit",
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: settings),
        // Each case in Tests/Systemd/cases beside a real systemd of its own.
        .testTarget(
            name: "SystemdTests", path: "Tests/Systemd/Tests", swiftSettings: settings),
    ]
)
