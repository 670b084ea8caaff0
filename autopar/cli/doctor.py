"""``autopar doctor``: what autopar can use on this machine, and why not the rest."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

import click

from autopar._compilers.native.cache import ObjectCache
from autopar._compilers.native.refusal import NotCompiled
from autopar._compilers.native.toolchain import find_toolchain, version_of
from autopar._model.observation import Host
from autopar._model.plan import BACKENDS, COMPILERS, Spec
from autopar._native_api import NATIVE, why_not_native
from autopar._observe.host import observe_host
from autopar._private_file import RefusedError, claim_folder
from autopar._record import Store
from autopar.cli.screen import put_json, put_table
from autopar.errors import HintValueError, StoreWarning

_VARIABLES = "AUTOPAR_"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes
    ----------
    what
        In a word or two.
    state
        What was found.
    fix
        What would mend it, or an empty string.
    wrong
        It ought to work here, and does not.
    """

    what: str
    state: str
    fix: str = ""
    wrong: bool = False


@click.command()
@click.option("--json", "json_wanted", is_flag=True, help="As one JSON object.")
def command(json_wanted: bool) -> None:
    """Say what autopar can use on this machine, and why not the rest.

    The exit status is 1 where something that ought to work does not.
    """
    try:
        host = observe_host()
    except HintValueError as error:
        raise click.UsageError(str(error)) from None
    machine = machine_findings(host)
    routes = [*_routes("backend", BACKENDS.values(), host), *_routes("compiler", COMPILERS.values(), host)]
    if json_wanted:
        put_json({"machine": [asdict(one) for one in machine], "routes": [asdict(one) for one in routes]})
    else:
        put_table(("what", "found", "fix"), [_row(one) for one in machine])
        click.echo()
        put_table(("route", "available", "fix"), [_row(one) for one in routes])
    raise SystemExit(int(any(one.wrong for one in (*machine, *routes))))


def machine_findings(host: Host) -> list[Finding]:
    """What this machine is: everything but the routes."""
    return [*_machine(host), _native_core(), _proxy(), _c_compiler(), *_store(), _compile_cache(), *_environment()]


def _row(one: Finding) -> tuple[str, str, str]:
    return one.what, f"WRONG: {one.state}" if one.wrong else one.state, one.fix


def _machine(host: Host) -> Iterator[Finding]:
    try:
        yield Finding("autopar", importlib.metadata.version("autopar"))
    except importlib.metadata.PackageNotFoundError:
        yield Finding("autopar", "runs from its sources and is not installed", "pip install autopar")
    yield Finding("Python", f"{platform.python_implementation()} {host.python} on {sys.platform}, {sys.executable}")
    yield Finding("GIL", "one Python thread at a time" if host.gil else "off: threads run Python at the same time")
    fewer = f"{host.cores} of {host.logical_cores}: {host.cores_why}"
    yield Finding("cores", fewer if host.cores < host.logical_cores else f"{host.cores}, all of the machine")


NATIVE_PARTS = {
    "counted_call_type": "calls of decorated functions",
    "settle": "methods",
    "call_each": "loops over items",
    "thread_probe": "clocks of a thread",
    "pack_numbers": "packing of numbers",
    "exact_types": "types of items",
    "shared_dtype": "dtypes of arrays",
    "copied_arrays": "copies of arrays",
    "KernelEntry": "the way into compiled code",
}
"""What there is in C and again in Python, by its name in the extension."""


def _native_core() -> Finding:
    parts = ", ".join(NATIVE_PARTS.values())
    if NATIVE:
        return Finding("native core", f"in use, for {parts}")
    asked = os.environ.get("AUTOPAR_NATIVE") == "0"
    fix = "unset AUTOPAR_NATIVE" if asked else "install a C compiler, then autopar again"
    found = f"none: {why_not_native}; the pure-Python twin is in use, for {parts}"
    return Finding("native core", found, fix, wrong=not asked)


def _proxy() -> Finding:
    """Of the decorator: wrapt has an extension and a twin too."""
    from wrapt import BaseObjectProxy

    if "_wrappers" in BaseObjectProxy.__module__ or not hasattr(BaseObjectProxy.__init__, "__code__"):
        return Finding("decorator's proxy", "native, of wrapt")
    fix = "unset WRAPT_DISABLE_EXTENSIONS" if os.environ.get("WRAPT_DISABLE_EXTENSIONS") else "install wrapt's wheel"
    return Finding("decorator's proxy", "wrapt's pure-Python twin, with which calls are slower", fix)


def _c_compiler() -> Finding:
    try:
        toolchain = find_toolchain()
        return Finding("C compiler", f"{toolchain.command[0]}: {version_of(toolchain)}")
    except NotCompiled as refused:
        return Finding("C compiler", str(refused), "install gcc or clang, or name one in CC: numeric loops stay slow")


def _store() -> Iterator[Finding]:
    import warnings

    store = Store.from_environment()
    if store.path is None:
        yield Finding("store", "off: AUTOPAR_STORE says so; nothing is kept across programs", "unset AUTOPAR_STORE")
        return
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", StoreWarning)
        counts = store.counts()
    if said:
        yield Finding("store", str(said[0].message), f"mend or move {store.path}", wrong=True)
    elif counts is None:
        yield Finding("store", f"{store.path} is not there yet: the first map makes it")
    else:
        size = os.path.getsize(store.path)
        rows = ", ".join(f"{count:,} {what}" for what, count in counts.items())
        yield Finding("store", f"{store.path}: {rows}; {size / 1e6:.1f} MB")


def _compile_cache() -> Finding:
    cache = ObjectCache.from_environment()
    if cache.folder is None:
        return Finding("compiled code", cache.why_off or "is not kept, since there is no store")
    if not os.path.lexists(cache.folder):
        return Finding("compiled code", "none yet")
    try:
        claim_folder(cache.folder)
        files = [entry for entry in os.scandir(cache.folder) if entry.name.endswith(".so")]
    except (RefusedError, OSError) as error:
        return Finding("compiled code", str(error), f"mend or delete {cache.folder}", wrong=True)
    total = sum(entry.stat().st_size for entry in files)
    return Finding("compiled code", f"{len(files):,} objects, {total / 1e6:.1f} MB in {cache.folder}")


def _environment() -> Iterator[Finding]:
    for name in sorted(name for name in os.environ if name.startswith(_VARIABLES)):
        yield Finding(name, os.environ[name])


def _routes(axis: str, specs: Iterable[Spec], host: Host) -> Iterator[Finding]:
    for spec in specs:
        yield _route(axis, spec, host)


def _route(axis: str, spec: Spec, host: Host) -> Finding:
    name = f'{axis}="{spec.name}"'
    reason = host.unavailable.get(spec.name)
    if reason is None:
        return Finding(name, f"yes: {spec.wins}")
    if reason.startswith("needs Python"):
        return Finding(name, f"no: {reason}", "use a later Python")
    if "is not installed" in reason:
        return Finding(name, f"no: {reason}", f"pip install {' '.join(spec.needs).lower()}")
    broken = "is broken" in reason
    return Finding(name, f"no: {reason}", f"reinstall {' '.join(spec.needs).lower()}" if broken else "", wrong=broken)
