// swift-tools-version: 6.1
import PackageDescription

let succession: [Target.Dependency] = [
    "ExampleSupport",
    .product(name: "Succession", package: "swift-succession"),
    .product(name: "SuccessionNIO", package: "swift-succession"),
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]
let http: [Target.Dependency] = [.product(name: "NIOHTTP1", package: "swift-nio")]

let package = Package(
    name: "nio-examples",
    dependencies: [
        .package(name: "swift-succession", path: "../..", traits: ["NIO", "Systemd"]),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    ],
    targets: [
        .target(
            name: "ExampleSupport",
            dependencies: [.product(name: "Succession", package: "swift-succession")]),
        .executableTarget(
            name: "http2-tls",
            dependencies: succession + http + [
                .product(name: "NIOHTTP2", package: "swift-nio-http2"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]),
        .executableTarget(
            name: "websocket-chat",
            dependencies: succession + http + [
                .product(name: "NIOWebSocket", package: "swift-nio")
            ]),
        .executableTarget(name: "udp-echo", dependencies: succession),
        .executableTarget(name: "async-echo", dependencies: succession),
        .executableTarget(name: "hello", dependencies: succession + http),
    ],
    swiftLanguageModes: [.v6]
)
