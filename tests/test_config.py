"""The configuration: where it comes from, what it means, and what it says of a mistake."""

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fundwatch.config import (
    Collector,
    Config,
    ConfigError,
    ExchangeSection,
    config_path,
    database_path,
    duration_seconds,
    load_config,
    parse,
)
from fundwatch.demo.faults import from_mapping
from fundwatch.exchanges import REGISTRY, load
from fundwatch.models import AssetClass

EXAMPLE = Path(__file__).parent.parent / "config.example.toml"
_COMMENTED_KEY = re.compile(r'^# ((?:"[^"]+"|\w+) = .*)$', re.MULTILINE)


def parsed(**table: Any) -> Config:
    return parse(table, {})


def complaint(**table: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(table, {})
    return str(caught.value)


# The example


def test_the_example_is_exactly_the_built_in_defaults() -> None:
    expected = {}
    for name in REGISTRY:
        facts = load(name).facts
        expected[name] = ExchangeSection(
            base_url=facts.base_url, minute=facts.minute, taker_fee_percent=facts.taker_fee_percent
        )
    assert load_config(EXAMPLE, {}) == Config(exchanges=expected)


def test_the_example_shows_every_key() -> None:
    text = _COMMENTED_KEY.sub(r"\1", EXAMPLE.read_text("utf-8"))
    table = tomllib.loads(text)
    assert set(table) == set(Config.__struct_encode_fields__)
    for name, field in zip(Config.__struct_encode_fields__, msgspec.structs.fields(Config), strict=True):
        if name not in ("exchanges", "keys"):
            shape = type(field.default)
            assert set(table[name]) == set(shape.__struct_encode_fields__), name
    own = {"hyperliquid": {"dexes"}}
    for name, section in table["exchanges"].items():
        missing = set(ExchangeSection.__struct_encode_fields__) - set(section)
        unchecked = {"unit_baseline_percent"} if not load(name).facts.resting_apr_percent else set()
        assert missing == {"dexes"} - own.get(name, set()) | unchecked, name


def test_what_the_example_has_commented_out_is_right_too() -> None:
    config = parse(tomllib.loads(_COMMENTED_KEY.sub(r"\1", EXAMPLE.read_text("utf-8"))), {})
    for name, section in config.exchanges.items():
        resting = load(name).facts.resting_apr_percent
        assert section.unit_baseline_percent == resting.get(""), name
    assert config.assets.asset_class == {"hyperliquid:xyz:BB": AssetClass.EQUITY}
    assert config.assets.multiplier == {"binance:1000PEPEUSDT": 1000.0}
    assert {exchange for exchange, _ in from_mapping(config.demo.faults)} == {"lighter", "binance", "aster"}


def test_every_taker_fee_of_the_example_says_where_it_comes_from() -> None:
    lines = [line for line in EXAMPLE.read_text("utf-8").splitlines() if line.startswith("taker_fee_percent")]
    assert len(lines) == len(REGISTRY)
    assert all(re.search(r"#.*\w\.\w+", line) for line in lines)


# Where things are


def test_no_file_is_needed() -> None:
    config = load_config(None)
    assert config == Config()
    assert config.enabled() == list(REGISTRY)
    assert (config.collector.stale_after_seconds, config.collector.quotes_every_seconds) == (7200, 300)


def test_the_file_is_the_one_given_then_the_environments_then_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fundwatch.config.user_config_path", lambda _: tmp_path)
    told = {"FUNDWATCH_CONFIG": "/from/environment.toml"}
    assert config_path("/given.toml", told) == Path("/given.toml")
    assert config_path(None, told) == Path("/from/environment.toml")
    assert config_path(None, {}) is None
    (tmp_path / "config.toml").write_text("")
    assert config_path(None, {}) == tmp_path / "config.toml"


def test_the_database_is_the_one_given_then_the_environments_then_the_configured_then_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fundwatch.config.user_data_path", lambda _: tmp_path)
    told = {"FUNDWATCH_DB": "/from/environment.db"}
    config = parsed(database={"path": "/configured.db"})
    assert database_path("/given.db", told, config, demo=False) == Path("/given.db")
    assert database_path(None, told, config, demo=False) == Path("/from/environment.db")
    assert database_path(None, {}, config, demo=False) == Path("/configured.db")
    assert database_path(None, {}, Config(), demo=False) == tmp_path / "fundwatch.db"


def test_the_demo_never_takes_the_database_of_the_real_world(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fundwatch.config.user_data_path", lambda _: tmp_path)
    told = {"FUNDWATCH_DB": "/from/environment.db"}
    config = parsed(database={"path": "/configured.db"})
    assert database_path(None, told, config, demo=True) == tmp_path / "fundwatch-demo.db"
    assert database_path("/given.db", told, config, demo=True) == Path("/given.db")


def test_a_tilde_is_the_users_home() -> None:
    assert database_path("~/f.db", {}, Config(), demo=False) == Path.home() / "f.db"


def test_a_value_comes_from_the_environment() -> None:
    table = {"exchanges": {"binance": {"proxy": "${MY_PROXY}"}}, "collector": {"stale_after": "$2h"}}
    with pytest.raises(ConfigError, match=r"collector.stale_after: '\$2h' is not a duration"):
        parse(table, {"MY_PROXY": "http://127.0.0.1:8118"})
    del table["collector"]
    config = parse(table, {"MY_PROXY": "http://127.0.0.1:8118"})
    assert config.exchange("binance").proxy == "http://127.0.0.1:8118"
    with pytest.raises(ConfigError, match=r"exchanges.binance.proxy: the environment has no MY_PROXY"):
        parse(table, {})


def test_what_a_section_leaves_out_stays_as_it_is() -> None:
    config = parsed(exchanges={"aster": {"enabled": False}, "lighter": {"budget_scale": 4}})
    assert config.enabled() == [name for name in REGISTRY if name != "aster"]
    assert config.exchange("lighter") == ExchangeSection(budget_scale=4.0)
    assert config.exchange("paradex") == ExchangeSection()


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("5m", 300), ("2h", 7200), ("1d", 86400), ("1.5 h", 5400)]
)
def test_durations(text: str, seconds: int) -> None:
    assert duration_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "h", "-5m", "5 minutes", "1h30m", "nan h", "1e3s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="is not a duration"):
        duration_seconds(text)


