"""Places in a source file, as the parser and the bytecode name them."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from types import CodeType


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """From one place of a file up to another: lines from 1, columns in bytes of UTF-8 from 0."""

    line: int
    column: int
    end_line: int
    end_column: int

    def holds(self, other: Span) -> bool:
        """The other one lies within this."""
        return (self.line, self.column) <= (other.line, other.column) and (other.end_line, other.end_column) <= (
            self.end_line,
            self.end_column,
        )


def span_of(node: ast.expr | ast.stmt) -> Span:
    """Where a piece of syntax stands."""
    end_line, end_column = node.end_lineno, node.end_col_offset
    if end_line is None or end_column is None:
        raise ValueError("syntax that was not parsed from a text has no place")
    return Span(node.lineno, node.col_offset, end_line, end_column)


def span_at(code: CodeType, instruction: int) -> Span | None:
    """Where the source of an instruction stands, by its offset in bytes; None where the code does not say."""
    for at, place in enumerate(code.co_positions()):
        if 2 * at == instruction:
            line, end_line, column, end_column = place
            if line is None or end_line is None or column is None or end_column is None:
                return None
            return Span(line, column, end_line, end_column)
    return None
