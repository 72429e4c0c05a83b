"""What belongs to one person's screen: stars, sort, columns, filter. A small file, not the database."""

import os
from collections.abc import Callable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Protocol, runtime_checkable

import msgspec
from platformdirs import user_state_path

Asset = tuple[str, str]
"""Ticker and class."""


class Sort(msgspec.Struct, frozen=True, forbid_unknown_fields=False):
    """`column` None is the order in which rows come."""

    column: str | None
    descending: bool


class ScreenState(msgspec.Struct, frozen=True):
    """`sorts` are by the name of a table, `asset_class` None shows every class,
    `legend` None shows it where there is room."""

    starred: frozenset[Asset] = frozenset()
    sorts: dict[str, Sort] = {}
    asset_class: str | None = None
    heat_map: bool = False
    all_columns: bool = False
    legend: bool | None = None


def state_path() -> Path:
    return user_state_path("fundwatch") / "screen.json"


@runtime_checkable
class HasScreenState(Protocol):
    """What the app is to one who needs what belongs to the person."""

    screen_state: "StateFile"


def state_of(app: object) -> "StateFile":
    """The app's state; for an app that keeps none, one that is forgotten."""
    return app.screen_state if isinstance(app, HasScreenState) else StateFile()


class StateFile:
    """The state and the file behind it; without a path it is forgotten at the end.

    A file that cannot be read is left aside: `notice` says so, once, for the person.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._notice: str | None = None
        self._told: set[str] = set()
        self.state = self._read() or ScreenState()

    def take_notice(self) -> str | None:
        """What went wrong since the last call, as a sentence."""
        notice, self._notice = self._notice, None
        return notice

    def change(self, changed: Callable[[ScreenState], ScreenState]) -> None:
        """Applies `changed` to what the file holds now, since another screen may have written it, and
        puts the file in its place whole."""
        current = self.state if self._path is None else self._read() or self.state
        self.state = changed(current)
        if self._path is not None and self.state != current:
            try:
                _replace(self._path, msgspec.json.format(msgspec.json.encode(self.state)))
            except OSError as error:
                self._tell(f"{self._path}: cannot be written ({error.strerror}); stars and sort are not kept")

    def _read(self) -> ScreenState | None:
        if self._path is None:
            return None
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=ScreenState)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._tell(f"{self._path}: cannot be read ({error.strerror}); stars and sort start anew")
        except (msgspec.DecodeError, UnicodeDecodeError):
            self._tell(f"{self._path} is damaged: stars and sort start anew")
        return None

    def _tell(self, sentence: str) -> None:
        if sentence not in self._told:
            self._told.add(sentence)
            self._notice = sentence


def _replace(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, prefix=path.name, suffix=".new", delete=False) as file:
        try:
            file.write(content)
            file.close()
            os.replace(file.name, path)
        except BaseException:
            os.unlink(file.name)
            raise
