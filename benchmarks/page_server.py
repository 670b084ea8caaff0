"""A web server for ``main_job.py``: a thread for each connection, 15 ms for each page, and little work besides.

``http.server`` computes about as long over a request as a client does; on two cores that would be a measurement of the
server. It serves until its standard input closes.
"""

from __future__ import annotations

import sys
import threading
import time
from socketserver import StreamRequestHandler, ThreadingTCPServer

PAGE_SECONDS = 0.015


class Server(ThreadingTCPServer):
    """Answers each connection on a thread of its own."""

    daemon_threads = True
    request_queue_size = 1024


class Page(StreamRequestHandler):
    """One request, one page that repeats its path."""

    def handle(self) -> None:
        """Read the request's head, wait, answer and close."""
        path = self.rfile.readline().split()[1]
        while self.rfile.readline().strip():
            pass
        time.sleep(PAGE_SECONDS)
        self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(path), path))


def main() -> None:
    """Serve on a free port, and print it."""
    with Server(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_address[1], flush=True)
        sys.stdin.read()
        server.shutdown()


if __name__ == "__main__":
    main()
