"""The configuration: TOML -> typed values. Every default of a key lives here.

An exchange's own defaults (address, minute, fee) are facts of its module; a key left out leaves them.
"""

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import SplitResult, urlsplit

import msgspec
from platformdirs import user_config_path, user_data_path

from fundwatch.exchanges import REGISTRY
from fundwatch.models import AssetClass
from fundwatch.text import is_symbol

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LARGEST_FILE = 1 << 20
_LONGEST = {"stale_after": "30d", "quotes_every": "1h"}
FEWEST_RETENTION_DAYS = 30
"""As in `storage.retention`, which reading a configuration need not load; a test holds the two together."""


class ConfigError(Exception):
    """What is wrong, in which file and key, and the nearest valid name."""


class Section(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A table of the file; an unknown key in it is an error."""


class Database(Section, frozen=True):
    path: str = ""
    """"" is the user's data folder."""


class Collector(Section, frozen=True):
    """Durations read `90s`, `5m`, `2h`, `1d`."""

    stale_after: str = "2h"
    quotes_every: str = "5m"
    history_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] = 30
    market_history_days: Annotated[int, msgspec.Meta(ge=1, le=36500)] = 400
    retention_days: Annotated[int, msgspec.Meta(ge=0, le=36500)] = 0
    """0 keeps every settlement."""

    @property
    def stale_after_seconds(self) -> int:
        return duration_seconds(self.stale_after)

    @property
    def quotes_every_seconds(self) -> int:
        return duration_seconds(self.quotes_every)


class ExchangeSection(Section, frozen=True):
    """What is None is a fact of the exchange's module. Fees and resting APRs are in percent."""

    enabled: bool = True
    base_url: str | None = None
    minute: Annotated[int, msgspec.Meta(ge=0, le=59)] | None = None
    budget_scale: Annotated[float, msgspec.Meta(gt=0, le=1000)] = 1.0
    proxy: str = ""
    taker_fee_percent: Annotated[float, msgspec.Meta(ge=-1, le=5)] | None = None
    unit_baseline_percent: Annotated[float, msgspec.Meta(gt=0, le=1000)] | None = None
    dexes: tuple[str, ...] = ("*",)


class Assets(Section, frozen=True):
    """Corrections to what markets are about; keys are `exchange:SYMBOL`."""

    ticker: dict[str, str] = {}
    asset_class: dict[str, AssetClass] = msgspec.field(default_factory=dict, name="class")
    multiplier: dict[str, Annotated[float, msgspec.Meta(gt=0)]] = {}
    different: tuple[str, ...] = ()


class Demo(Section, frozen=True):
    """`scale` multiplies the demo servers' limits and our own pace alike; `faults` are by exchange."""

    seed: int = 7
    scale: Annotated[float, msgspec.Meta(ge=1, le=10000)] = 100.0
    faults: dict[str, str] = {}


class Display(Section, frozen=True):
    """How the dashboard looks. `columns`: "fit" leaves the less important ones out of a narrow screen,
    "all" keeps every one within reach of the arrow keys."""

    theme: str = "textual-dark"
    local_time: bool = False
    mouse: bool = True
    columns: Literal["fit", "all"] = "fit"


class Config(Section, frozen=True):
    """`keys` maps commands of the dashboard to keys; which commands there are only the dashboard knows."""

    database: Database = Database()
    collector: Collector = Collector()
    exchanges: dict[str, ExchangeSection] = {}
    assets: Assets = Assets()
    demo: Demo = Demo()
    display: Display = Display()
    keys: dict[str, Annotated[str, msgspec.Meta(min_length=1, max_length=100)]] = {}

    def exchange(self, name: str) -> ExchangeSection:
        return self.exchanges.get(name, _DEFAULT_EXCHANGE)

    def enabled(self) -> list[str]:
        return [name for name in REGISTRY if self.exchange(name).enabled]


_DEFAULT_EXCHANGE = ExchangeSection()


def duration_seconds(text: str) -> int:
    """`90s`, `5m`, `2h`, `1d` in seconds; raises `ConfigError` for anything else."""
    found = _DURATION.fullmatch(text.strip())
    if not found:
        raise ConfigError(f"{text!r} is not a duration: write a number and s, m, h or d, such as 5m or 2h")
    return int(float(found[1]) * _SECONDS[found[2]])


def config_path(given: str | None, environment: Mapping[str, str]) -> Path | None:
    """The file to read: `--config`, $FUNDWATCH_CONFIG, the user's folder, or None where there is none."""
    named = given or environment.get("FUNDWATCH_CONFIG")
    if named:
        return Path(named).expanduser()
    usual = user_config_path("fundwatch") / "config.toml"
    return usual if usual.exists() else None


def database_path(given: str | None, environment: Mapping[str, str], config: Config, *, demo: bool) -> Path:
    """The database: `--db`, $FUNDWATCH_DB, `[database] path`, or the user's data folder.

    The demo world has a file of its own unless `--db` names one.
    """
    default = user_data_path("fundwatch") / ("fundwatch-demo.db" if demo else "fundwatch.db")
    named = given or ("" if demo else environment.get("FUNDWATCH_DB") or config.database.path)
    return Path(named).expanduser() if named else default


