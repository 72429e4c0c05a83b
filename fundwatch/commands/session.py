"""What a command works on: the configuration, the database, and the world (real or demo)."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from fundwatch.config import Config, ConfigError, config_path, database_path, load_config

if TYPE_CHECKING:
    from fundwatch.demo.world import DemoWorld

REAL = "real"


@dataclass(frozen=True, slots=True)
class Session:
    """`world` is stamped into the database, so that real and demo data never mix."""

    config: Config
    database: Path
    demo: bool

    @property
    def world(self) -> str:
        return f"demo:{self.config.demo.seed}" if self.demo else REAL


def open_session(config_file: str | None, database: str | None, *, demo: bool) -> Session:
    """Reads the configuration; raises `ConfigError`."""
    config = load_config(config_path(config_file, os.environ))
    return Session(config, database_path(database, os.environ, config, demo=demo), demo)


@contextmanager
def exchanges_served(session: Session) -> Iterator[Session]:
    """The session with addresses to ask: as configured, or those of a demo world that lives inside.

    Raises `ConfigError` for demo faults that do not exist.
    """
    if not session.demo:
        yield session
        return
    from fundwatch.demo.world import DemoWorld

    demo = session.config.demo
    try:
        world = DemoWorld(seed=demo.seed, scale=demo.scale, faults=demo.faults)
    except (ValueError, KeyError) as error:
        raise ConfigError(f"demo.faults: {error.args[0]}") from None
    world.start()
    try:
        yield replace(session, config=_pointed_at(world, session.config))
    finally:
        world.stop()


def _pointed_at(world: "DemoWorld", config: Config) -> Config:
    """The same configuration with every exchange at its demo server, at the demo's pace."""
    sections = {
        name: msgspec.structs.replace(
            config.exchange(name), base_url=url, budget_scale=config.demo.scale, proxy=""
        )
        for name, url in world.base_urls.items()
    }
    return msgspec.structs.replace(config, exchanges=sections)
