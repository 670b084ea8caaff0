"""Maps while worker processes are killed, stopped and starved at random: `python -m benchmarks.chaos`."""
