"""A demo world in a process of its own, so that its work is not measured with ours."""

import gzip
import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from multiprocessing.connection import Connection
from typing import Any

from fundwatch.demo.venues.base import Request, Venue
from fundwatch.demo.world import VENUES, DemoWorld


@contextmanager
def served(
    scale: float, delay_seconds: float, *, ready_made: bool = False
) -> Iterator[tuple[dict[str, str], Connection]]:
    """Addresses by exchange; a name sent to the connection is answered with (path, status) of its requests.

    `ready_made` answers are made and compressed once: a real exchange does not work on our two cores.
    """
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(
        target=_serve, args=(theirs, scale, delay_seconds, ready_made), daemon=True
    )
    process.start()
    try:
        yield ours.recv(), ours
    finally:
        ours.send(None)
        process.join(10)


def _serve(pipe: Connection, scale: float, delay_seconds: float, ready_made: bool) -> None:
    if ready_made:
        gzip.compress = lru_cache(256)(gzip.compress)  # type: ignore[assignment]
        for kind in VENUES:
            _remember(kind)
    world = DemoWorld(scale=scale).start()
    for name in world.base_urls:
        world.delay(name, delay_seconds)
    pipe.send(world.base_urls)
    while (name := pipe.recv()) is not None:
        pipe.send([(asked.path, asked.status) for asked in world.log(name)])
    world.stop()


def _remember(kind: type[Venue]) -> None:
    make = kind.answer
    known: dict[Any, Any] = {}

    def answer(venue: Venue, request: Request, now: float) -> Any:
        key = (request.path, str(request.params), request.body)
        if key not in known:
            known[key] = make(venue, request, now)
        return known[key]

    setattr(kind, "answer", answer)  # noqa: B010 - an assignment would not type-check
