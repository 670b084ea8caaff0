"""What of a first item's time is its own."""

from __future__ import annotations

import pytest

from autopar._model.observation import Profile, Sample
from autopar._observe.first_item import IMPORT_SECONDS, IMPORT_SHARE, without, without_imports


def test_what_is_taken_out_of_a_sample_is_taken_out_of_all_its_clocks() -> None:
    """Comparing compiled code with Python is nobody's item; no item then keeps more cores busy than it did."""
    sample = without(Sample(4, wall=1.0, cpu=1.0, process_cpu=1.0), 0.75)
    assert (sample.wall, sample.cpu, sample.process_cpu) == (0.25, 0.25, 0.25)
    assert without(Sample(4, 1.0, 1.0, None), 0.75).process_cpu is None
    assert without(Sample(4, 1.0, 0.5, 0.6), 0.75) == Sample(4, 0.25, 0.0, 0.0)


IMPORTS = [
    ("none", 0.030, 0, 0.0),
    ("a few before a wait", 0.004, 3, IMPORT_SHARE * 0.004),
    ("a few before a long computation", 1.0, 3, 3 * IMPORT_SECONDS),
    ("modules that went away again", 0.030, -2, 0.0),
]


@pytest.mark.parametrize(("cpu", "modules", "taken"), [row[1:] for row in IMPORTS], ids=[row[0] for row in IMPORTS])
def test_imports_are_told_by_their_number(cpu: float, modules: int, taken: float) -> None:
    """They are taken for most of the item at most, and for so much a module; waits stay."""
    sample = without_imports(Sample(1, wall=cpu + 0.02, cpu=cpu, process_cpu=cpu, waits=1), modules)
    assert sample.importing == pytest.approx(taken)
    assert (sample.cpu, sample.wall) == pytest.approx((cpu - taken, cpu - taken + 0.02))
    assert sample.waits == 1


def test_a_profile_knows_how_much_was_left_out() -> None:
    """Until its times are forgotten: then nothing of them was."""
    profile = Profile()
    profile.add(without_imports(Sample(1, wall=0.1, cpu=0.1), 4))
    assert profile.importing == pytest.approx(4 * IMPORT_SECONDS)
    profile.forget_times()
    assert profile.importing == 0.0
