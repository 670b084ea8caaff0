"""NumPy: what its functions change, and which give views of their arguments.

The source is the reference of NumPy 2.
"""

from __future__ import annotations

from autopar._model.effects import EffectKind

EFFECTS: dict[str, EffectKind | None] = {
    "numpy": None,
    "numpy.random": EffectKind.RANDOM,
    "numpy.random.default_rng": None,
    "numpy.random.Generator": None,
    "numpy.random.RandomState": None,
    "numpy.random.SeedSequence": None,
    "numpy.random.BitGenerator": None,
    "numpy.random.PCG64": None,
    "numpy.random.PCG64DXSM": None,
    "numpy.random.MT19937": None,
    "numpy.random.Philox": None,
    "numpy.random.SFC64": None,
    "numpy.seterr": EffectKind.CONTEXT,
    "numpy.seterrcall": EffectKind.CONTEXT,
    "numpy.setbufsize": EffectKind.PROCESS_STATE,
    "numpy.set_printoptions": EffectKind.PROCESS_STATE,
    "numpy.show_config": EffectKind.OUTPUT,
    "numpy.info": EffectKind.OUTPUT,
    "numpy.ctypeslib": EffectKind.UNKNOWN,
    "numpy.f2py": EffectKind.UNKNOWN,
}

WRITES: dict[str, tuple[int | str, ...]] = {
    "numpy.copyto": (0, "dst"),
    "numpy.put": (0, "a"),
    "numpy.putmask": (0, "a"),
    "numpy.place": (0, "arr"),
    "numpy.put_along_axis": (0, "arr"),
    "numpy.fill_diagonal": (0, "a"),
    "numpy.random.shuffle": (0, "x"),
    "numpy.ndarray.sort": (0,),
    "numpy.load": (0, "file"),
    "numpy.save": (0, "file"),
}

RESULTS: dict[str, str] = {
    "numpy": "array",
    "numpy.random": "fresh",
    "numpy.load": "fresh",
    "numpy.savez": "fresh",
    "numpy.vectorize": "shell",
    "numpy.frompyfunc": "shell",
    "numpy.nditer": "shell",
    "numpy.ndenumerate": "shell",
    "numpy.errstate": "fresh",
    **dict.fromkeys(
        [
            f"numpy.{name}"
            for name in """
                asarray asanyarray ascontiguousarray asfortranarray atleast_1d atleast_2d atleast_3d broadcast_to
                broadcast_arrays diagonal expand_dims flip fliplr flipud frombuffer from_dlpack imag
                lib.stride_tricks.as_strided lib.stride_tricks.sliding_window_view matrix_transpose moveaxis
                nan_to_num permute_dims ravel real real_if_close require reshape rollaxis rot90 split array_split
                hsplit vsplit dsplit squeeze swapaxes transpose unstack asmatrix asarray_chkfinite
            """.split()
        ],
        "alias",
    ),
}

CALLBACKS: dict[str, tuple[int | str, ...]] = {
    "numpy.apply_along_axis": (0, "func1d"),
    "numpy.apply_over_axes": (0, "func"),
    "numpy.fromfunction": (0, "function"),
    "numpy.vectorize": (0, "pyfunc"),
    "numpy.frompyfunc": (0,),
    "numpy.piecewise": (2, "funclist"),
}
