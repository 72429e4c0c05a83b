"""Exchanges that answer in their own format, with hostile text in the place of every so many words."""

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from typing import Any

from fundwatch.demo.world import DemoWorld

_SPOILED_EVERY = 9
_HARMLESS = 2000
"""Longer strings would fill the answers with themselves."""


class _Spoiler:
    """Puts hostile text into answers, on the way from a demo exchange."""

    def __init__(self, base_url: str, strings: Sequence[str]) -> None:
        self.base_url = base_url
        self._strings = cycle([text for text in strings if len(text) < _HARMLESS])
        self._count = 0
        self._answers = 0

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """Every third answer is an error that says something hostile."""
        self._answers += 1
        if self._answers % 3 == 0:
            words = next(self._strings)
            told = {"code": words, "msg": words, "message": words, "error": {"code": words, "message": words}}
            return 400, json.dumps(told | {"status": words}).encode()
        request = urllib.request.Request(self.base_url + path, body or None, method=method)
        request.add_header("Content-Type", "application/json")
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return 200, json.dumps(self._spoiled(json.load(response))).encode()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def _spoiled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._spoiled(part) for name, part in value.items()}
        if isinstance(value, list):
            return [self._spoiled(part) for part in value]
        if isinstance(value, str):
            self._count += 1
            if self._count % _SPOILED_EVERY == 0:
                return next(self._strings)
        return value


def _handler(spoiler: _Spoiler) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            status, answer = spoiler.answer(self.command, self.path, body)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST = _answer

        def log_message(self, format: str, *args: object) -> None:
            pass

    return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that has gone is no news."""


@contextmanager
def spoiled_world(exchanges: Sequence[str], strings: Sequence[str]) -> Iterator[Mapping[str, str]]:
    """Addresses by exchange; behind each a demo exchange whose answers are spoiled."""
    world = DemoWorld(seed=7, scale=1000.0, exchanges=tuple(exchanges))
    world.start()
    with ExitStack() as stack:
        stack.callback(world.stop)
        urls = {}
        for name in exchanges:
            handler = _handler(_Spoiler(world.base_urls[name], strings))
            server = _Server(("127.0.0.1", 0), handler)
            thread = threading.Thread(target=server.serve_forever, name=f"spoiled {name}", daemon=True)
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            urls[name] = f"http://127.0.0.1:{server.server_port}"
        yield urls
