"""Simulated lives of seven exchanges: every hour that could be served is stored once, and no word was untrue.

`FUNDWATCH_TRIALS=10` multiplies the lives, `FUNDWATCH_SEED` moves them, `FUNDWATCH_DAYS=90` makes them
longer; a failure names its seed.
"""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from fundwatch.exchanges import REGISTRY
from fundwatch.models import HOUR
from tests.rigs import etiquette, oracle
from tests.rigs.life import Life
from tests.rigs.small_world import FEW, TICKERS, Sent, without_ballast
from tests.rigs.weather import DAY, drawn
from tests.rigs.witness import Witness
from tests.virtual_time import run_virtually

START = 1_795_176_000
"""2026-11-20 12:00 UTC."""

CALM_DAYS = 1.5
"""Long enough for a day's ban, and for the last of the waits before an empty answer is asked for again."""

TRIALS = int(os.environ.get("FUNDWATCH_TRIALS", "1"))
SEED = int(os.environ.get("FUNDWATCH_SEED", "100"))
DAYS = float(os.environ.get("FUNDWATCH_DAYS", "7"))
IS_SHORT = TRIALS == 1 and DAYS <= 7
LIVES = [(share, SEED + trial) for trial in range(TRIALS) for share in (0.05, 0.2, 0.5)]


@pytest.fixture(autouse=True)
def _without_ballast(monkeypatch: pytest.MonkeyPatch) -> None:
    without_ballast(monkeypatch.setattr)


@pytest.mark.parametrize(("share", "seed"), LIVES)
def test_a_life_with_faults_loses_no_hour_invents_none_and_tells_the_truth(
    share: float, seed: int, tmp_path: Path
) -> None:
    async def live() -> None:
        weather = drawn(
            seed,
            share,
            tuple(REGISTRY),
            START,
            DAYS - CALM_DAYS,
            longest_sleep_days=7.0 if DAYS > 30 else 1.5,
            full_disk=True,
        )
        witness = Witness()
        life = Life(
            tmp_path,
            seed,
            weather,
            history_days=30 if DAYS > 30 else 10,
            quotes_every="1h",
            check=witness,
            tickers=FEW if IS_SHORT else TICKERS,
        )
        await life.live(START + DAYS * DAY)
        wrong = oracle.missing_or_wrong(life)
        rude = [told for name, wire in life.wires.items() for told in etiquette.complaints(name, wire.log)]
        requests = sum(len(wire.log) for wire in life.wires.values())
        await life.end()
        assert not wrong, oracle.told(wrong, life)
        assert not witness.complaints, oracle.told(witness.complaints, life)
        assert not rude, oracle.told(rude, life)
        assert requests > 600 * DAYS
        assert witness.rows > 500 * DAYS
        assert witness.looked > 80 * DAYS
        assert {"ok", "error"} <= witness.words.keys()

    run_virtually(live())


# The rig itself: each rule must be able to fail.

WRONG_ROWS = {
    "missing": "DELETE FROM settlement WHERE market_id = {lighter} AND funding_time = {hour}",
    "invented": "UPDATE settlement SET funding_time = funding_time + 1800"
    " WHERE market_id = {lighter} AND funding_time = {hour}",
    "rate": "UPDATE settlement SET rate = rate * 1.001 WHERE market_id = {lighter} AND funding_time = {hour}",
    "sign": "UPDATE settlement SET rate = -rate WHERE market_id = {binance} AND funding_time = {eight}",
    "interval": "UPDATE settlement SET interval_hours = 4"
    " WHERE market_id = {binance} AND funding_time = {eight}",
    "kind": "UPDATE settlement SET kind = 1 WHERE market_id = {binance} AND funding_time = {eight}",
    "unknown interval": "UPDATE settlement SET interval_hours = NULL"
    " WHERE market_id = {binance} AND funding_time = {eight}",
    "a hole in what accrues": "DELETE FROM settlement WHERE market_id = {paradex} AND funding_time ="
    " (SELECT MAX(funding_time) FROM settlement WHERE market_id = {paradex} AND funding_time < {hour})",
    "accrued rate": "UPDATE settlement SET rate = rate * 1.01 WHERE market_id = {paradex}",
    "recorded rate": "UPDATE settlement SET rate = rate * 1.01 + 1e-6 WHERE market_id = {variational}",
    "recorded too much": "UPDATE settlement SET funding_time = funding_time + 86400 * 30"
    " WHERE market_id = {variational}",
    "recorded too little": "DELETE FROM settlement WHERE market_id = {variational}",
}

