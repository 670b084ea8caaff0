"""The doors: the decorator, the functions of the module, and configuration. They check input and call the engine."""
