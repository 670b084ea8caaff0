"""Why something could not be compiled, loaded or kept: said once, in words, and never an error of the user's."""

from __future__ import annotations

from autopar._model.compiler import NotCompiled, Refusal

__all__ = ["NotCompiled", "Refusal"]
