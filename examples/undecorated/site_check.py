"""Checks the pages of a small web site: which links lead nowhere, and how long the texts are. Most of it is waiting.

Run ``python site_check.py [PAGES]``. It serves the site itself, from another process, and knows nothing of autopar:
``autopar suggest site_check.py`` says what would help it.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from subprocess import PIPE, Popen

LINK = re.compile(r'href="([^"]+)"')
TAG = re.compile(r"<[^>]+>")
WORD = re.compile(r"[a-z]+")


@dataclass(frozen=True)
class Page:
    """One page as it was fetched."""

    path: str
    status: int
    title: str
    links: tuple[str, ...]
    words: int


@dataclass(frozen=True)
class Problem:
    """Something that is wrong with a page."""

    path: str
    what: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what}"


def fetch(address: str) -> tuple[int, str]:
    """Fetch one page, and wait for it."""
    host, _, path = address.partition("/")
    connection = HTTPConnection(host, timeout=30)
    try:
        connection.request("GET", f"/{path}")
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def title_of(text: str) -> str:
    """The first heading, or the first words."""
    start, end = text.find("<h1>"), text.find("</h1>")
    if 0 <= start < end:
        return text[start + len("<h1>") : end].strip()
    return " ".join(text.split()[:5])


def load(address: str) -> Page:
    """Fetch a page and read it."""
    status, text = fetch(address)
    plain = TAG.sub(" ", text).lower()
    return Page(
        path="/" + address.partition("/")[2],
        status=status,
        title=title_of(text),
        links=tuple(LINK.findall(text)),
        words=len(WORD.findall(plain)),
    )


def load_all(addresses: list[str]) -> list[Page]:
    """Fetch all pages, one after the other."""
    pages = []
    for address in addresses:
        pages.append(load(address))  # noqa: PERF401 - a loop as many programs have it
    return pages


def problems(pages: list[Page]) -> list[Problem]:
    """Pages that are missing, empty, or named like another one."""
    found = [Problem(page.path, f"status {page.status}") for page in pages if page.status != 200]
    found += [Problem(page.path, "no words") for page in pages if not page.words]
    titles = Counter(page.title for page in pages)
    for page in pages:
        if titles[page.title] > 1:
            found.append(Problem(page.path, f"shares its title with {titles[page.title] - 1} others"))
    known = {page.path for page in pages}
    for page in pages:
        for link in page.links:
            if link not in known:
                found.append(Problem(page.path, f"links to {link}, which is not there"))
    return sorted(found, key=str)


def summary(pages: list[Page]) -> dict[str, int]:
    """The site in numbers."""
    return {
        "pages": len(pages),
        "links": sum(len(page.links) for page in pages),
        "words": sum(page.words for page in pages),
        "longest title": max((len(page.title) for page in pages), default=0),
    }


def print_report(pages: list[Page]) -> None:
    """Say what was found."""
    for name, number in summary(pages).items():
        print(f"{name:>14}: {number}")
    print()
    for problem in problems(pages)[:10]:
        print(problem)


def main(pages: int = 120) -> None:
    """Start the site, check it, and report."""
    script = Path(__file__).resolve().parent.parent / "page_server.py"
    with Popen([sys.executable, script], stdin=PIPE, stdout=PIPE, text=True) as server:
        assert server.stdout is not None
        host = server.stdout.readline().strip()
        addresses = [f"{host}/chapter-{number % 7}/page-{number}" for number in range(pages)]
        print_report(load_all(addresses))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
