from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from fundwatch.cli import main
from fundwatch.commands.undo import utc_seconds
from fundwatch.storage import lock
from tests.storage.ledger import Ledger


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    made = Ledger(tmp_path / "fundwatch.db", "BTC", "ETH")
    made.fill("BTC", range(1, 25))
    made.fill("ETH", range(1, 25))
    return made


def undone(database: Path, *words: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, ["--db", str(database), "undo", *words])
    return result.exit_code, result.output


def test_one_run_is_taken_back_and_the_others_stay(ledger: Ledger, tmp_path: Path) -> None:
    run_id = ledger.writer.value("SELECT MIN(run_id) FROM settlement")
    taken = ledger.writer.value("SELECT COUNT(*) FROM settlement WHERE run_id = ?", run_id)
    ledger.writer.close()
    code, said = undone(tmp_path / "fundwatch.db", "--run", str(run_id))
    assert (code, f"{taken} settlements" in said) == (0, True)
    assert undone(tmp_path / "fundwatch.db", "--exchange", "lighter", "--since", "1")[0] == 0
    assert undone(tmp_path / "fundwatch.db", "--exchange", "lighter", "--since", "1")[0] == 3


def test_it_refuses_while_a_collector_runs_and_names_it(ledger: Ledger, tmp_path: Path) -> None:
    ledger.writer.close()
    with lock.acquire(tmp_path / "fundwatch.db", "collector"):
        code, said = undone(tmp_path / "fundwatch.db", "--run", "1")
    assert code == 1
    assert "in use by collector" in said


@pytest.mark.parametrize(
    "words",
    [(), ("--run", "999"), ("--exchange", "lighter"), ("--exchange", "lighter", "--since", "soon")],
)
def test_a_wrong_question_is_answered_with_what_to_say(
    words: tuple[str, ...], ledger: Ledger, tmp_path: Path
) -> None:
    ledger.writer.close()
    code, said = undone(tmp_path / "fundwatch.db", *words)
    assert code == 2
    assert "Error:" in said


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1795176000", 1795176000),
        ("2026-11-20 12:00", 1795176000),
        ("2026-11-20", 1795132800),
        ("2026-11-20T14:00+02:00", 1795176000),
    ],
)
def test_a_time_is_read_as_utc(text: str, seconds: int) -> None:
    assert utc_seconds(text) == seconds


def test_no_time_is_a_usage_error() -> None:
    with pytest.raises(click.UsageError):
        utc_seconds("yesterday")