WRONG_WORDS = {
    "status": "UPDATE tracker SET status = 'running'",
    "an error kept quiet": "UPDATE tracker SET last_error = 'x'",
    "last_run": "UPDATE tracker SET last_run = last_run - 60",
    "other words": "UPDATE tracker SET last_error = 'x' WHERE last_error IS NOT NULL",
    "last_success": "UPDATE tracker SET last_success = last_success + 60",
    "total_records": "UPDATE tracker SET total_records = total_records + 1",
    "total_runs": "UPDATE tracker SET total_runs = total_runs - 1",
    "a failure hidden": "UPDATE tracker SET last_outcome = 'ok', sweep_error = NULL, last_error = NULL",
    "a success hidden": "UPDATE tracker SET last_outcome = 'error', sweep_error = 'x'",
    "a partial sweep": "UPDATE tracker SET last_outcome = 'partial', sweep_error = 'x'",
    "young quotes": "UPDATE quote SET observed_at = observed_at + 1500",
    "old quotes": "UPDATE quote SET observed_at = observed_at - 86400",
}


def _tampered(life: Life, sql: str, folder: Path) -> Path:
    life.ledger.writer.checkpoint(truncate=True)
    copy = folder / "tampered.db"
    shutil.copyfile(life.database, copy)
    hour = (int(life.clock.true()) - 6 * HOUR) // HOUR * HOUR
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = 1")
        names = {
            name: connection.execute(
                "SELECT market.id FROM market, exchange WHERE exchange.id = exchange_id AND name = ?"
                " AND symbol LIKE 'BTC%' ORDER BY market.id LIMIT 1",
                (name,),
            ).fetchone()[0]
            for name in life.exchanges
        }
        changed = connection.execute(sql.format(hour=hour, eight=hour // (8 * HOUR) * 8 * HOUR, **names))
        assert changed.rowcount > 0, sql
        connection.commit()
    return copy


def test_the_oracle_and_the_witness_see_whatever_is_wrong(tmp_path: Path) -> None:
    """A short life in which extended fails at the end; then each rule is broken once by hand."""

    async def live() -> None:
        weather = drawn(1, 0.0, tuple(REGISTRY), START, 1.0)
        weather.outages["extended"] = [(START + 20 * HOUR, START + 30 * HOUR)]
        life = Life(tmp_path, 1, weather, history_days=4)
        await life.live(START + 22 * HOUR + 500)
        since = START - DAY
        true = life.database
        assert _complaints(life, since) == ([], [])
        for name, sql in WRONG_ROWS.items():
            life.database = _tampered(life, sql, tmp_path)
            assert _complaints(life, since)[0], f"nobody saw: {name}"
            life.database = true
        for name, sql in WRONG_WORDS.items():
            life.database = _tampered(life, sql, tmp_path)
            assert _complaints(life, since)[1], f"nobody saw: {name}"
            life.database = true
        life.runs[-1].word = "ok" if life.runs[-1].word != "ok" else "error"
        assert _complaints(life, since)[1], "nobody saw: how a run is called"
        await life.end()

    run_virtually(live())


def _complaints(life: Life, since: float) -> tuple[list[str], list[str]]:
    witness = Witness()
    witness(life)
    return oracle.missing_or_wrong(life, since), witness.complaints


def _sent(at: float, fault: str = "", status: int = 200, wait: float | None = None) -> Sent:
    answered = at + 0.5
    away = None if wait is None else answered + wait
    return Sent(at, at, at, "/x", {}, {"requests": 1.0}, 1, fault, status, answered, away)


RUDE: dict[str, Callable[[], list[Sent]]] = {
    "after 429": lambda: [_sent(0, "429", 429, 30), _sent(29)],
    "after 418": lambda: [_sent(0, "418", 418, 86400 * 3), _sent(86400 * 2)],
    "after 451": lambda: [_sent(0, "451", 451), _sent(2000)],
    "after 403": lambda: [_sent(0, "403", 403), _sent(1700)],
    "after a challenge": lambda: [_sent(0, "html", 200), _sent(50)],
    "too many": lambda: [_sent(number) for number in range(49)],
}


@pytest.mark.parametrize("what", RUDE)
def test_rudeness_is_seen(what: str) -> None:
    assert etiquette.complaints("lighter", RUDE[what]())


@pytest.mark.parametrize(
    "log",
    [
        [_sent(0, "429", 429, 30), _sent(31)],
        [_sent(0, "429", 429, 30), _sent(0.2), _sent(40)],  # under way already when the answer came
        [_sent(0, "451", 451), _sent(3400)],
        [_sent(number) for number in range(48)],
    ],
)
def test_politeness_is_not_called_rude(log: list[Sent]) -> None:
    assert etiquette.complaints("lighter", log) == []
