// swift-tools-version: 6.2
import PackageDescription

// Not called "hummingbird": a package of that name is among those it depends on.
let package = Package(
    name: "hummingbird-app",
    dependencies: [
        .package(path: "../../Adapters/SuccessionHummingbird"),
        .package(name: "swift-succession", path: "../..", traits: ["NIO", "Systemd"]),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(
            url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .executableTarget(
            name: "hummingbird-app",
            dependencies: [
                .product(name: "SuccessionHummingbird", package: "SuccessionHummingbird"),
                .product(name: "Succession", package: "swift-succession"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "HummingbirdHTTP2", package: "hummingbird"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
