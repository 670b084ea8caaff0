"""Functions that work on objects, as people write them, each with arguments: texts, dicts, classes and graphs."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

Case = tuple[Callable[..., Any], tuple[Any, ...]]


def tokenise(text: str) -> list[tuple[str, str]]:
    """Numbers, names and operators of an expression."""
    tokens = []
    i, n = 0, len(text)
    while i < n:
        c = text[i]
        if c == " ":
            i += 1
        elif c.isdigit():
            start = i
            while i < n and text[i].isdigit():
                i += 1
            tokens.append(("number", text[start:i]))
        elif c.isalpha():
            start = i
            while i < n and text[i].isalnum():
                i += 1
            tokens.append(("name", text[start:i]))
        else:
            tokens.append(("operator", c))
            i += 1
    return tokens


def count_words(text: str) -> list[tuple[str, int]]:
    """The ten most frequent words."""
    counts: dict[str, int] = {}
    for line in text.splitlines():
        for word in line.lower().split():
            word = word.strip(".,;:!?")
            counts[word] = counts.get(word, 0) + 1
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:10]


def breadth_first(graph: dict[int, list[int]], start: int) -> dict[int, int]:
    """Steps to each node."""
    distance = {start: 0}
    border = [start]
    while border:
        following = []
        for node in border:
            steps = distance[node] + 1
            for other in graph[node]:
                if other not in distance:
                    distance[other] = steps
                    following.append(other)
        border = following
    return distance


def parse_csv(text: str) -> list[list[str]]:
    """Rows of fields, with quotes."""
    rows, row, field, quoted = [], [], "", False
    for c in text:
        if quoted:
            if c == '"':
                quoted = False
            else:
                field += c
        elif c == '"':
            quoted = True
        elif c == ",":
            row.append(field)
            field = ""
        elif c == "\n":
            row.append(field)
            rows.append(row)
            row, field = [], ""
        else:
            field += c
    return rows


class Account:
    """A balance with a history."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.balance = 0
        self.history: list[tuple[str, int]] = []

    def deposit(self, amount: int) -> None:
        """Add money."""
        self.balance += amount
        self.history.append(("deposit", amount))


def settle(transfers: list[tuple[str, str, int]]) -> dict[str, int]:
    """Balances after transfers between accounts."""
    accounts: dict[str, Account] = {}
    for source, target, amount in transfers:
        for name in (source, target):
            if name not in accounts:
                accounts[name] = Account(name)
        accounts[source].balance -= amount
        accounts[target].deposit(amount)
    return {name: account.balance for name, account in accounts.items()}


def traffic_light(events: list[str]) -> dict[str, int]:
    """A state machine."""
    state, seen = "red", {"red": 0, "green": 0, "yellow": 0}
    for event in events:
        if state == "red":
            if event == "go":
                state = "green"
        elif state == "green":
            if event == "slow":
                state = "yellow"
            elif event == "stop":
                state = "red"
        elif state == "yellow" and event in ("stop", "slow"):
            state = "red"
        seen[state] += 1
    return seen


def evaluate(tokens: list[str]) -> int:
    """Reverse Polish notation."""
    stack: list[int] = []
    for token in tokens:
        if token == "+":
            right, left = stack.pop(), stack.pop()
            stack.append(left + right)
        elif token == "*":
            right, left = stack.pop(), stack.pop()
            stack.append(left * right % 1000003)
        elif token == "-":
            right, left = stack.pop(), stack.pop()
            stack.append(left - right)
        else:
            stack.append(int(token))
    return stack[-1]


def edit_distance(one: str, other: str) -> int:
    """Levenshtein's distance, by lists."""
    previous = list(range(len(other) + 1))
    for i, a in enumerate(one):
        current = [i + 1]
        for j, b in enumerate(other):
            best = previous[j] + (a != b)
            if previous[j + 1] + 1 < best:
                best = previous[j + 1] + 1
            if current[j] + 1 < best:
                best = current[j] + 1
            current.append(best)
        previous = current
    return previous[-1]


def group_by_length(words: list[str]) -> dict[int, list[str]]:
    """Words by their length, each once."""
    groups: dict[int, set[str]] = {}
    for word in words:
        n = len(word)
        if n in groups:
            groups[n].add(word)
        else:
            groups[n] = {word}
    return {n: sorted(group) for n, group in groups.items()}


def brackets(text: str) -> int:
    """Where the brackets of a text stop matching, or its length."""
    pairs = {")": "(", "]": "[", "}": "{"}
    stack: list[str] = []
    for place, c in enumerate(text):
        if c in "([{":
            stack.append(c)
        elif c in pairs:
            if not stack or stack[-1] != pairs[c]:
                return place
            stack.pop()
    return len(text)


def queens(n: int) -> int:
    """How many ways n queens stand in peace, by sets and a stack of our own."""
    found = 0
    stack: list[tuple[int, tuple[int, ...]]] = [(0, ())]
    while stack:
        row, columns = stack.pop()
        if row == n:
            found += 1
            continue
        for column in range(n):
            for other, taken in enumerate(columns):
                if taken == column or abs(taken - column) == row - other:
                    break
            else:
                stack.append((row + 1, (*columns, column)))
    return found


def sieve(n: int) -> list[int]:
    """Primes, by a list of flags."""
    flags = [True] * (n + 1)
    found = []
    for i in range(2, n + 1):
        if flags[i]:
            found.append(i)
            for j in range(i * i, n + 1, i):
                flags[j] = False
    return found


def run_lengths(text: str) -> str:
    """Run-length coding."""
    out, last, count = [], "", 0
    for c in text:
        if c == last:
            count += 1
        else:
            if count:
                out.append(f"{count}{last}")
            last, count = c, 1
    out.append(f"{count}{last}")
    return "".join(out)


def cases() -> list[Case]:
    """Each function with arguments that take it some tens of milliseconds at most."""
    draw = random.Random(1)
    words = ["".join(draw.choices("abcdefgh", k=draw.randint(1, 9))) for _ in range(20_000)]
    names = [f"n{i}" for i in range(200)]
    graph = {i: [draw.randrange(8000) for _ in range(6)] for i in range(8000)}
    postfix = ["1"] + [each for _ in range(8000) for each in (str(draw.randint(1, 99)), draw.choice("+-*"))]
    return [
        (tokenise, ("x1 = 3 * (abc + 42) - y / 7 " * 800,)),
        (count_words, ("\n".join(" ".join(words[i : i + 10]) for i in range(0, 20_000, 10)),)),
        (breadth_first, (graph, 0)),
        (parse_csv, ('a,bc,"d,e",12345\n' * 2500,)),
        (settle, ([(draw.choice(names), draw.choice(names), draw.randint(1, 50)) for _ in range(8000)],)),
        (traffic_light, (draw.choices(["go", "slow", "stop", "wait"], k=50_000),)),
        (evaluate, (postfix,)),
        (edit_distance, ("".join(words[:40]), "".join(words[40:80]))),
        (group_by_length, (words,)),
        (brackets, ("(a[b]{c})" * 6000,)),
        (queens, (7,)),
        (sieve, (60_000,)),
        (run_lengths, ("".join(draw.choices("ab", k=50_000)),)),
    ]
