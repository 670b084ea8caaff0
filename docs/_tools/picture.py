"""Runs the examples with a store of their own and puts a picture of their report into docs/report.png.

``make picture`` runs it. It takes Chromium; the picture is the top of the page, with one function unfolded. Given the
path of a store, it is the report of that.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "docs" / "report.png"
WIDTH, HEIGHT = 1040, 1560
MOST_BYTES = 300_000
UNFOLDED = "word_statistics.describe"
SHORTER = "details.function pre { max-height: 15em; overflow: hidden } details.function .scroll { display: none }"
"""Leaves room in the picture for the charts."""


def browser() -> str:
    """Chromium's command."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        raise SystemExit("no Chromium is on the path")
    return found


def report_of(store: Path, folder: Path) -> str:
    """The page of what a store holds; where there is none yet the examples are run with it."""
    environment = {**os.environ, "AUTOPAR_STORE": str(store), "PYTHONPATH": str(ROOT)}
    if not store.exists():
        subprocess.run([sys.executable, str(ROOT / "examples" / "demo.py")], env=environment, check=True)
    page = folder / "report.html"
    subprocess.run([sys.executable, "-m", "autopar", "report", "-o", str(page)], env=environment, check=True)
    return page.read_text(encoding="utf-8")


def with_one_open(text: str, name: str) -> str:
    """The page with one function's section before the others, and open."""
    sections: list[str] = re.findall(
        r'<details class="function".*?(?=<details class="function"|</section>)', text, re.DOTALL
    )
    chosen = [section for section in sections if f'data-name="{name}"' in section]
    if not chosen:
        raise SystemExit(f"the report has no {name}")
    first, mark = text.index(sections[0]), '<details class="function"'
    others = [section.replace(f"{mark} open", mark) for section in sections if section is not chosen[0]]
    opened = chosen[0].replace(f"{mark} open", mark).replace(mark, f"{mark} open", 1)
    rest = text[first + len("".join(sections)) :]
    return (text[:first] + opened + "".join(others) + rest).replace("</style>", f"{SHORTER}</style>")


def photograph(page: Path) -> None:
    """Have Chromium draw the page."""
    flags = "--headless --no-sandbox --disable-gpu --hide-scrollbars --no-first-run --disable-background-networking"
    command = [
        browser(),
        *flags.split(),
        f"--user-data-dir={page.parent / 'profile'}",
        f"--window-size={WIDTH},{HEIGHT}",
        f"--screenshot={PICTURE}",
        page.as_uri(),
    ]
    subprocess.run(command, check=True, timeout=120, stderr=subprocess.DEVNULL)
    if PICTURE.stat().st_size > MOST_BYTES:
        raise SystemExit(f"{PICTURE} has {PICTURE.stat().st_size:,} bytes: make it smaller")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(folder) / "store" / "store.sqlite"
        page = Path(folder) / "report.html"
        page.write_text(with_one_open(report_of(store, Path(folder)), UNFOLDED), encoding="utf-8")
        photograph(page)
    print(f"{PICTURE}: {PICTURE.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
