"""What a screen does with a seat."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fundwatch.collector.events import Event, Trouble
from fundwatch.collector.seat import Seat, take_seat
from fundwatch.commands.session import Session
from fundwatch.config import Config, Demo, ExchangeSection
from fundwatch.exchanges import REGISTRY
from tests.collector.office import wait_until
from tests.virtual_time import VirtualClock

OFF = Config(exchanges={name: ExchangeSection(enabled=False) for name in REGISTRY}, demo=Demo(scale=1000))


class Screen:
    """What a screen would do with a seat; its own collector has no exchanges unless `config` has."""

    def __init__(self, database: Path, config: Config = OFF) -> None:
        self.clock = VirtualClock()
        self.said: list[str] = []
        self.heard: list[Event] = []
        self.served = 0
        self.left = 0
        self.session = Session(config, database, demo=True)
        self.seat: Seat = take_seat(
            database, self.session.world, self._serve, say=self.said.append, clock=self.clock
        )
        self.seat.listen(self.heard.append)

    @contextmanager
    def _serve(self) -> Iterator[Session]:
        self.served += 1
        yield self.session
        self.left += 1

    def poll_until(self, true: Callable[[], bool]) -> None:
        def look() -> bool:
            self.seat.poll()
            return true()

        wait_until(look, 20)

    def role(self) -> str:
        return self.seat.role

    def can_ask(self) -> bool:
        return self.seat.acknowledge([]).exception(10) is None

    def troubles(self) -> list[str]:
        return [event.message for event in self.heard if isinstance(event, Trouble)]

    def heard_of(self, kind: type) -> int:
        return sum(isinstance(event, kind) for event in self.heard)
