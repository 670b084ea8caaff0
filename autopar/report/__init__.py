"""The report: decisions of all programs as one HTML file that needs nothing else.

``figures`` works out what is shown, ``charts`` draws it, ``markup`` escapes everything, ``page`` puts it together;
``page.css`` and ``page.js`` are put into the page as they are.
"""

from __future__ import annotations

from autopar.report.page import report

__all__ = ["report"]
