"""A program that is killed in the middle of a map with a checkpoint; run again, it goes on.

Arguments: the folder of the files that items leave, one for each run; the checkpoint; the backend. What the map hands
out is noted in the file ``handed-out`` of the same folder.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from autopar import parallel

ITEMS = 12
FATAL = 7


@parallel
def item(x: int, folder: str) -> dict[str, Any]:
    """Leave a file for each run; one item ends the whole program the first time."""
    time.sleep(0.005)
    before = len([name for name in os.listdir(folder) if name.startswith(f"{x}-")])
    Path(folder, f"{x}-{before}").touch()
    if x == FATAL and not before:
        os.kill(int(Path(folder, "program").read_text()), signal.SIGKILL)
        time.sleep(60)
    return {"x": x, "square": x * x}


def main(folder: str, checkpoint: str, backend: str) -> None:
    """Run the map and note what it hands out."""
    Path(folder, "program").write_text(f"{os.getpid()}")
    results = item.imap((x for x in range(ITEMS)), folder=folder, checkpoint=checkpoint, backend=backend, workers=2)
    with open(os.path.join(folder, "handed-out"), "a") as notes:
        for result in results:
            notes.write(f"{result['x']} {result['square']}\n")
            notes.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
