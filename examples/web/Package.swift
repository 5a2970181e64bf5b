// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "web",
    dependencies: [
        .package(name: "swift-succession", path: "../..", traits: ["NIO", "Systemd"]),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    ],
    targets: [
        .executableTarget(
            name: "web",
            dependencies: [
                .product(name: "Succession", package: "swift-succession"),
                .product(name: "SuccessionNIO", package: "swift-succession"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
