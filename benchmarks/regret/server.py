"""A web server for the workloads that fetch: ``python -m benchmarks.regret.server SECONDS [AT_ONCE [REFUSES]]``.

It serves like ``benchmarks/page_server.py`` until its standard input closes. With ``AT_ONCE`` it works on so many
requests at a time: others wait for their turn, or are refused after ``REFUSES`` seconds.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from socketserver import StreamRequestHandler

from benchmarks.page_server import Server

ROOT = Path(__file__).parents[2]


def start_server(stack: ExitStack, seconds: float, at_once: int = 0, refuses: float = 0.0) -> str:
    """Start the server, a process of its own that ends with the stack; give its address, ``host:port``."""
    command = [sys.executable, "-m", "benchmarks.regret.server", str(seconds), str(at_once), str(refuses)]
    process = stack.enter_context(
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True)
    )
    assert process.stdout is not None
    return f"127.0.0.1:{int(process.stdout.readline())}"


def main() -> None:
    """Serve on a free port, and print it."""
    seconds, at_once, refuses = float(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    turns = threading.Semaphore(at_once or 1 << 20)

    class Page(StreamRequestHandler):
        """One request, one page that repeats its path."""

        def handle(self) -> None:
            path = self.rfile.readline().split()[1]
            while self.rfile.readline().strip():
                pass
            if not turns.acquire(blocking=not refuses):
                time.sleep(refuses)
                self.wfile.write(b"HTTP/1.0 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
                return
            try:
                time.sleep(seconds)
            finally:
                turns.release()
            self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(path), path))

    with Server(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_address[1], flush=True)
        sys.stdin.read()
        server.shutdown()


if __name__ == "__main__":
    main()
