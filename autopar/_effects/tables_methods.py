"""Methods by name, for objects of which the type is not known.

`MUTATING` change their object whatever it is; `READING` give something without changing it, and what they give is
named as in `tables_standard.RESULTS`. A name in neither is unknown. The names are those of the built-in containers,
strings, numbers, files, regular expressions, dates, paths, hashes, arrays, random generators and database connections.
"""

from __future__ import annotations

from autopar._model.effects import EffectKind

MUTATING = frozenset(
    """
        add append appendleft assign_value byteswap choice choices clear close commit cursor discard execute
        executemany executescript extend extendleft feed fetchall fetchmany fetchone fill flush gauss get_nowait
        insert insert_one integers intersection_update itemset join_thread lognormvariate move_to_end normal
        normalvariate partial_fit permutation permuted pop popitem popleft put put_nowait randbytes randint random
        random_sample randrange rand randn read read1 readall readinto readline readlines recv recv_into recvfrom
        remove resize reverse rollback rotate sample save seed seek send sendall sendto set set_result set_exception
        setdefault setfield setflags setstate setitem shuffle sort standard_normal start subtract
        symmetric_difference_update task_done throw difference_update truncate uniform update update_many write
        writelines writerow writerows writestr exponential poisson binomial gamma beta triangular vonmisesvariate
        betavariate expovariate getrandbits advance next __next__ __setitem__ __delitem__ __setattr__ __delattr__
        __iadd__ __isub__ __imul__ __ior__ __iand__ __ixor__ __itruediv__ __ifloordiv__ __imod__ __ipow__ __enter__
        __exit__ __aenter__ __aexit__ __anext__ asend athrow aclose __init__ __setstate__
    """.split()
)

NAMED_EFFECTS: dict[str, EffectKind] = {
    "acquire": EffectKind.LOCK,
    "release": EffectKind.LOCK,
    "notify": EffectKind.LOCK,
    "notify_all": EffectKind.LOCK,
    "wait": EffectKind.LOCK,
    "debug": EffectKind.OUTPUT,
    "info": EffectKind.OUTPUT,
    "warning": EffectKind.OUTPUT,
    "error": EffectKind.OUTPUT,
    "critical": EffectKind.OUTPUT,
    "exception": EffectKind.OUTPUT,
}

_BY_RESULT = {
    "str": """
        capitalize casefold center expandtabs format format_map hexdigest join ljust lower lstrip removeprefix
        removesuffix replace rjust rstrip strip strftime swapcase title translate upper zfill isoformat ctime as_posix
        as_uri hex decode __str__ __repr__ __format__ tzname read_text get_text
        """,
    "bytes": "encode digest tobytes to_bytes read_bytes __bytes__ dumps",
    "bool": """
        endswith startswith isalnum isalpha isascii isdecimal isdigit isidentifier islower isnumeric isprintable isspace
        istitle isupper isdisjoint issubset issuperset is_absolute is_dir is_file is_integer exists is_symlink
        is_relative_to __contains__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__ __bool__ isatty readable writable
        seekable is_alive is_nan is_zero is_signed is_finite is_infinite match_any isEnabledFor done cancelled is_set
        """,
    "int": """
        bit_length bit_count count find index rfind rindex toordinal weekday isoweekday __len__ __hash__ __index__
        __int__ fileno tell from_bytes nbytes
        """,
    "float": "timestamp total_seconds __float__ conjugate utcoffset as_integer_ratio __abs__",
    "list": "split rsplit splitlines",
    "tuple": "partition rpartition span timetuple utctimetuple as_tuple isocalendar date_tuple",
    "fresh": """
        all any argmax argmin argsort argpartition astype cumprod cumsum dot max mean min nonzero prod ptp
        round std sum trace var tolist item searchsorted choose compress repeat take clip mro lower_bound
        date time astimezone with_name with_suffix with_stem resolve relative_to absolute joinpath expanduser stat
        match fullmatch search finditer findall quantize normalize sqrt ln log10 exp toutc groups fromisoformat dst
        __add__ __sub__ __mul__ __truediv__ __floordiv__ __mod__ __pow__ __neg__ __pos__ __invert__ __and__ __or__
        __xor__ __radd__ __rsub__ __rmul__ __matmul__ __rtruediv__ __round__ __divmod__ __sizeof__ __dir__ __reduce__
        __reduce_ex__ json iterdir glob rglob to_dict isnull isna notna notnull nunique value_counts corr cov describe
        quantile median rank idxmax idxmin sem __subclasses__
        """,
    "shell": """
        copy items keys values most_common elements union intersection difference symmetric_difference
        __iter__ __reversed__ groupdict groupby __copy__ subn sub _asdict _replace iterrows itertuples head tail
        sort_values sort_index reset_index set_index merge drop dropna fillna rename assign apply_map agg between diff
        droplevel ewm expanding explode interpolate isin mask melt nlargest nsmallest pct_change pivot pivot_table
        reindex resample rolling shift stack to_frame unstack where
        """,
    "item": "get group __getitem__ __call_get__ __getattribute__ get_or_none peek __get__",
    "alias": """
        reshape ravel view squeeze swapaxes transpose diagonal flat newbyteorder __array__ getfield real imag T to_numpy
        tounicode as_type loc iloc
        """,
}

READING: dict[str, str] = {name: result for result, names in _BY_RESULT.items() for name in names.split()}
