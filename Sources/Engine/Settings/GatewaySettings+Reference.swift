public import Configuration

extension GatewaySettings {
  /// JSON Schema of the configuration, as `sluice schema` prints it.
  public static func schema(plugins: [PluginDeclaration]) -> String {
    JSONSchema.document(of: GatewayDraft.section(plugins: plugins).shape, title: "Sluice configuration").indented
  }

  /// `docs/CONFIGURATION.md`.
  public static func reference(plugins: [PluginDeclaration]) -> String {
    Reference.markdown(introduction, of: GatewayDraft.section(plugins: plugins).shape)
      + Reference.markdown(plugins: plugins)
  }

  private static let introduction = """
    # Configuration

    This page is generated from the declarations beside the code; `sluice schema` prints the same as JSON Schema, and
    a first line `# yaml-language-server: $schema=gateway.schema.json` makes editors use it.

    A configuration is one YAML file (1.2, core schema), `./gateway.conf` unless `-c` says otherwise. Every value is
    read by the type of its key, so `on`, `yes`, dates and `1_000` are text. Keys are in snake_case; one that stands
    twice or is not known is an error. Anchors, aliases and tags are not part of the language.

    - **Environment.** `${NAME}` in a value is replaced by the variable, which must be set and not empty;
      `${NAME:-default}` may be unset. `$${` stands for `${` itself.
    - **Secrets** come from the environment or from a file: `file:PATH`. One that is written down, or a default, earns
      a warning. No log, diff, metric or excerpt shows one.
    - **Durations** have a unit: `250ms`, `30s`, `10m`, `2h`, `7d`. **Sizes**: `512B`, `16KiB`, `10MiB`. **Rates**:
      `100/s`, `5000/min`, `50/h`, `1000/day`. **Ratios**: `20%`.
    - **Paths** of files are relative to the file that names them.
    - **Lists** of one may leave out the brackets.
    - **Several files.** `include: [routes/*.conf]` adds what others say. `listeners`, `upstreams`, `routes`, `plugins`,
      `plugin_sets`, `consumers` and `trusted_proxies` add up; any other key stands in one file only.
    - **A value of the request** is written `consumer`, `user`, `ip`, `route`, `header.x-name`, `query.name`,
      `cookie.name`, `path.id` or `jwt.sub` (a claim of a token). What it means that a request has none is said where it is used.
    - **A plugin set** is a list of plugins with a name; `- use: NAME` in a list of plugins stands for all of it.

    `sluice check` reports every mistake at once, with its line and the word that was probably meant.

    """
}
