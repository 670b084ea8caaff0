"""autopar: ordinary Python functions in parallel, with the answer of the plain loop.

``@parallel`` over a function gives it ``map`` and its relatives. One call goes through the house like this::

    _api        doors: checks what the user wrote
    cli         doors too: the command line, which reads what was recorded; __main__ is its other name
    report      the same as a page of HTML
    _suggest    advice about programs that do without
    executor    door: an executor as in concurrent.futures
    frames      door: apply as in pandas, vectorize as in NumPy
    notebook    door: what IPython asks for
    joblib_backend  door: the engine underneath joblib
    _engine     conductor: takes items, asks the stages in turn, keeps order
    _observe    stage: what the host is, what the function's code says, what its items take
    _classify   stage: CPU-bound, I/O-bound, mixed or tiny
    _plan       stage: which way finishes first and keeps the answer
    _backends   stage: where items run
    _compilers  stage: how one call runs
    _record     stage: the decision log
    _effects    analysis: what a function does besides returning a value
    _kernel     analysis: what a numeric function computes, in a form that compilers take
    _model      vocabulary: the data they hand to one another
    events      what maps tell while they run; otel: the same as OpenTelemetry spans
    errors      every error and warning, with their tree
    testing     fakes for tests: a clock, a host, a pool
    _native_api the compiled parts, or their pure-Python twins: _native_twin and those beside it
    _user_cache where autopar's files are; _private_file: how they are kept the user's alone

Stages do not know one another; imports go down this list only, and a test keeps it so.
"""

from __future__ import annotations

from autopar._model import ending as _ending  # noqa: F401 -- what it does at exit comes after the handlers that follow

TYPE_CHECKING = False  # to a type checker it is true by its name, and typing itself takes longer to import than this

if TYPE_CHECKING:
    from autopar import events as events
    from autopar import otel as otel
    from autopar._api.config import config as config
    from autopar._api.functions import calibrate as calibrate
    from autopar._api.functions import decisions as decisions
    from autopar._api.functions import map as map
    from autopar._api.functions import parallel as parallel
    from autopar._api.functions import table as table
    from autopar.errors import AutoparError as AutoparError
    from autopar.errors import AutoparWarning as AutoparWarning
    from autopar.errors import PerformanceHint as PerformanceHint
    from autopar.executor import Executor as Executor
    from autopar.frames.applying import apply as apply
    from autopar.frames.vectorizing import vectorize as vectorize
    from autopar.joblib_backend import register_joblib as register_joblib

__version__ = "0.1.0"
__all__ = [
    "AutoparError",
    "AutoparWarning",
    "Executor",
    "PerformanceHint",
    "apply",
    "calibrate",
    "config",
    "decisions",
    "events",
    "map",
    "parallel",
    "register_joblib",
    "table",
    "vectorize",
]

# The doors are opened at the first look through them: a worker process imports this package too, and needs none.
_DOORS = {
    "AutoparError": "autopar.errors",
    "AutoparWarning": "autopar.errors",
    "Executor": "autopar.executor",
    "PerformanceHint": "autopar.errors",
    "apply": "autopar.frames.applying",
    "calibrate": "autopar._api.functions",
    "config": "autopar._api.config",
    "decisions": "autopar._api.functions",
    "load_ipython_extension": "autopar.notebook",
    "map": "autopar._api.functions",
    "parallel": "autopar._api.functions",
    "register_joblib": "autopar.joblib_backend",
    "table": "autopar._api.functions",
    "unload_ipython_extension": "autopar.notebook",
    "vectorize": "autopar.frames.vectorizing",
}
_ROOMS = ("events", "otel")


def __getattr__(name: str) -> object:
    import importlib

    if name in _ROOMS:
        return importlib.import_module(f"autopar.{name}")
    if name not in _DOORS:
        raise AttributeError(f"module 'autopar' has no attribute {name!r}")
    value: object = getattr(importlib.import_module(_DOORS[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
