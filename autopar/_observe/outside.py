"""Calls that reach beyond the process: to files, other machines, other programs, or facts of this machine.

The effect analysis leaves the outside world out, since items that run once each do to it what the loop does. It counts
where an item may run twice, and where it may run on another machine.
"""

from __future__ import annotations

_REACHES = """
    open io.open io.FileIO io.open_code os pathlib shutil tempfile glob fileinput filecmp linecache mmap fcntl
    gzip.open gzip.GzipFile bz2.open bz2.BZ2File lzma.open lzma.LZMAFile zipfile tarfile shelve dbm mailbox tomllib.load
    socket ssl socketserver select selectors subprocess multiprocessing pty signal platform getpass pwd grp
    http urllib.request xmlrpc ftplib imaplib poplib smtplib nntplib telnetlib webbrowser wsgiref
    requests httpx httpcore aiohttp urllib3 websocket websockets grpc paramiko boto3 botocore s3fs fsspec
    sqlite3 psycopg psycopg2 asyncpg pymysql MySQLdb mysql pymongo redis sqlalchemy elasticsearch kafka pika
    numpy.load numpy.save numpy.savez numpy.savez_compressed numpy.loadtxt numpy.savetxt numpy.genfromtxt
    numpy.fromfile numpy.memmap pandas.read_csv pandas.read_parquet pandas.read_excel pandas.read_json pandas.read_sql
    PIL.Image.open cv2.imread cv2.imwrite input
"""

_STAYS = """
    os.path.join os.path.split os.path.splitext os.path.basename os.path.dirname os.path.normpath os.path.commonprefix
    os.fspath os.fsencode os.fsdecode os.environ os.getenv os.getcwd pathlib.PurePath pathlib.PurePosixPath
    pathlib.PureWindowsPath posixpath ntpath
"""
"""Of the same modules, what only works on texts, and what the caller's surroundings carry along."""

_TABLE = {**dict.fromkeys(_REACHES.split(), True), **dict.fromkeys(_STAYS.split(), False)}


def reaches_outside(call: str) -> bool:
    """Whether a library call, by its dotted name, reaches beyond the process, as far as it is known.

    Examples
    --------
    >>> reaches_outside("pathlib.Path"), reaches_outside("posix.mkdir"), reaches_outside("os.path.join")
    (True, True, False)
    >>> reaches_outside("json.dumps")
    False
    """
    parts = call.removeprefix("builtins.").split(".")
    if parts[0] in ("posix", "nt", "_io"):
        parts[0] = "io" if parts[0] == "_io" else "os"
    parts[0] = parts[0].lstrip("_")
    for length in range(len(parts), 0, -1):
        known = _TABLE.get(".".join(parts[:length]))
        if known is not None:
            return known
    return False
