"""``python -m autopar`` is the command line."""

from __future__ import annotations

from autopar.cli.main import main

if __name__ == "__main__":
    main()
