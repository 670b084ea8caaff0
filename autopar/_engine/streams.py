"""Where the items' own random streams begin, and which of the global ones they reach."""

from __future__ import annotations

import os

from autopar._model.effects import EffectKind
from autopar._model.observation import Traits


def may_draw(traits: Traits) -> bool:
    """Items may draw from a global random stream, as far as anybody can see."""
    report = traits.report
    return not report.complete or any(e.kind in (EffectKind.UNKNOWN, EffectKind.RANDOM) for e in report.effects)


def draws_from_numpy(traits: Traits) -> bool:
    """Items may draw from NumPy's global random stream, as far as anybody can see."""
    return any(
        effect.kind is EffectKind.UNKNOWN
        or (effect.kind is EffectKind.RANDOM and not effect.what.startswith("random."))
        for effect in traits.report.effects
    )


def root_seed(seed: int | str | None) -> int | None:
    """The number behind a ``seed`` hint; ``"fresh"`` draws one from the system."""
    if seed is None or isinstance(seed, int):
        return seed
    return int.from_bytes(os.urandom(16), "big")