def load_config(path: Path | None, environment: Mapping[str, str] = os.environ) -> Config:
    """The configuration in `path`, or the defaults; raises `ConfigError` naming file and key."""
    if path is None:
        return Config()
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise ConfigError(f"{path}: larger than {_LARGEST_FILE >> 20} MB, this is no configuration")
        table = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None
    try:
        return parse(table, environment)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def parse(table: dict[str, Any], environment: Mapping[str, str]) -> Config:
    """A decoded TOML document as configuration, with `${NAME}` taken from the environment."""
    table = _resolved(table, environment, "")
    sections = table.pop("exchanges", {})
    if not isinstance(sections, dict):
        raise ConfigError("exchanges: expected a table for each exchange, such as [exchanges.lighter]")
    exchanges = {}
    for name, section in sections.items():
        if name not in REGISTRY:
            raise ConfigError(f"exchanges.{name}: no such exchange{_nearest(name, REGISTRY)}")
        exchanges[name] = _converted(section, ExchangeSection, f"exchanges.{name}")
        _check_exchange(name, exchanges[name])
    config = msgspec.structs.replace(_converted(table, Config, ""), exchanges=exchanges)
    for key, most in _LONGEST.items():
        try:
            if not 60 <= duration_seconds(getattr(config.collector, key)) <= duration_seconds(most):
                raise ConfigError(f"from 1m to {most}")
        except ConfigError as error:
            raise ConfigError(f"collector.{key}: {error}") from None
    _check_retention(config.collector)
    _check_assets(config.assets)
    return config


def _resolved(value: Any, environment: Mapping[str, str], path: str) -> Any:
    if isinstance(value, dict):
        return {k: _resolved(v, environment, f"{path}.{k}".lstrip(".")) for k, v in value.items()}
    if isinstance(value, list):
        return [_resolved(v, environment, path) for v in value]
    if isinstance(value, str) and (found := re.fullmatch(r"\$\{(\w+)\}", value)):
        if found[1] not in environment:
            raise ConfigError(f"{path}: the environment has no {found[1]}")
        return environment[found[1]]
    return value


T = TypeVar("T", bound=msgspec.Struct)


def _converted(table: Any, shape: type[T], prefix: str) -> T:
    """`table` as `shape`; raises `ConfigError` with the whole key first and the nearest valid one."""
    try:
        return msgspec.convert(table, shape)
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at `$")
    key = ".".join(filter(None, [prefix, path.strip("`.").replace("[...]", "")]))
    if found := re.search(r"unknown field `(.+)`", what):
        names = _SHAPES.get(key.split(".")[0], shape).__struct_encode_fields__
        raise ConfigError(
            f"{'.'.join(filter(None, [key, found[1]]))}: no such key{_nearest(found[1], names)}"
        )
    if found := re.search(r"[Ii]nvalid enum value '(.*)'", what):
        raise ConfigError(f"{key}: no such class: {found[1]}{_nearest(found[1], list(AssetClass))}")
    what = what.replace("`object`", "a table").replace("`array`", "a list").replace("`str`", "text")
    raise ConfigError(f"{key or 'the file'}: {what[:1].lower()}{what[1:]}")


_SHAPES: dict[str, type[msgspec.Struct]] = {
    "database": Database,
    "collector": Collector,
    "assets": Assets,
    "demo": Demo,
    "display": Display,
}


def _nearest(name: str, names: Iterable[str]) -> str:
    from difflib import get_close_matches  # only for those who mistyped

    found = get_close_matches(name, list(names), n=1)
    return f"; did you mean {found[0]}?" if found else f"; there are {', '.join(names)}"


def _check_retention(collector: Collector) -> None:
    fewest = max(FEWEST_RETENTION_DAYS, collector.history_days)
    if 0 < collector.retention_days < fewest:
        raise ConfigError(
            f"collector.retention_days: 0 keeps everything; to delete what is older, at least {fewest} (the "
            f"longest window has {FEWEST_RETENTION_DAYS} days, and history_days is {collector.history_days})"
        )


def _check_exchange(name: str, section: ExchangeSection) -> None:
    key = f"exchanges.{name}"
    if section.base_url is not None:
        _check_base_url(f"{key}.base_url", section.base_url)
    if section.proxy and _address(section.proxy) is None:
        raise ConfigError(f"{key}.proxy: not http://host:port or https://host:port")
    if section.dexes != ExchangeSection().dexes and name != "hyperliquid":
        raise ConfigError(f"{key}.dexes: only hyperliquid has builder dexes")


def _check_base_url(key: str, url: str) -> None:
    parts = _address(url)
    if parts is None:
        raise ConfigError(f"{key}: {url!r} is not scheme://host[:port]")
    if parts.path not in ("", "/") or parts.query or parts.fragment or parts.username:
        raise ConfigError(f"{key}: only scheme://host[:port]; fundwatch adds the path")
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise ConfigError(f"{key}: plain http goes to this machine only; use https")


def _address(url: str) -> SplitResult | None:
    """The parts of an http or https address; None for anything else."""
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return None
    host = parts.hostname
    if parts.scheme not in ("http", "https") or not host or not port_is_fine:
        return None
    return parts if url.isprintable() and " " not in url else None


def _is_loopback(host: str) -> bool:
    from ipaddress import ip_address

    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _check_assets(assets: Assets) -> None:
    for key in (*assets.ticker, *assets.asset_class, *assets.multiplier, *assets.different):
        exchange, colon, symbol = key.partition(":")
        if not colon or not symbol:
            raise ConfigError(f"assets: {key!r} is not exchange:SYMBOL")
        if exchange not in REGISTRY:
            raise ConfigError(f"assets: {key!r}: no such exchange{_nearest(exchange, REGISTRY)}")
    for key, ticker in assets.ticker.items():
        if not is_symbol(ticker) or ticker != ticker.upper():
            raise ConfigError(f"assets.ticker: {key!r}: {ticker!r} is not a ticker such as PEPE")
