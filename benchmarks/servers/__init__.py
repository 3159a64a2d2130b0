"""What Day Zero is measured against: each file is one server, started by `benchmarks.compare` in an environment of its own."""
