"""What the README and the documentation show is what happens."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from autopar._model import listening
from autopar.cli.main import main
from tests.docs.blocks import ROOT, blocks_of, commands_of, pages, run_page

PYTHON = ("python", "pycon")

TEXTS = {page.relative_to(ROOT).as_posix(): page.read_text(encoding="utf-8") for page in pages()}
WITH_EXAMPLES = [
    name
    for name, text in TEXTS.items()
    if name != "README.md"  # tests/test_readme.py runs its tour
    and any(block.language in PYTHON and not block.not_run for block in blocks_of(text))
]
NEED_A_CLUSTER = "tls://scheduler:8786"
"""The address that pages give to a cluster."""


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for what a page writes, with the project's examples in it; what a page sets up for good is undone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(listening, "subscribers", listening.subscribers)
    (tmp_path / "own_c.c").write_text((ROOT / "examples" / "own_c.c").read_text())
    loggers = [logging.getLogger(), logging.getLogger("autopar")]
    before = [(logger.level, list(logger.handlers)) for logger in loggers]
    yield tmp_path
    for logger, (level, handlers) in zip(loggers, before, strict=True):
        logger.setLevel(level)
        logger.handlers[:] = handlers


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.filterwarnings("ignore::autopar.errors.PerformanceHint")
@pytest.mark.usefixtures("not_eager")
@pytest.mark.parametrize("name", [name for name in WITH_EXAMPLES if NEED_A_CLUSTER not in TEXTS[name]])
def test_the_examples_of_a_page_run(name: str, elsewhere: Path) -> None:
    """From top to bottom each block runs, and prints what the page shows."""
    blocks = [block for block in blocks_of(TEXTS[name]) if block.language in PYTHON and not block.not_run]
    ran = run_page(ROOT / name, TEXTS[name], elsewhere)
    if all(block.missing for block in blocks):
        pytest.skip(f"missing: {', '.join(sorted({each for block in blocks for each in block.missing}))}")
    assert ran


def test_every_python_example_is_marked_as_one() -> None:
    """A prompt of Python stands in a fence that is run, so that no example escapes."""
    unmarked = [
        f"{name}, line {block.line}"
        for name, text in TEXTS.items()
        for block in blocks_of(text)
        if block.language not in PYTHON and block.code.lstrip().startswith(">>> ")
    ]
    assert unmarked == []


COMMANDS = sorted({(name, tuple(command)) for name, text in TEXTS.items() for command in commands_of(text)})


@pytest.mark.parametrize(("name", "command"), COMMANDS, ids=lambda value: value if isinstance(value, str) else None)
def test_the_commands_shown_are_understood(name: str, command: tuple[str, ...]) -> None:
    """Each command of a page exists, with its options and arguments."""
    words = list(command[command.index("autopar") + 1 :])
    with click.Context(main, info_name="autopar") as context:
        if words and not words[0].startswith("-"):
            found = main.get_command(context, words[0])
            assert found is not None, f"{name}: there is no {words[0]!r}"
            found.make_context(words[0], words[1:], parent=context, resilient_parsing=False)
