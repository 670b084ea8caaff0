"""Finds, for each of many short texts, the one that is most like it. Most of it is computing, in plain Python.

Run ``python similar_texts.py [TEXTS]``. It knows nothing of autopar: ``autopar suggest similar_texts.py`` says what
would help it.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass

WORDS = """
    amber anchor apple arrow autumn badge basil beacon birch blanket bottle branch bridge bronze brush butter candle
    canyon castle cedar chalk cherry circle cliff clover cobalt copper coral cotton cradle crystal dagger daisy desert
    diamond dragon ember falcon feather fern fiddle flame forest fossil garden ginger glacier granite harbor hazel
    helmet honey island ivory jacket jasmine kettle ladder lantern lavender lemon linen lizard magnet maple marble
    meadow mirror morning mountain nectar needle oasis olive orchid otter paddle paper pebble pepper pigeon planet
    pocket quartz quiver raven ribbon river rocket saddle saffron shadow silver spider summer sunset thistle thunder
    timber tunnel turtle valley velvet violet walnut willow winter yarrow zephyr
""".split()


@dataclass(frozen=True)
class Match:
    """The text that is most like another one."""

    text: int
    other: int
    likeness: float


class Dice:
    """Numbers that look random, and are the same each time."""

    def __init__(self, seed: int) -> None:
        self.state = seed

    def roll(self, sides: int) -> int:
        """A number below ``sides``."""
        self.state = (self.state * 1_103_515_245 + 12_345) % 2_147_483_648
        return (self.state >> 8) % sides


def make_texts(count: int) -> list[str]:
    """Texts of twenty to forty words; every third is an older one with some words changed."""
    dice = Dice(count)
    texts: list[str] = []
    while len(texts) < count:
        if len(texts) % 3 == 2:
            words = texts[dice.roll(len(texts))].split()
            for _ in range(4):
                words[dice.roll(len(words))] = WORDS[dice.roll(len(WORDS))]
        else:
            words = [WORDS[dice.roll(len(WORDS))] for _ in range(20 + dice.roll(20))]
        texts.append(" ".join(words))
    return texts


def pieces(text: str, length: int = 3) -> Counter[str]:
    """How often each run of letters occurs."""
    counted: Counter[str] = Counter()
    for start in range(len(text) - length + 1):
        counted[text[start : start + length]] += 1
    return counted


def likeness(one: dict[str, int], other: dict[str, int]) -> float:
    """From 0 to 1: the share of pieces that two texts have in common."""
    common = 0
    for piece, count in one.items():
        if piece in other:
            common += min(count, other[piece])
    return 2 * common / (sum(one.values()) + sum(other.values()))


TEXTS = make_texts(int(sys.argv[1]) if len(sys.argv) > 1 else 240)
PIECES = tuple(dict(pieces(text)) for text in TEXTS)


def best_match(number: int) -> Match:
    """Compare one text with all others."""
    best = Match(number, -1, -1.0)
    for other in range(len(PIECES)):
        if other == number:
            continue
        value = likeness(PIECES[number], PIECES[other])
        if value > best.likeness:
            best = Match(number, other, value)
    return best


def groups(matches: list[Match], least: float) -> list[list[int]]:
    """Texts that hang together by matches of at least this likeness."""
    parent = {match.text: match.text for match in matches}

    def root(text: int) -> int:
        while parent[text] != text:
            text = parent[text]
        return text

    for match in matches:
        if match.likeness >= least:
            parent[root(match.text)] = root(match.other)
    found: dict[int, list[int]] = {}
    for text in parent:
        found.setdefault(root(text), []).append(text)
    return sorted((sorted(group) for group in found.values() if len(group) > 1), key=lambda group: (-len(group), group))


def main() -> None:
    """Match all texts, and print the groups."""
    matches = [best_match(number) for number in range(len(TEXTS))]
    mean = sum(match.likeness for match in matches) / len(matches)
    print(f"{len(matches)} texts, mean likeness {mean:.3f}")
    for group in groups(matches, 0.6)[:8]:
        print(" ".join(map(str, group)))


if __name__ == "__main__":
    main()
