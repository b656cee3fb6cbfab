// Foreign: see docs/ARCHITECTURE.md.
