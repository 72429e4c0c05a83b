"""From a first sweep to the answers, and a collector that is told to stop, or killed."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fundwatch.exchanges import REGISTRY
from tests.commands.processes import DISABLED, ENABLED, Household, wait_until

HEAVY = {"httpx", "httpcore", "h11", "ssl", "asyncio", "schedule", "textual", "rich", "fundwatch.demo"}


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Household:
    """After `--collect-only --once --hours 2`."""
    household = Household.of_two(tmp_path_factory.mktemp("swept"))
    done = household.run("--collect-only", "--once", "--hours", "2")
    assert (done.returncode, done.stdout) == (0, "")
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    assert all(f" {name} sweep ok: " in done.stderr for name in ENABLED)
    return household


@pytest.fixture
def household(tmp_path: Path) -> Household:
    return Household.of_two(tmp_path)


# A first look


def test_status_after_a_first_sweep_is_all_fresh(swept: Household) -> None:
    done = swept.run("status", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    for name in ENABLED:
        one = swept.exchange(name)
        assert (one["health"], one["status"], one["last_error"]) == ("ok", "idle", None)
        assert one["markets"] == one["markets_fresh"] > 500
        assert one["total_records"] > 100
        assert one["unit_check"]["verdict"] == "ok"
        assert one["unit_check"]["modal_apr_percent"] == pytest.approx(10.95)
    for name in DISABLED:
        assert (swept.exchange(name)["enabled"], swept.exchange(name)["health"]) == (False, "never")
    collector = swept.json("status")["collector"]
    assert (collector["running"], collector["heartbeat"]) == (False, None)


def test_top_after_a_first_sweep(swept: Household) -> None:
    done = swept.run("top", "--limit", "50", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    rows = swept.json("top", "--limit", "50")
    assert len(rows) == 50
    assert {row["exchange"] for row in rows} == set(ENABLED)
    assert all(row["trusted"] and row["reason"] is None for row in rows)
    sizes = [abs(row["apr_percent"]) for row in rows]
    assert sizes == sorted(sizes, reverse=True)
    assert all(row["apr_percent"] == pytest.approx(row["hourly_rate"] * 876_000) for row in rows)


def test_spreads_after_a_first_sweep(swept: Household) -> None:
    done = swept.run("spreads", "--limit", "5", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    for pair in swept.json("spreads", "--limit", "5"):
        assert {pair["long_exchange"], pair["short_exchange"]} == set(ENABLED)
        assert pair["trusted"]
        assert 0 < pair["net_apr_percent"] < pair["spread_apr_percent"]
        assert abs(pair["price_gap_percent"]) < 3


def test_history_after_a_first_sweep(swept: Household) -> None:
    hourly = next(row for row in swept.json("top", "--limit", "900") if row["interval_hours"] == 1)
    done = swept.run("history", hourly["symbol"].lower(), "--days", "1")
    assert (done.returncode, done.stderr) == (0, "")
    document = swept.json("history", hourly["asset"])
    series = next(one for one in document["series"] if one["symbol"] == hourly["symbol"])
    assert document["asset"] == hourly["asset"]
    times = [row["funding_time"] for row in series["settlements"]]
    assert times == sorted(times)
    assert all(at % 3600 == 0 for at in times)
    assert times
    assert all(row["source"] == "exchange" for row in series["settlements"])


def test_a_quick_try_is_stored_and_is_no_success(household: Household) -> None:
    done = household.run("--collect-only", "--once", "--limit", "3", "--log-format", "json")
    assert (done.returncode, done.stdout) == (1, "")
    assert '"only 3 markets were asked for"' in done.stderr
    assert len(household.json("top")) == 6
    assert household.exchange("aster")["last_success"] is None
    assert household.run("status").returncode == 1


def test_an_exchange_that_fails_is_exit_1_and_the_others_are_stored(household: Household) -> None:
    household.configure(aster="451")
    assert household.run("--collect-only", "--once", "--hours", "2").returncode == 1
    assert household.run("status").returncode == 1
    aster, binance = household.exchange("aster"), household.exchange("binance")
    assert (aster["health"], binance["health"]) == ("error", "ok")
    assert "451" in aster["last_error"]


# What an answer loads


@pytest.mark.parametrize("words", [("status",), ("top",), ("spreads",), ("history", "BTC")], ids=" ".join)
def test_an_answer_loads_no_client_no_screen_and_no_exchange(
    swept: Household, words: tuple[str, ...]
) -> None:
    program = (
        "import sys\n"
        "from fundwatch.cli import main\n"
        "try:\n    main()\n"
        "finally:\n    print(*sys.modules, file=sys.stderr)\n"
    )
    done = swept.run(*words, "--json", program=("-c", program))
    assert done.returncode in (0, 3)
    loaded = set(done.stderr.split())
    assert "fundwatch.cli" in loaded
    modules = {f"fundwatch.exchanges.{name}" for name in (*REGISTRY, "http", "base")}
    assert loaded & (HEAVY | modules) == set()
    assert not any(name.startswith("fundwatch.collector") for name in loaded)


def test_an_answer_that_nobody_reads_ends_quietly(swept: Household) -> None:
    reader = subprocess.Popen(
        [sys.executable, "-m", "fundwatch", *swept.words("top", "--limit", "900")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=swept.environment,
    )
    assert reader.stdout is not None
    assert reader.stderr is not None
    reader.stdout.close()
    assert reader.stderr.read() == b""
    assert reader.wait(20) == 1
    reader.stderr.close()


# A collector and its end


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_a_collector_cleanly(household: Household, number: signal.Signals) -> None:
    with household.collecting() as process:
        begin = time.monotonic()
        process.send_signal(number)
        assert process.wait(20) == 0
        assert time.monotonic() - begin < 10
        out, err = process.communicate()
    assert out == ""
    assert err.splitlines()[-1].endswith(" collector stopped")
    document = household.json("status")
    assert (document["collector"]["running"], document["collector"]["heartbeat"]) == (False, None)
    assert [alert for alert in document["alerts"] if alert["kind"] == "collector"] == []
    assert {one["status"] for one in document["exchanges"]} <= {"idle", "error"}


def test_a_collector_under_nohup_outlives_its_terminal(household: Household) -> None:
    with household.collecting(hangup_ignored=True) as process:
        process.send_signal(signal.SIGHUP)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
        process.terminate()
        assert process.wait(20) == 0


def _is_running(household: Household, name: str) -> Callable[[], bool]:
    return lambda: household.exchange(name)["status"] == "running"


def test_a_collector_beside_others_and_its_sudden_death(household: Household) -> None:
    household.configure(aster="hang")
    with household.collecting() as process:
        wait_until(lambda: household.exchange("binance")["health"] == "ok")
        aster = household.exchange("aster")
        assert (aster["status"], aster["health"]) == ("running", "never")
        assert aster["reason"] == "its first sweep is under way"
        assert household.json("status")["collector"]["pid"] == process.pid

        second = household.run("--collect-only")
        assert (second.returncode, second.stdout) == (1, "")
        assert f"in use by collector (process {process.pid}, since " in second.stderr
        assert process.poll() is None
        assert household.run("top").returncode == 0

        process.kill()
        process.wait()

    document = household.json("status")
    aster = household.exchange("aster")
    assert (document["collector"]["running"], document["collector"]["pid"]) == (False, process.pid)
    assert [alert["kind"] for alert in document["alerts"] if alert["exchange"] is None] == ["collector"]
    assert (aster["status"], aster["health"], aster["last_error"]) == ("error", "error", "interrupted")
    assert household.run("status").returncode == 1

    household.configure()
    assert household.run("--collect-only", "--once", "--hours", "2").returncode == 0
    aster = household.exchange("aster")
    assert (aster["status"], aster["health"], aster["last_error"]) == ("idle", "ok", None)
    assert household.run("status").returncode == 0


def test_one_sweep_is_alive_while_it_runs_and_is_cut_short_by_a_signal(household: Household) -> None:
    household.configure(aster="hang")
    sweep = subprocess.Popen(
        [sys.executable, "-m", "fundwatch", *household.words("--collect-only", "--once", "--hours", "2")],
        stderr=subprocess.PIPE,
        env=household.environment,
    )
    try:
        wait_until(_is_running(household, "aster"))
        document = household.json("status")
        assert (document["collector"]["running"], document["collector"]["pid"]) == (True, sweep.pid)
        sweep.terminate()
        assert sweep.wait(20) == 1
    finally:
        sweep.kill()
        sweep.communicate()
    aster = household.exchange("aster")
    assert (aster["health"], aster["reason"]) == ("error", "stopped before it was complete")


def test_a_backfill_that_is_interrupted_says_so_and_goes_on_later(household: Household) -> None:
    household.configure(binance="hang@fundingRate", aster="hang@fundingRate")
    words = ["backfill", "--days", "1", "--asset", "BTC"]
    backfill = subprocess.Popen(
        [sys.executable, "-m", "fundwatch", *household.words(*words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=household.environment,
    )
    try:
        assert backfill.stderr is not None
        assert "requests, about" in backfill.stderr.readline()
        wait_until(_is_running(household, "aster"))
        assert household.json("status")["collector"]["role"] == "backfill"
        backfill.send_signal(signal.SIGINT)
        assert backfill.wait(20) == 130
        out, err = backfill.communicate()
    finally:
        backfill.kill()
        backfill.communicate()
    assert out == ""
    assert "Cancelled; what came is stored" in err
    household.configure()
    done = household.run(*words)
    assert done.returncode == 0
    assert not done.stderr.endswith("\n0 settlements stored.\n")
