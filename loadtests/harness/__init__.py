"""Measures Sluice beside other proxies; see docs/BENCHMARKS.md."""
