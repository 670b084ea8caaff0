"""A small web server on this machine whose every page takes 15 ms, for ``fetch_pages.py`` to fetch from.

It serves until its standard input closes, so it ends with the program that started it.
"""

from __future__ import annotations

import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server(ThreadingHTTPServer):
    """Answers each request on a thread of its own."""

    daemon_threads = True
    request_queue_size = 1024  # connections that may wait to be accepted; the default of 5 turns a crowd away


class Page(BaseHTTPRequestHandler):
    """Any path is a page that repeats it."""

    def do_GET(self) -> None:
        """Think for 15 ms, then answer."""
        time.sleep(0.015)
        text = f"This is page {self.path}.".encode()
        self.send_response_only(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def main() -> None:
    """Serve on a free port, and print the address."""
    with Server(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(f"127.0.0.1:{server.server_port}", flush=True)
        sys.stdin.read()
        server.shutdown()


if __name__ == "__main__":
    main()
