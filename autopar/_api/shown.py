"""How decisions look in a notebook is looked up when one is shown, and not before."""

from __future__ import annotations

from autopar._model.decision import Decision, show_in_notebooks


class Decisions(list[Decision]):
    """A list of decisions, which a notebook shows as a table."""

    def _repr_html_(self) -> str:
        from autopar._api.html import decisions_html

        return decisions_html(self)


def _decision_html(decision: Decision) -> str:
    from autopar._api.html import decision_html

    return decision_html(decision)


show_in_notebooks(_decision_html)
