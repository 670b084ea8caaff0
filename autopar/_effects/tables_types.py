"""Classes of the standard library and NumPy: which of their methods change the object, and how that counts."""

from __future__ import annotations

from typing import NamedTuple

from autopar._model.effects import EffectKind


class TypeFacts(NamedTuple):
    """What the methods of a class do.

    Attributes
    ----------
    writes
        Names of the methods that change the object; None: all but those in `reads`.
    reads
        Names of the methods that do not, where `writes` is None.
    kind
        How a change counts if the object is shared by the program (a module-level file: output); None: as a write to
        it.
    always
        Whether `kind` holds whoever owns the object, an argument included.
    """

    writes: frozenset[str] | None
    reads: frozenset[str] = frozenset()
    kind: EffectKind | None = None
    always: bool = False


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_LIST = TypeFacts(
    _names("append clear extend insert pop remove reverse sort __setitem__ __delitem__ __iadd__ __imul__ __init__")
)
_DICT = TypeFacts(_names("clear pop popitem setdefault update __setitem__ __delitem__ __ior__ __init__ move_to_end"))
_SET = TypeFacts(
    _names(
        """add clear discard difference_update intersection_update pop remove symmetric_difference_update update
        __iand__ __ior__ __isub__ __ixor__ __init__"""
    )
)
_FILE = TypeFacts(
    None,
    _names("fileno isatty readable writable seekable tell closed name mode encoding getvalue getbuffer"),
    EffectKind.OUTPUT,
)
_LOCK = TypeFacts(None, frozenset(), EffectKind.LOCK, True)
_THREAD_LOCAL = TypeFacts(None, frozenset(), EffectKind.THREAD_LOCAL, True)
_RANDOM = TypeFacts(None, _names("getstate get_state __getstate__ __reduce__ bit_generator"))
_QUEUE = TypeFacts(None, _names("qsize empty full maxsize"), EffectKind.LOCK, False)
_HASH = TypeFacts(_names("update"))
_CONNECTION = TypeFacts(None, _names("total_changes in_transaction isolation_level description"), EffectKind.OUTPUT)
_STREAM = TypeFacts(None)
_DEQUE = TypeFacts(
    _names(
        "append appendleft clear extend extendleft insert pop popleft remove reverse rotate "
        "__setitem__ __delitem__ __iadd__"
    )
)
_ARRAY = TypeFacts(
    _names(
        """append extend insert pop remove reverse byteswap frombytes fromfile fromlist fromunicode __setitem__
        __delitem__ fill itemset partition put resize setfield setflags sort __iadd__ __isub__ __imul__ __itruediv__
        __ifloordiv__ __imod__ __ipow__ __iand__ __ior__ __ixor__ __imatmul__"""
    )
)

