// swift-tools-version: 6.1
import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
    name: "succession-flyingfox",
    products: [
        .library(name: "SuccessionFlyingFox", targets: ["SuccessionFlyingFox"])
    ],
    dependencies: [
        .package(name: "swift-succession", path: "../..", traits: ["Systemd"]),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/swhitty/FlyingFox", from: "0.27.1"),
    ],
    targets: [
        .target(
            name: "SuccessionFlyingFox",
            dependencies: [
                .product(name: "Succession", package: "swift-succession"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "FlyingFox", package: "FlyingFox"),
                .product(name: "FlyingSocks", package: "FlyingFox"),
            ],
            swiftSettings: settings)
    ],
    swiftLanguageModes: [.v6]
)
