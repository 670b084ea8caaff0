"""Blocks arrive in any order and leave in the order of their positions."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from autopar._engine.blocks import Block, Reorder


@st.composite
def shuffled_blocks(draw: st.DrawFn) -> tuple[list[int], list[Block]]:
    """Numbers in a row, cut into blocks, in some order."""
    sizes = draw(st.lists(st.integers(1, 4), max_size=8))
    blocks, start = [], 0
    for size in sizes:
        blocks.append(Block(start, list(range(start, start + size))))
        start += size
    return list(range(start)), draw(st.permutations(blocks))


@given(shuffled_blocks())
def test_any_order_of_arrival_gives_the_order_of_the_input(case: tuple[list[int], list[Block]]) -> None:
    """What comes out is the input's order, whatever the order in which blocks completed."""
    expected, blocks = case
    order = Reorder()
    out = [value for block in blocks for ready in order.put(block) for value in ready.values]
    assert out == expected
    assert order.next == len(expected)


@given(shuffled_blocks())
def test_a_block_leaves_as_soon_as_it_can(case: tuple[list[int], list[Block]]) -> None:
    """After each arrival everything up to the first gap has left."""
    _, blocks = case
    order, arrived, out = Reorder(), set[int](), []
    for block in blocks:
        arrived.update(block.values)
        out += [value for ready in order.put(block) for value in ready.values]
        gap = next(n for n in range(len(arrived) + 1) if n not in arrived)
        assert out == list(range(gap))


@given(shuffled_blocks(), st.integers(1, 4))
def test_several_blocks_may_be_put_at_once(case: tuple[list[int], list[Block]], size: int) -> None:
    """Blocks that arrive together leave as they would have one after the other."""
    expected, blocks = case
    order = Reorder()
    batches = [blocks[start : start + size] for start in range(0, len(blocks), size)]
    assert [value for batch in batches for ready in order.put_all(batch) for value in ready.values] == expected


def test_nothing_leaves_after_an_error_among_several() -> None:
    """The block of the first error is the last to leave, though others were put with it."""
    broken = ValueError(1)
    left = list(Reorder().put_all([Block(0, [0], broken), Block(1, [1]), Block(2, [2])]))
    assert [(block.start, block.error) for block in left] == [(0, broken)]


@given(shuffled_blocks(), st.data())
def test_an_error_takes_its_items_turn(case: tuple[list[int], list[Block]], data: st.DataObject) -> None:
    """Whatever arrives first, results before the earliest error come out, then that error, then nothing."""
    expected, blocks = case
    failing = data.draw(st.sets(st.sampled_from(range(len(blocks))), min_size=1) if blocks else st.just(set()))
    broken = []
    for number, block in enumerate(blocks):
        if number in failing:
            kept = data.draw(st.integers(0, len(block.values) - 1))
            broken.append(Block(block.start, block.values[:kept], ValueError(block.start + kept)))
        else:
            broken.append(block)
    first = min((block.end for block in broken if block.error is not None), default=None)
    order, out, errors = Reorder(), list[Any](), list[BaseException]()
    for block in broken:
        for ready in order.put(block):
            out += ready.values
            if ready.error is not None:
                errors.append(ready.error)
    assert out == (expected if first is None else expected[:first])
    assert [error.args for error in errors] == ([] if first is None else [(first,)])


def test_an_empty_block_holds_no_place() -> None:
    """A block without results passes at its turn and moves nothing."""
    order = Reorder()
    assert [ready.start for ready in order.put(Block(0, []))] == [0]
    assert [ready.values for ready in order.put(Block(0, ["a"]))] == [["a"]]
