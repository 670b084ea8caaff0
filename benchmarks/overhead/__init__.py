"""What autopar adds to calls, maps and imports: ``python -m benchmarks.overhead``."""