# Mistakes


@pytest.mark.parametrize(
    ("table", "key", "hint"),
    [
        ({"colector": {}}, "colector", "did you mean collector?"),
        ({"collector": {"stale_afer": "2h"}}, "collector.stale_afer", "did you mean stale_after?"),
        ({"collector": {"retention_days": 29}}, "collector.retention_days", "at least 30"),
        ({"collector": {"retention_days": -1}}, "collector.retention_days", ">= 0"),
        (
            {"collector": {"retention_days": 60, "history_days": 90}},
            "collector.retention_days",
            "at least 90 (the longest window has 30 days, and history_days is 90)",
        ),
        ({"database": {"xyzzy": 1}}, "database.xyzzy", "there are path"),
        ({"exchanges": {"Lighter": {}}}, "exchanges.Lighter", "did you mean lighter?"),
        ({"exchanges": {"kraken": {}}}, "exchanges.kraken", "there are lighter, hyperliquid, binance"),
        ({"exchanges": {"lighter": {"minut": 5}}}, "exchanges.lighter.minut", "did you mean minute?"),
        ({"exchanges": {"lighter": 5}}, "exchanges.lighter", "expected a table"),
        ({"exchanges": 5}, "exchanges", "expected a table"),
        ({"exchanges": {"lighter": {"enabled": "yes"}}}, "exchanges.lighter.enabled", "expected `bool`"),
        ({"exchanges": {"lighter": {"minute": 60}}}, "exchanges.lighter.minute", "<= 59"),
        ({"exchanges": {"lighter": {"minute": 2.5}}}, "exchanges.lighter.minute", "expected `int"),
        ({"exchanges": {"lighter": {"budget_scale": 0}}}, "exchanges.lighter.budget_scale", "> 0"),
        (
            {"exchanges": {"lighter": {"taker_fee_percent": 45}}},
            "exchanges.lighter.taker_fee_percent",
            "<= 5",
        ),
        (
            {"exchanges": {"lighter": {"taker_fee_percent": float("nan")}}},
            "exchanges.lighter.taker_fee_percent",
            "expected",
        ),
        ({"exchanges": {"lighter": {"proxy": "localhost:8118"}}}, "exchanges.lighter.proxy", "http://host"),
        ({"exchanges": {"lighter": {"proxy": "socks5://h:1"}}}, "exchanges.lighter.proxy", "http://host"),
        ({"exchanges": {"lighter": {"dexes": ["xyz"]}}}, "exchanges.lighter.dexes", "only hyperliquid"),
        ({"exchanges": {"hyperliquid": {"dexes": "xyz"}}}, "exchanges.hyperliquid.dexes", "expected a list"),
        ({"collector": {"stale_after": 120}}, "collector.stale_after", "expected text"),
        ({"collector": {"stale_after": "59s"}}, "collector.stale_after", "from 1m to 30d"),
        ({"collector": {"quotes_every": "2h"}}, "collector.quotes_every", "from 1m to 1h"),
        ({"collector": {"quotes_every": "often"}}, "collector.quotes_every", "5m or 2h"),
        ({"collector": {"history_days": 0}}, "collector.history_days", ">= 1"),
        ({"demo": {"scale": 0.5}}, "demo.scale", ">= 1"),
        ({"assets": {"class": {"aster:BBUSDT": "equities"}}}, "assets.class", "did you mean equity?"),
        ({"assets": {"multiplier": {"aster:X": 0}}}, "assets.multiplier", "> 0"),
        ({"assets": {"ticker": {"aster": "X"}}}, "assets", "'aster' is not exchange:SYMBOL"),
        ({"assets": {"ticker": {"astr:X": "X"}}}, "assets", "did you mean aster?"),
        ({"assets": {"ticker": {"aster:X": "pepe"}}}, "assets.ticker", "'pepe' is not a ticker"),
        ({"assets": {"ticker": {"aster:X": "A\x1b[2J"}}}, "assets.ticker", "is not a ticker"),
        ({"assets": {"different": ["X"]}}, "assets", "'X' is not exchange:SYMBOL"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistake_names_its_key_and_what_would_be_right(table: dict[str, Any], key: str, hint: str) -> None:
    told = complaint(**table)
    assert told.startswith(f"{key}: ")
    assert hint in told
    assert "\n" not in told


@pytest.mark.parametrize(
    "url",
    [
        "https://fapi.binance.com",
        "https://fapi.binance.com/",
        "https://host:8443",
        "http://127.0.0.1:8000",
        "http://localhost:1",
        "http://[::1]:8000",
    ],
)
def test_a_base_url_is_scheme_host_and_port(url: str) -> None:
    assert parsed(exchanges={"binance": {"base_url": url}}).exchange("binance").base_url == url


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("fapi.binance.com", "is not scheme://host"),
        ("ftp://fapi.binance.com", "is not scheme://host"),
        ("https://", "is not scheme://host"),
        ("https://host:99999", "is not scheme://host"),
        ("https://host:0", "is not scheme://host"),
        ("https://host:port", "is not scheme://host"),
        ("http://[::1", "is not scheme://host"),
        ("https://ho st", "is not scheme://host"),
        ("https://host\n.example", "is not scheme://host"),
        ("https://host/fapi/v1", "fundwatch adds the path"),
        ("https://host?x=1", "fundwatch adds the path"),
        ("https://me:secret@host", "fundwatch adds the path"),
        ("http://fapi.binance.com", "plain http goes to this machine only"),
        ("http://10.0.0.1", "plain http goes to this machine only"),
        ("http://localhost.example.com", "plain http goes to this machine only"),
    ],
)
def test_any_other_address_is_refused(url: str, why: str) -> None:
    told = complaint(exchanges={"binance": {"base_url": url}})
    assert told.startswith("exchanges.binance.base_url: ")
    assert why in told


def test_a_proxys_password_is_never_told() -> None:
    assert "secret" not in complaint(exchanges={"binance": {"proxy": "socks5://me:secret@host"}})


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"[collector\n", "Expected ']'"),
        (b"[collector]\nhistory_days = 30\nhistory_days = 31\n", "Cannot overwrite"),
        (b"\xff\xfe", "utf-8"),
        (b"[colector]\n", "did you mean collector?"),
        (b"#" * (1 << 20) + b"\n", "larger than 1 MB"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, content: bytes, why: str) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load_config(path, {})
    assert str(caught.value).startswith(f"{path}: ")
    assert why in str(caught.value)


def test_a_file_that_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone.toml: cannot be read \(No such file"):
        load_config(tmp_path / "gone.toml")
    with pytest.raises(ConfigError, match=r"cannot be read \(Is a directory\)"):
        load_config(tmp_path)


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(b"\xef\xbb\xbf[collector]\nhistory_days = 7\n")
    assert load_config(path, {}).collector == Collector(history_days=7)


@pytest.mark.parametrize("days", [0, 30, 400])
def test_settlements_are_kept_for_ever_or_for_long_enough(days: int) -> None:
    table = {"collector": {"retention_days": days}}
    assert parse(table, {}).collector.retention_days == days
    assert Collector().retention_days == 0
