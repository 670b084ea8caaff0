"""CPU-bound Python: how readable is the prose of the standard library, and which words do its names consist of?

Run ``python examples/word_statistics.py [FILES]``.
"""

from __future__ import annotations

import re
import sys
import sysconfig
import time
from collections import Counter
from keyword import iskeyword
from pathlib import Path

from autopar import parallel

TOKEN = re.compile(
    r"""(?P<prose> \#[^\n]* | \"{3}(?:\\.|[^\\])*?\"{3})
    | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*'
    | (?P<name> [A-Za-z_]\w*)""",
    re.VERBOSE | re.DOTALL,
)
WORD = re.compile(r"[A-Za-z]{2,}")
SENTENCE_END = re.compile(r"[.!?](?:\s|$)")
SYLLABLE = re.compile(r"[aeiouy]+")
PART_OF_NAME = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


@parallel
def describe(path: str) -> tuple[int, int, int, Counter[str]]:
    """Count words, sentences and syllables of a file's comments and docstrings, and the words in its code's names."""
    words = sentences = syllables = 0
    names: Counter[str] = Counter()
    for token in TOKEN.finditer(Path(path).read_text(encoding="utf-8", errors="replace")):
        if token["name"]:
            if not iskeyword(token["name"]):
                names.update(part.lower() for part in PART_OF_NAME.findall(token["name"]))
        elif token["prose"]:
            sentences += len(SENTENCE_END.findall(token["prose"]))
            for word in WORD.findall(token["prose"].lower()):
                words += 1
                syllables += max(1, len(SYLLABLE.findall(word)))
    return words, sentences, syllables, names


def reading_ease(words: int, sentences: int, syllables: int) -> float:
    """Tell how easily a text reads: Flesch's formula, in which 60 to 70 is plain English."""
    return 206.835 - 1.015 * words / sentences - 84.6 * syllables / words


def main(files: int = 3000) -> None:
    """Describe some files of the standard library, in the plain loop and in parallel."""
    library = Path(sysconfig.get_path("stdlib"))
    found = (path for path in sorted(library.rglob("*.py")) if not {"site-packages", "test", "tests"} & {*path.parts})
    paths = [str(path) for path in found][:files]
    print(f"Word statistics of {len(paths)} files of the standard library, in {library}")

    started = time.perf_counter()
    expected = [describe(path) for path in paths]
    loop = time.perf_counter() - started

    started = time.perf_counter()
    results = describe.map(paths)
    mapped = time.perf_counter() - started

    *figures, names = zip(*results, strict=True)
    words, sentences, syllables = map(sum, figures)
    most_used = Counter[str]()
    for counted in names:
        most_used.update(counted)
    print(f"  {words:,} words of prose, reading ease {reading_ease(words, sentences, syllables):.0f}")
    print(f"  most used in names: {', '.join(word for word, _ in most_used.most_common(8))}")
    print(f"  plain loop {loop:.2f} s, autopar {mapped:.2f} s: {loop / mapped:.1f} times as fast")
    assert results == expected
    print("  the results are equal")
    print(f"  decision: {describe.decisions[-1].plan}, because {describe.decisions[-1].why}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
