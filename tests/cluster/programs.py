"""Programs that use a cluster, as texts."""

from __future__ import annotations

MAPS = """
import sys
import autopar

@autopar.parallel
def squared(x):
    return x * x

if {guard}:
    print(squared.map(range(100), backend="dask", cluster=sys.argv[1]) == [x * x for x in range(100)])
"""

IMPORTS = """
import sys
import autopar
autopar.map(abs, range(10))
print(sorted({"dask", "distributed", "tornado"} & set(sys.modules)))
"""

STAYS = """
import os, sys
import autopar

def work(x):
    return x

autopar.map(work, range(10), backend="dask", cluster="local")
from autopar._backends.dask import connections
client = connections.connect("local").client
pids = [*client.run(os.getpid).values()]
children = autopar.map(lambda x: os.getpid(), range(10), backend="dask", cluster="local")
print(*{*pids, *children}, flush=True)
sys.stdin.read()
"""

WAITS = """
import os, sys, time
import autopar

def rest(x):
    open(os.path.join(sys.argv[1], str(os.getpid())), "w").close()
    time.sleep(600)

autopar.map(rest, range(4), backend="dask", cluster=sys.argv[2])
"""
