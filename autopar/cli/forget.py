"""``autopar forget``: deletes what was learned."""

from __future__ import annotations

import click

from autopar._compilers.native.cache import ObjectCache
from autopar._private_file import RefusedError
from autopar._record import Store
from autopar.cli.naming import FunctionName, patterns
from autopar.cli.screen import counted, fail, put_json, store_trouble_ends_it

_SINGULAR = {"compiled": "compiled file"}


@click.command()
@click.argument("function", required=False, type=FunctionName())
@click.option("--all", "everything", is_flag=True, help="All functions, what was measured, and compiled code.")
@click.option("--compiled", is_flag=True, help="Compiled code.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "json_wanted", is_flag=True, help="As one JSON object; nothing is asked.")
def command(function: str | None, everything: bool, compiled: bool, yes: bool, json_wanted: bool) -> None:
    """Delete decisions about FUNCTION and what was learned of it.

    FUNCTION is a name such as price or shop.price; * and ? stand for others.
    """
    if function is None and not everything and not compiled:
        raise click.UsageError("say what to forget: a function's name, --compiled or --all")
    if function is not None and everything:
        raise click.UsageError("a function's name and --all exclude each other")
    if everything and not yes and not json_wanted:
        click.confirm("Delete everything that autopar has learned?", abort=True)
    gone: dict[str, int] = {}
    store = Store.from_environment()
    with store_trouble_ends_it():
        if everything:
            gone |= store.forget(host=True) or {}
        elif function is not None:
            for pattern in patterns(function):
                if not any(gone.values()):
                    gone |= store.forget(pattern) or {}
    if everything or compiled:
        try:
            gone["compiled"] = ObjectCache.from_environment().forget()
        except RefusedError as refused:
            fail(str(refused))
    if json_wanted:
        put_json(gone)
    elif function is not None and not any(gone.values()):
        fail(f"nothing is known of {function}")
    else:
        click.echo(
            "Deleted "
            + (
                ", ".join(counted(count, _SINGULAR.get(what, what.removesuffix("s"))) for what, count in gone.items())
                or "nothing"
            )
        )
