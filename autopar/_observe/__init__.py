"""Observe: what a function is, what its calls cost, and what this machine offers."""
