// PluginKit: see docs/ARCHITECTURE.md.
