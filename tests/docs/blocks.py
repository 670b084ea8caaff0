"""The examples of a page: what stands in its fences, and what its comments say of them.

A page's blocks run from top to bottom in one namespace, as a reader would type them. Five comments steer that, unseen
in the rendered page: ``<!-- hidden`` is Python that runs like a block; ``<!-- needs: NAME -->`` leaves the next block
out where a module or program of that name is missing; ``<!-- not run: WHY -->`` leaves it out always; and
``<!-- script -->`` has it run as a program of its own; ``<!-- less: TEXT -> OTHER -->`` puts one text in the place of
another in the next block, so that a test has less to do than a reader.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

_PARTS = re.compile(
    r"^(?P<indent>[ ]*)```(?P<language>[\w-]*)[^\n]*\n(?P<code>.*?)^(?P=indent)```[ ]*$"
    r"|<!--[ ]*(?P<word>hidden|needs|not run|script|less)\b:?(?P<rest>.*?)-->",
    re.MULTILINE | re.DOTALL,
)
_FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True, slots=True)
class Block:
    """One fence.

    Attributes
    ----------
    language
        The word after the fence; ``hidden`` for Python that readers do not see.
    code
        What it holds, without its indentation.
    line
        Where its code begins in the page.
    needs
        Modules and programs without which it cannot run.
    not_run
        Why it is not run, or an empty string.
    script
        It is a program of its own.
    """

    language: str
    code: str
    line: int
    needs: tuple[str, ...] = ()
    not_run: str = ""
    script: bool = False

    @property
    def missing(self) -> list[str]:
        """What it needs and is not there."""
        return [name for name in self.needs if shutil.which(name) is None and not _has_module(name)]


def _has_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def blocks_of(text: str) -> list[Block]:
    """All fences of a page."""
    found: list[Block] = []
    needs: tuple[str, ...] = ()
    not_run, script, less = "", False, ("", "")
    for part in _PARTS.finditer(text):
        line = text.count("\n", 0, part.start()) + 2
        if part["word"] == "needs":
            needs += tuple(part["rest"].replace(",", " ").split())
        elif part["word"] == "not run":
            not_run = part["rest"].strip()
            assert not_run, f"line {line}: why is it not run?"
        elif part["word"] == "less":
            before, _, after = part["rest"].strip().partition(" -> ")
            less = (before, after)
        elif part["word"] == "script":
            script = True
        elif part["word"] == "hidden":
            found.append(Block("hidden", textwrap.dedent(part["rest"]).strip() + "\n", line, needs))
            needs = ()
        else:
            code = textwrap.dedent(part["code"])
            assert less[0] in code, f"line {line}: {less[0]} is not there"
            code = code.replace(*less) if less[0] else code
            found.append(Block(part["language"], code, line, needs, not_run, script))
            needs, not_run, script, less = (), "", False, ("", "")
    return found


def pages() -> list[Path]:
    """The README and all pages of the documentation."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def run_page(page: Path, text: str, folder: Path) -> int:
    """Run a page's Python; return how many blocks ran.

    Parameters
    ----------
    page
        For messages.
    text
        What it holds.
    folder
        Where its blocks are kept as files.

    Raises
    ------
    AssertionError
        A block prints something else than the page says.
    """
    names: dict[str, Any] = {"__name__": "__main__"}
    ran = 0
    for number, block in enumerate(blocks_of(text)):
        if block.not_run or block.missing or block.language not in ("python", "hidden", "pycon"):
            continue
        if block.script:
            _run_script(page, block, folder / f"{page.stem}_{number}.py")
        elif block.language == "pycon":
            _run_session(page, block, names)
        else:
            _run_code(page, block, folder / f"{page.stem.replace('-', '_')}_{number}.py", names)
        ran += 1
    return ran


def _run_session(page: Path, block: Block, names: dict[str, Any]) -> None:
    said: list[str] = []
    test = doctest.DocTestParser().get_doctest(block.code, names, page.name, str(page), block.line - 1)
    results = doctest.DocTestRunner(verbose=False, optionflags=_FLAGS).run(test, out=said.append, clear_globs=False)
    names.update(test.globs)
    assert results.failed == 0, "".join(said)


def _run_script(page: Path, block: Block, file: Path) -> None:
    file.write_text(block.code, encoding="utf-8")
    done = subprocess.run([sys.executable, str(file)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{page.name}, line {block.line}: {done.stderr}"


def _run_code(page: Path, block: Block, file: Path, names: dict[str, Any]) -> None:
    file.write_text(block.code, encoding="utf-8")
    names["__file__"] = str(file)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(block.code, str(file), "exec"), names)
    except Exception as error:
        error.add_note(f"in the block of {page.name} at line {block.line}")
        raise


def commands_of(text: str) -> list[list[str]]:
    """The ``autopar`` commands that a page shows at a prompt."""
    return [
        shlex.split(line.strip().removeprefix("$ "), comments=True)
        for block in blocks_of(text)
        if block.language in ("text", "console", "sh", "bash", "shell", "")
        for line in block.code.splitlines()
        if line.strip().startswith(("$ autopar", "$ python -m autopar"))
    ]
