// Admin: see docs/ARCHITECTURE.md.
