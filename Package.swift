// swift-tools-version: 6.2
import PackageDescription

// Dependencies point down: a target imports only what stands above it in this list.
// TidyTests holds the same table and fails when an import breaks it.

/// `make fuzz` builds everything with coverage for libFuzzer; the fuzzers exist only then.
let isFuzzing = Context.environment["SLUICE_FUZZ"] != nil

let strict: [SwiftSetting] =
  [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableExperimentalFeature("Lifetimes"),
    .unsafeFlags(
      ["-enforce-exclusivity=unchecked", "-cross-module-optimization"], .when(configuration: .release)),
  ] + (isFuzzing ? [.unsafeFlags(["-sanitize=fuzzer,address"])] : [])

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

func fuzzer(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(
    name: name, dependencies: ["Driver"] + dependencies, path: "Fuzz/\(name)", exclude: ["Seeds"],
    swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])],
    linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])])
}

let fuzzers: [Target] = [
  .target(name: "Driver", path: "Fuzz/Driver", swiftSettings: strict),
  fuzzer("FuzzHTTP", ["HTTP", "Kernel"]),
  fuzzer("FuzzHTTP2", ["Engine", "Foreign", "Kernel"]),
  fuzzer("FuzzRESP", ["Engine", "Kernel"]),
  fuzzer("FuzzConfiguration", ["Engine", "Configuration", "Kernel"]),
]

let package = Package(
  name: "sluice",
  products: [.executable(name: "sluice", targets: ["sluice"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
  ],
  targets: [
    .target(name: "CLinux"),
    .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
    .systemLibrary(name: "CExpat", pkgConfig: "expat", providers: [.apt(["libexpat1-dev"])]),
    .systemLibrary(name: "CAres", pkgConfig: "libcares", providers: [.apt(["libc-ares-dev"])]),

    library("Kernel", ["CLinux"]),
    library(
      "Foreign",
      ["Kernel", "CYAML", "CLZ4", "CAres", "CNghttp2", "COpenSSL", "CZlib", "CZstd", "CPCRE2", "CExpat"]),
    library("Configuration", ["Foreign"]),
    library("HTTP", ["Kernel"]),
    library("JSON", ["Kernel"]),
    library("Detection", ["Kernel"]),
    library("JSONSchema", ["Kernel", "JSON", "Foreign", "Configuration"]),
    library("AI", ["Kernel", "JSON", "Detection"]),
    library("Runtime", ["Kernel", "Foreign"]),
    library(
      "Telemetry", ["Kernel", "Foreign", "JSON", "Configuration", .product(name: "Logging", package: "swift-log")]),
    library("PluginKit", ["Kernel", "Foreign", "HTTP", "JSON", "Detection", "Runtime", "Configuration"]),
    library("Plugins", ["PluginKit", "HTTP", "Configuration", "Kernel", "JSON", "JSONSchema", "Detection", "Foreign"]),
    library(
      "Engine",
      [
        "Kernel", "Foreign", "HTTP", "JSON", "JSONSchema", "Detection", "AI", "Runtime", "Configuration", "PluginKit",
        "Telemetry",
      ]),
    library("Admin", ["Engine", "PluginKit", "Telemetry", "HTTP", "JSON", "Configuration"]),
    .executableTarget(
      name: "sluice",
      dependencies: [
        "Admin", "Engine", "Plugins", "PluginKit", "Telemetry", "Configuration", "Runtime", "Foreign", "Kernel", "HTTP",
        "JSON", "AI",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ],
      swiftSettings: strict),

    // For tests only: the product does not depend on it.
    library("GatewayTesting", ["Kernel"]),

    tests("KernelTests", ["Kernel"]),
    tests("ConfigurationTests", ["Configuration"]),
    tests("HTTPTests", ["HTTP", "Kernel"]),
    tests("JSONTests", ["JSON", "Kernel"]),
    tests("DetectionTests", ["Detection", "Kernel"]),
    tests("JSONSchemaTests", ["JSONSchema", "JSON", "Foreign", "Kernel"]),
    tests("ForeignTests", ["Foreign", "Kernel"]),
    tests("AITests", ["AI", "Detection", "JSON", "Kernel", "GatewayTesting"]),
    tests("RuntimeTests", ["Runtime", "Foreign", "Kernel", "GatewayTesting"]),
    tests("TelemetryTests", ["Telemetry", "Kernel", "JSON", "GatewayTesting"]),
    tests("PluginKitTests", ["PluginKit", "HTTP", "Configuration", "Foreign", "Kernel"]),
    .testTarget(
      name: "PluginsTests",
      dependencies: [
        "Plugins", "PluginKit", "Engine", "Detection", "HTTP", "JSON", "Configuration", "Foreign", "GatewayTesting",
        "Kernel",
      ],
      exclude: ["Identity/Tokens.json"], swiftSettings: strict),
    tests(
      "EngineTests",
      ["Engine", "AI", "PluginKit", "HTTP", "Kernel", "Foreign", "Configuration", "Runtime", "GatewayTesting"]),
    tests("GatewayTestingTests", ["GatewayTesting", "Kernel"]),
    .testTarget(
      name: "EndToEndTests", dependencies: ["GatewayTesting", "Kernel"],
      exclude: [
        "GRPC/calls.py", "GRPC/broken.py",
        "HTTP2/behind.py", "HTTP2/streams.py", "HTTP2/exchanges.py", "HTTP2/hostile.py",
        "HTTP2/origin.py",
        "HTTP2/peer.py", "Identity/signer.py", "Identity/token.sh", "TLS/flights.py", "Tunnel/extended_connect.py",
        "Tunnel/tunnels.py",
        "Tunnel/websockets_peer.py",
        "Models/bedrock.py", "Models/matrix.py", "Models/mcp_peer.py", "Models/opinion.py", "Models/providers.py",
        "Models/sdks.py", "Models/signatures.py", "Models/thoughts.py", "Models/stored.py", "Models/embedders.py",
        "Models/embeddings.py",
        "Models/passing.py",
        "Resilience/ports.py", "Matrix/matrix.py", "Caching/codings.py", "Contract/schemas", "Contract/secure.conf",
        "Contract/ticket.sh",
        "Contract/ai.conf",
      ],
      swiftSettings: strict),
    tests("RegressionTests", ["GatewayTesting", "Kernel"]),
    .executableTarget(
      name: "codec-probe", dependencies: ["HTTP", "Kernel"], path: "Tests/CodecProbe", swiftSettings: strict),
    .testTarget(
      name: "DifferentialTests", dependencies: ["GatewayTesting", "Kernel", "codec-probe"],
      exclude: ["differential.py", "forwarding.py", "mutation.py", "readers.py"], swiftSettings: strict),
    tests("AdminTests", ["Admin", "Engine", "Configuration", "GatewayTesting", "Kernel"]),
    tests(
      "CommandLineTests",
      ["sluice", "GatewayTesting", "Kernel", .product(name: "ArgumentParser", package: "swift-argument-parser")]),
    tests("TidyTests", []),
  ] + (isFuzzing ? fuzzers : []),
  swiftLanguageModes: [.v6]
)
