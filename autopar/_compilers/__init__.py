"""How one call runs. Each compiler is a module, imported when a plan first uses it."""
