// swift-tools-version: 6.1
import PackageDescription

// Not called "flyingfox": a package of that name is among those it depends on.
let package = Package(
    name: "flyingfox-app",
    dependencies: [
        .package(path: "../../Adapters/SuccessionFlyingFox"),
        .package(name: "swift-succession", path: "../..", traits: ["Systemd"]),
        .package(url: "https://github.com/swhitty/FlyingFox", from: "0.27.1"),
    ],
    targets: [
        .executableTarget(
            name: "flyingfox-app",
            dependencies: [
                .product(name: "SuccessionFlyingFox", package: "SuccessionFlyingFox"),
                .product(name: "Succession", package: "swift-succession"),
                .product(name: "FlyingFox", package: "FlyingFox"),
                .product(name: "FlyingSocks", package: "FlyingFox"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
