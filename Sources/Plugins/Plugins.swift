// Plugins: see docs/ARCHITECTURE.md.
