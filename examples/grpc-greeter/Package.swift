// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "grpc-greeter",
    dependencies: [
        .package(name: "swift-succession", path: "../..", traits: ["NIO", "Systemd"]),
        .package(path: "../../Adapters/SuccessionGRPC"),
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    ],
    targets: [
        .executableTarget(
            name: "grpc-greeter",
            dependencies: [
                .product(name: "Succession", package: "swift-succession"),
                .product(name: "SuccessionGRPC", package: "SuccessionGRPC"),
                .product(name: "GRPCCore", package: "grpc-swift-2"),
                .product(
                    name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
