"""What is known of library calls before anything is measured: do they wait, release the GIL, or hold it?

An entry stands for itself and for everything below its dotted name; the longest entry that fits wins. A name of the
standard library that no entry fits holds the GIL. Reading and writing files is not among the calls that wait: out of
the page cache it does not, and where it does the samples say so.
"""

from __future__ import annotations

import enum
import sys


class Known(enum.Enum):
    """What a call is known to do with its time."""

    BLOCKS = "waits"
    RELEASES = "releases the GIL while it computes"
    HOLDS = "holds the GIL"
    FOREIGN = "not known"


# Calls whose documentation says that they wait for time, a lock, another process, a device or a server, and libraries
# that exist to talk to one.
_BLOCKS = """
    time.sleep input getpass.getpass select selectors signal.pause signal.sigwait signal.sigwaitinfo signal.sigtimedwait
    os.system os.popen os.wait os.wait3 os.wait4 os.waitid os.waitpid os.fsync os.fdatasync os.sync os.sendfile
    subprocess multiprocessing fcntl.flock fcntl.lockf
    queue.Queue.get queue.Queue.put queue.Queue.join queue.SimpleQueue.get
    threading.Thread.join threading.Event.wait threading.Condition.wait threading.Condition.wait_for
    threading.Barrier.wait
    threading.Semaphore.acquire threading.Lock.acquire threading.RLock.acquire
    concurrent.futures.wait concurrent.futures.as_completed concurrent.futures.Future.result
    asyncio anyio trio
    socket ssl socketserver http.client urllib.request xmlrpc.client ftplib imaplib poplib smtplib nntplib telnetlib
    requests httpx httpcore aiohttp urllib3 websocket websockets grpc paramiko boto3 botocore s3fs
    sqlite3 psycopg psycopg2 asyncpg pymysql MySQLdb mysql pymongo redis sqlalchemy elasticsearch kafka pika
"""

# zlib, gzip, bz2, lzma, compression.zstd, binascii.crc32: Py_BEGIN_ALLOW_THREADS in CPython's Modules/zlibmodule.c,
#     _bz2module.c, _lzmamodule.c, _zstd/ and binascii.c (checksums from 5 KiB on).
# hashlib, hmac: library reference of hashlib ("the Python GIL is released for data larger than 2047 bytes").
# numpy: reference, "Thread Safety" ("many NumPy operations release the GIL"); not for arrays of objects.
# PIL: Pillow handbook, "Thread safety" ("many operations on an image release the global interpreter lock").
# cv2: OpenCV, modules/python/src2/cv2_util.hpp (PyAllowThreads in ERRWRAP2).
# lz4: README ("the bindings drop the GIL"). zstandard: Py_BEGIN_ALLOW_THREADS in c-ext/.
# regex: README, "Multithreading".
_RELEASES = """
    zlib gzip.compress gzip.decompress gzip.GzipFile bz2 lzma compression.zstd compression.zlib compression.bz2
    compression.lzma binascii.crc32 hashlib hmac
    numpy PIL cv2 lz4 zstandard regex
"""

# numpy: these build arrays from Python objects, make text, call back into Python, or share the lock of the global
# generator.
# orjson: its README ("the global interpreter lock (GIL) is held for the duration of the call").
_HOLDS = """
    numpy.array numpy.asarray numpy.asanyarray numpy.fromiter numpy.fromfunction numpy.vectorize numpy.frompyfunc
    numpy.apply_along_axis numpy.apply_over_axes numpy.piecewise numpy.ndarray.tolist numpy.ndarray.item
    numpy.loadtxt numpy.savetxt numpy.genfromtxt numpy.array2string numpy.array_repr numpy.array_str numpy.char
    numpy.random.seed numpy.random.mtrand
    orjson
"""

_TABLE: dict[str, Known] = {
    **dict.fromkeys(_BLOCKS.split(), Known.BLOCKS),
    **dict.fromkeys(_RELEASES.split(), Known.RELEASES),
    **dict.fromkeys(_HOLDS.split(), Known.HOLDS),
}

# Where CPython implements a public name elsewhere, the name of its implementation; a leading underscore is handled
# below.
_PUBLIC = {
    "posix": "os",
    "nt": "os",
    "_thread.lock": "threading.Lock",
    "_thread.RLock": "threading.RLock",
    "_md5": "hashlib",
    "_sha1": "hashlib",
    "_sha2": "hashlib",
    "_sha256": "hashlib",
    "_sha512": "hashlib",
    "_sha3": "hashlib",
    "_blake2": "hashlib",
    "_zstd": "compression.zstd",
    "concurrent.futures._base": "concurrent.futures",
}


def classify_call(name: str) -> Known:
    """Say what a library callable is known to do.

    Parameters
    ----------
    name
        Its dotted name, by which it is imported or under which CPython implements it.

    Examples
    --------
    >>> classify_call("time.sleep"), classify_call("_hashlib.openssl_sha256")
    (<Known.BLOCKS: 'waits'>, <Known.RELEASES: 'releases the GIL while it computes'>)
    >>> classify_call("re.Pattern.sub"), classify_call("company.model.predict")
    (<Known.HOLDS: 'holds the GIL'>, <Known.FOREIGN: 'not known'>)
    """
    parts = _public_name(name).split(".")
    for length in range(len(parts), 0, -1):
        known = _TABLE.get(".".join(parts[:length]))
        if known is not None:
            return known
    return Known.HOLDS if _is_standard(name) else Known.FOREIGN


def _public_name(name: str) -> str:
    name = name.removeprefix("builtins.")
    for private, public in _PUBLIC.items():
        if name == private or name.startswith(private + "."):
            return public + name[len(private) :]
    return name.lstrip("_")


def _is_standard(name: str) -> bool:
    """Tell a name of the standard library or a builtin; ctypes is neither, it calls what is not CPython's."""
    first, dot, _ = name.partition(".")
    builtin = not dot or first in _BUILTIN_TYPES
    return first not in ("ctypes", "_ctypes") and (builtin or first in sys.stdlib_module_names)


_BUILTIN_TYPES = frozenset(
    name for name, value in vars(sys.modules["builtins"]).items() if isinstance(value, type)
)  # "str.join", "dict.get" come without their module
