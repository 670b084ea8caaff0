"""Many kernels in one run of the C compiler, since starting it costs more than most kernels do."""

from __future__ import annotations

import ctypes
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from autopar._compilers.native.emit import FLAGS
from autopar._compilers.native.emit.prelude import BLOCK, PRELUDE
from autopar._compilers.native.loader import Library
from autopar._compilers.native.refusal import NotCompiled
from autopar._compilers.native.toolchain import Toolchain, compile_text, find_toolchain

DEADLINE = 600.0
"""Seconds for hundreds of kernels on a busy machine."""

QUICK = tuple("-O0" if flag == "-O3" else flag for flag in FLAGS)
"""Flags for code that runs once: to optimise it takes four times as long as that."""


@dataclass(frozen=True, slots=True)
class _Part:
    """One of many kernels in a library: its `ap_call` goes by another name there."""

    whole: ctypes.CDLL
    number: int

    @property
    def handle(self) -> ctypes.CDLL:
        return self.whole

    @property
    def notes(self) -> tuple[str, ...]:
        return ()

    def address(self, name: str) -> int:
        """The address of a function, as `Library.address`."""
        function = getattr(self.whole, f"{name}_{self.number}", None) or getattr(self.whole, name)
        return ctypes.cast(function, ctypes.c_void_p).value or 0


@dataclass
class Texts:
    """C texts that are first collected, then compiled together, then handed out as libraries."""

    parts: dict[str, _Part] = field(default_factory=dict)
    wanted: dict[str, None] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    blocks: bool = False  # with the functions that run many items at once

    def loaded(self, text: str) -> Library:
        """The library of a text; one that was not foreseen is compiled by itself."""
        if text in self.broken:
            raise NotCompiled(self.broken[text])
        if text not in self.parts:
            self.wanted[text] = None
            self.compile(FLAGS)
        return self.parts[text]  # type: ignore[return-value]

    def compile(self, flags: tuple[str, ...]) -> None:
        """Compile all that is wanted; what the compiler refuses is kept in `broken`, with its complaint."""
        texts = [text for text in self.wanted if text not in self.parts and text not in self.broken]
        self.wanted.clear()
        self._compile(texts, find_toolchain().with_flags(flags))

    def _compile(self, texts: list[str], toolchain: Toolchain) -> None:
        if not texts:
            return
        try:
            content = compile_text(_together(texts, self.blocks), toolchain, deadline=DEADLINE)
        except NotCompiled as refused:
            if len(texts) == 1:
                self.broken[texts[0]] = str(refused)
            else:
                self._compile(texts[::2], toolchain)
                self._compile(texts[1::2], toolchain)
            return
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "together.so")
            path.write_bytes(content)
            whole = ctypes.CDLL(str(path))
        self.parts |= {text: _Part(whole, number) for number, text in enumerate(texts)}


def _together(texts: Iterable[str], blocks: bool) -> str:
    """One C file of many: what all of them have is there once, unless it is of use by itself only."""
    own = [text.partition(PRELUDE)[2].removesuffix("" if blocks else BLOCK) for text in texts]
    names = ["kernel", "ap_call", *(["ap_block", "ap_free"] if blocks else [])]
    pieces = [PRELUDE]
    for number, text in enumerate(own):
        pieces += [f"#define {name} {name}_{number}" for name in names]
        pieces.append(text)
        pieces += [f"#undef {name}" for name in names]
    if not blocks:
        pieces.append("AP_EXPORT void ap_free(void *owner) { ap_release(owner); }")
    return "\n".join(pieces) + "\n"
