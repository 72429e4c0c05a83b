"""The thread that keeps a collector for the screen, with a real collector."""

from pathlib import Path

from textual.message import Message

from fundwatch.collector.events import CollectorStarted, Event
from fundwatch.commands.session import Session, exchanges_served
from fundwatch.config import Config, Demo, ExchangeSection
from fundwatch.exchanges import REGISTRY
from fundwatch.tui.link import Link
from fundwatch.tui.messages import Linked
from tests.collector.office import wait_until


def test_what_a_collector_says_first_is_heard_before_a_slow_screen_looks(tmp_path: Path) -> None:
    exchanges = {name: ExchangeSection(enabled=name == "extended") for name in REGISTRY}
    config = Config(exchanges=exchanges, demo=Demo(scale=1000))
    session = Session(config, tmp_path / "fundwatch.db", demo=True)
    heard: list[Event] = []
    waiting: list[Message] = []  # a screen that is still being built answers none of them
    link = Link(
        session.database, session.world, lambda: exchanges_served(session), waiting.append, heard.append
    )
    link.start()
    try:
        wait_until(lambda: any(isinstance(m, Linked) and m.role == "collector" for m in waiting), 20)
        wait_until(lambda: bool(heard), 20)  # the collector's own thread says it, maybe a moment later
        assert isinstance(heard[0], CollectorStarted)
    finally:
        link.stop()
