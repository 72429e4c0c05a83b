"""No answer ever reads all settlements: a year of them would take a second."""

import re

import pytest

from fundwatch.analytics.windows import WINDOWS
from fundwatch.answers.history import history
from fundwatch.answers.spreads import spreads
from fundwatch.answers.status import status
from fundwatch.answers.top import top
from fundwatch.config import Config
from fundwatch.models import HOUR, Source, hourly_rate
from fundwatch.storage import queries, summary
from fundwatch.storage.database import Database
from tests.answers.stage import END, NOW, Stage

_CALLED = re.compile(r"\bsettlement(?:\s+(?!WHERE\b|JOIN\b|CROSS\b)(\w+))?")


def furnish(stage: Stage) -> None:
    for exchange in ("aster", "lighter"):
        stage.describe(exchange)
        stage.exchange = exchange
        stage.quote(
            stage.market("BTC", exchange=exchange),
            observed_at=NOW - 60,
            hourly_rate=hourly_rate(len(exchange)),
            interval_hours=1.0,
        )
        stage.fill("BTC", range(END - 30, END))
    stage.fill("BTC", [END], rate=0.0002)
    stage.exchange = "aster"
    stage.save(source=Source.RECORDED)


def ask_everything(db: Database) -> None:
    config = Config()
    for now in (NOW, NOW + 5 * HOUR):
        for window in ("now", *WINDOWS):
            top(db, now, window=window, stale_after_seconds=7200)
            spreads(db, config, now, window=window)
        status(db, config, now)
        history(db, "BTC", now, days=30)
        summary.current(db, queries.market_rows(db), 0)


def scanned(db: Database, sql: str) -> list[str]:
    """The steps of a statement that read every settlement."""
    names = {"settlement", *_CALLED.findall(sql)} - {""}
    steps = [row[-1] for row in db.rows(f"EXPLAIN QUERY PLAN {sql}")]
    return [step for step in steps if step.split()[0] == "SCAN" and step.split()[1] in names]


@pytest.mark.parametrize("has_statistics", [False, True])
def test_no_answer_reads_all_settlements(stage: Stage, has_statistics: bool) -> None:
    """Neither as the planner sees a database of ours, nor where somebody ran ANALYZE on it."""
    furnish(stage)
    with stage.writer.transaction():
        summary.refresh(stage.writer, NOW)
        if has_statistics:
            stage.writer.change("ANALYZE")
    asked: list[str] = []
    with stage.read() as db:
        db.connection().set_trace_callback(asked.append)
        ask_everything(db)
        db.connection().set_trace_callback(None)
        about_settlements = [sql for sql in asked if "settlement" in sql]
        assert len(about_settlements) > 20
        assert {sql: steps for sql in about_settlements if (steps := scanned(db, sql))} == {}
        assert scanned(db, "SELECT COUNT(*) FROM settlement x WHERE x.rate > 5"), "this is how one looks"
