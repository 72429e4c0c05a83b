from pathlib import Path

import pytest

from fundwatch.commands.session import Session, exchanges_served, open_session
from fundwatch.config import Config, ConfigError, Demo, ExchangeSection
from fundwatch.exchanges import REGISTRY


def session(config: Config, *, demo: bool = True) -> Session:
    return Session(config, Path("unused.db"), demo)


def test_worlds_have_names_that_are_stamped_into_databases() -> None:
    assert session(Config(), demo=False).world == "real"
    assert session(Config(demo=Demo(seed=11))).world == "demo:11"


def test_a_session_is_a_configuration_and_a_database(tmp_path: Path) -> None:
    config = tmp_path / "own.toml"
    config.write_text(f'[database]\npath = "{tmp_path}/own.db"\n[collector]\nhistory_days = 3\n')
    opened = open_session(str(config), None, demo=False)
    assert (opened.database, opened.config.collector.history_days) == (tmp_path / "own.db", 3)
    assert open_session(str(config), "given.db", demo=False).database == Path("given.db")
    assert open_session(str(config), None, demo=True).database.name == "fundwatch-demo.db"


def test_the_real_world_is_asked_as_configured() -> None:
    real = session(Config(), demo=False)
    with exchanges_served(real) as served:
        assert served is real


def test_the_demo_world_is_asked_on_loopback_at_its_own_pace_and_never_through_a_proxy() -> None:
    config = Config(
        exchanges={
            "aster": ExchangeSection(enabled=False),
            "lighter": ExchangeSection(minute=30, proxy="http://10.0.0.1:8118"),
        },
        demo=Demo(scale=250),
    )
    with exchanges_served(session(config)) as served:
        for name in REGISTRY:
            section = served.config.exchange(name)
            assert (section.base_url or "").startswith("http://127.0.0.1:")
            assert (section.budget_scale, section.proxy) == (250, "")
        assert not served.config.exchange("aster").enabled
        assert served.config.exchange("lighter").minute == 30


@pytest.mark.parametrize("faults", [{"lighter": "tired"}, {"kraken": "hang"}])
def test_a_fault_that_does_not_exist_is_a_mistake_of_the_configuration(faults: dict[str, str]) -> None:
    with (
        pytest.raises(ConfigError, match=r"^demo.faults: .*(tired|kraken)"),
        exchanges_served(session(Config(demo=Demo(faults=faults)))),
    ):
        pass
