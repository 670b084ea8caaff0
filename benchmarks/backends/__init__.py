"""One case for each backend: how long it takes on every backend that can run it, and which one autopar picks."""