TYPES: dict[str, TypeFacts] = {
    "builtins.list": _LIST,
    "builtins.dict": _DICT,
    "builtins.set": _SET,
    "builtins.bytearray": _LIST,
    "builtins.memoryview": TypeFacts(_names("release __setitem__ __delitem__")),
    "collections.deque": _DEQUE,
    "collections.OrderedDict": _DICT,
    "collections.defaultdict": TypeFacts(_DICT.writes and _DICT.writes | {"__getitem__", "__missing__"}),
    "collections.Counter": TypeFacts(_DICT.writes and _DICT.writes | {"subtract"}),
    "collections.UserDict": _DICT,
    "collections.UserList": _LIST,
    "array.array": _ARRAY,
    "numpy.ndarray": _ARRAY,
    "io._IOBase": _FILE,
    "builtins._IOBase": _FILE,
    "random.Random": _RANDOM,
    "random.SystemRandom": TypeFacts(frozenset()),
    "numpy.random.Generator": _RANDOM,
    "numpy.random.RandomState": _RANDOM,
    "numpy.random.BitGenerator": _RANDOM,
    "queue.Queue": _QUEUE,
    "queue.SimpleQueue": _QUEUE,
    "multiprocessing.queues.Queue": _QUEUE,
    "asyncio.queues.Queue": _QUEUE,
    "threading.lock": _LOCK,
    "threading.LockType": _LOCK,
    "threading.RLock": _LOCK,
    "threading._RLock": _LOCK,
    "threading.Condition": _LOCK,
    "threading.Semaphore": _LOCK,
    "threading.BoundedSemaphore": _LOCK,
    "threading.Event": _LOCK,
    "threading.Barrier": _LOCK,
    "threading.Thread": TypeFacts(_names("start join run setName setDaemon"), kind=EffectKind.LOCK),
    "threading._local": _THREAD_LOCAL,
    "multiprocessing.synchronize.SemLock": _LOCK,
    "multiprocessing.synchronize.Lock": _LOCK,
    "asyncio.locks.Lock": TypeFacts(None, _names("locked"), EffectKind.LOCK),
    "asyncio.locks.Semaphore": TypeFacts(None, _names("locked"), EffectKind.LOCK),
    "asyncio.locks.Event": TypeFacts(None, _names("is_set"), EffectKind.LOCK),
    "logging.Logger": TypeFacts(
        None,
        _names("isEnabledFor getEffectiveLevel getChild hasHandlers name level handlers parent propagate"),
        EffectKind.OUTPUT,
        True,
    ),
    "logging.LoggerAdapter": TypeFacts(None, _names("isEnabledFor getEffectiveLevel"), EffectKind.OUTPUT, True),
    "logging.Handler": TypeFacts(None, _names("format level formatter"), EffectKind.OUTPUT, True),
    "sqlite3.Connection": _CONNECTION,
    "sqlite3.Cursor": _CONNECTION,
    "socket.socket": _CONNECTION,
    "ssl.SSLSocket": _CONNECTION,
    "http.client.HTTPConnection": _CONNECTION,
    "subprocess.Popen": TypeFacts(None, _names("pid args returncode"), EffectKind.OUTPUT),
    "zipfile.ZipFile": TypeFacts(None, _names("namelist infolist getinfo"), EffectKind.OUTPUT),
    "tarfile.TarFile": TypeFacts(None, _names("getnames"), EffectKind.OUTPUT),
    "hashlib.HASH": _HASH,
    "hashlib.HASHXOF": _HASH,
    "hashlib.blake2b": _HASH,
    "hashlib.blake2s": _HASH,
    "hmac.HMAC": _HASH,
    "hashlib.HMAC": _HASH,
    "csv.reader": _STREAM,
    "csv.writer": TypeFacts(None, kind=EffectKind.OUTPUT),
    "csv.Writer": TypeFacts(None, kind=EffectKind.OUTPUT),
    "csv.DictWriter": TypeFacts(None, kind=EffectKind.OUTPUT),
    "csv.DictReader": _STREAM,
    "contextvars.ContextVar": TypeFacts(_names("set reset"), kind=EffectKind.CONTEXT, always=True),
    "contextvars.Context": TypeFacts(_names("run"), kind=EffectKind.CONTEXT, always=True),
    "decimal.Context": TypeFacts(None, _names("copy prec rounding Etiny Etop"), EffectKind.CONTEXT),
    "os._Environ": TypeFacts(_DICT.writes, kind=EffectKind.PROCESS_STATE, always=True),
    "itertools": _STREAM,
    "builtins.generator": _STREAM,
    "builtins.async_generator": _STREAM,
    "builtins.coroutine": _STREAM,
    "builtins.map": _STREAM,
    "builtins.filter": _STREAM,
    "builtins.zip": _STREAM,
    "builtins.enumerate": _STREAM,
    "builtins.reversed": _STREAM,
    "builtins.list_iterator": _STREAM,
    "builtins.tuple_iterator": _STREAM,
    "builtins.str_iterator": _STREAM,
    "builtins.range_iterator": _STREAM,
    "builtins.dict_keyiterator": _STREAM,
    "builtins.dict_valueiterator": _STREAM,
    "builtins.dict_itemiterator": _STREAM,
    "builtins.set_iterator": _STREAM,
    "builtins.callable_iterator": _STREAM,
    "zlib.Compress": _STREAM,
    "zlib.Decompress": _STREAM,
    "bz2.BZ2Compressor": _STREAM,
    "bz2.BZ2Decompressor": _STREAM,
    "lzma.LZMACompressor": _STREAM,
    "lzma.LZMADecompressor": _STREAM,
    "contextlib.ExitStack": _STREAM,
    "requests.sessions.Session": TypeFacts(None, _names("headers auth verify"), EffectKind.OUTPUT),
    "httpx._client.Client": TypeFacts(frozenset()),
    "urllib.request.OpenerDirector": TypeFacts(_names("add_handler close error"), kind=EffectKind.OUTPUT),
    "json.decoder.JSONDecoder": TypeFacts(frozenset()),
    "json.encoder.JSONEncoder": TypeFacts(frozenset()),
    "string.Formatter": TypeFacts(frozenset()),
    "ssl.SSLContext": TypeFacts(
        _names("load_cert_chain load_verify_locations set_ciphers set_alpn_protocols load_default_certs")
    ),
    "collections.abc.KeysView": TypeFacts(frozenset()),
    "types.SimpleNamespace": TypeFacts(frozenset()),
}

