// swift-tools-version: 6.1
import PackageDescription

// A package of its own: who tests or uses the core does not fetch NIO.
let package = Package(
    name: "nio-adapter-tests",
    dependencies: [
        .package(name: "swift-succession", path: "../..", traits: ["NIO"]),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    ],
    targets: [
        .testTarget(
            name: "SuccessionNIOTests",
            dependencies: [
                .product(name: "Succession", package: "swift-succession"),
                .product(name: "SuccessionNIO", package: "swift-succession"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
            ], path: "SuccessionNIOTests")
    ],
    swiftLanguageModes: [.v6]
)