ANSWERS: dict[str, str] = {
    "sqlite3.Connection.blobopen": "sqlite3.Blob",
    **dict.fromkeys(
        """
        sqlite3.Connection.cursor sqlite3.Connection.execute sqlite3.Connection.executemany
        sqlite3.Connection.executescript sqlite3.Cursor.execute sqlite3.Cursor.executemany sqlite3.Cursor.executescript
        """.split(),
        "sqlite3.Cursor",
    ),
}
"""Methods of connections that give another one, which keeps nothing of what it is given either (Python's ``sqlite3``
documentation: parameters are bound to a statement, and only read)."""

ITERATORS = frozenset(
    name for name in TYPES if TYPES[name] is _STREAM and not name.startswith(("zlib", "bz2", "lzma", "contextlib"))
) | {"io._IOBase", "builtins._IOBase", "sqlite3.Cursor"}
"""Classes whose objects are used up by iterating over them."""

IMMUTABLE = frozenset(
    """
        builtins.int builtins.float builtins.complex builtins.bool builtins.str builtins.bytes builtins.tuple
        builtins.frozenset builtins.NoneType builtins.range builtins.slice builtins.ellipsis
        builtins.NotImplementedType builtins.object builtins.type builtins.function
        builtins.builtin_function_or_method builtins.method builtins.method_descriptor builtins.wrapper_descriptor
        builtins.method-wrapper builtins.classmethod_descriptor builtins.code builtins.mappingproxy
        builtins.getset_descriptor builtins.member_descriptor builtins.module builtins.property builtins.classmethod
        builtins.staticmethod builtins.dict_keys builtins.dict_values builtins.dict_items types.GenericAlias
        types.UnionType types.MappingProxyType re.Pattern re.Match struct.Struct datetime.date datetime.time
        datetime.datetime datetime.timedelta datetime.tzinfo datetime.timezone decimal.Decimal fractions.Fraction
        uuid.UUID pathlib.PurePath pathlib._local.PurePath ipaddress._IPAddressBase zoneinfo.ZoneInfo string.Template
        operator.itemgetter operator.attrgetter operator.methodcaller functools.partial functools._lru_cache_wrapper
        numpy.dtype numpy.ufunc numpy.generic enum.Enum os.stat_result os.DirEntry time.struct_time
        dataclasses._HAS_DEFAULT_FACTORY_CLASS dataclasses._MISSING_TYPE typing.TypeVar typing._GenericAlias
        weakref.ReferenceType numpy._ArrayFunctionDispatcher numpy.iinfo numpy.finfo inspect._empty
        textwrap.TextWrapper
    """.split()
)
"""Classes whose objects never change: no method and no in-place operator does."""
