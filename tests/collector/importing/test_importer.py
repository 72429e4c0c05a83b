import asyncio
import random
from dataclasses import replace
from pathlib import Path

import pytest

from fundwatch.analytics.intervals import fill_intervals
from fundwatch.assets import Overrides
from fundwatch.collector.events import ImportProgress, RunEnded, RunStarted
from fundwatch.collector.importing import batches as import_batches
from fundwatch.collector.importing.importer import Importer, Rules
from fundwatch.collector.ledger import Ledger
from fundwatch.models import HOUR, Asset, AssetClass, Market, Settlement, Source, Window
from fundwatch.storage import markets, trackers
from fundwatch.storage.holes import absences, missing
from fundwatch.storage.trackers import state
from tests.collector.past import Line, Office, eight_hourly, many, settlements, without_hours, write
from tests.collector.scripted import NOON, HandClock


@pytest.fixture
def office(ledger: Ledger, clock: HandClock, tmp_path: Path) -> Office:
    return Office(ledger, clock, tmp_path)


BTC = eight_hourly("BTCUSDT", 90)


# What goes in


async def test_every_row_of_a_file_is_stored_once_as_imported(office: Office) -> None:
    lines = many(30, 40)
    report = await office.bring(lines)
    assert (report.word, report.rows, report.inserted) == ("ok", 1200, 1200)
    assert office.rows() == sorted((line.symbol, line.time, line.rate, 8.0, 2) for line in lines)
    assert office.run(report.run_id) == ("ok", None, 1200, 0, 0, 0)
    assert state(office.ledger.writer, "binance").total_records == 1200  # type: ignore[union-attr]


async def test_the_same_file_again_changes_nothing_and_says_when_it_came(office: Office) -> None:
    first = await office.bring(BTC)
    before = office.rows()
    again = await office.bring(BTC, "renamed.csv")
    assert (again.word, again.inserted, again.replaced, again.unchanged) == ("ok", 0, 0, 90)
    assert f"imported already as run {first.run_id} on 2026-11-20 12:06 UTC" in again.notes
    assert office.rows() == before


async def test_half_a_file_and_then_the_whole_are_the_whole(office: Office) -> None:
    await office.bring(without_hours(BTC[30:60]), "half.csv")
    assert office.hours("BTCUSDT")[0] is None
    whole = await office.bring(without_hours(BTC))
    assert (whole.inserted, whole.replaced, whole.unchanged) == (60, 1, 29)
    assert office.hours("BTCUSDT") == [None] + [8.0] * 89, (
        "the first of the half is learnt, that of all never"
    )


async def test_what_the_exchange_told_stays_and_a_file_fills_what_is_missing(office: Office) -> None:
    told = [line._replace(rate=line.rate * 1.5) for line in BTC[50:55]]
    office.store(markets_of(office, "BTCUSDT", settlements(told)), Source.EXCHANGE)
    report = await office.bring(BTC)
    assert (report.word, report.inserted, report.unchanged) == ("ok", 85, 5)
    assert [row[2] for row in office.rows() if row[4] == 3] == [line.rate for line in told]


async def test_an_import_replaces_what_was_only_recorded(office: Office) -> None:
    guessed = [line._replace(rate=line.rate * 1.01) for line in BTC[10:12]]
    office.store(markets_of(office, "BTCUSDT", settlements(guessed)), Source.RECORDED)
    report = await office.bring(BTC)
    assert (report.inserted, report.replaced) == (88, 2)
    assert {row[4] for row in office.rows()} == {2}


async def test_of_a_venue_that_publishes_nothing_a_file_holds_only_recorded_estimates(office: Office) -> None:
    lines = [line._replace(symbol="BTC") for line in BTC[:3]]
    report = await office.bring(lines, exchange="variational")
    assert report.word == "ok", report
    assert {row[4] for row in office.rows()} == {int(Source.RECORDED)}


async def test_two_files_that_disagree_are_a_conflict_and_the_first_stays(office: Office) -> None:
    await office.bring(BTC)
    other = [*BTC[:5], BTC[5]._replace(rate=0.00042), *BTC[6:]]
    report = await office.bring(other, "other.csv")
    assert (report.word, report.conflicts, report.unchanged) == ("partial", 1, 89)
    assert [row[2] for row in office.rows()] == [line.rate for line in BTC]


async def test_a_finer_set_takes_the_place_of_a_coarser_row_wherever_a_batch_ends(office: Office) -> None:
    """4,800 rows are a batch: a stored row of 8 h around the end must not be cut in two."""
    end = NOON // (8 * HOUR) * 8 * HOUR
    hourly = [Line("BTCUSDT", end - n * HOUR, 0.0000125, 1) for n in range(9_999, -1, -1)]
    coarse = [Line("BTCUSDT", end - n * 8 * HOUR, 0.0001, 8) for n in range(1_249, -1, -1)]
    await office.bring(coarse, "coarse.csv")
    report = await office.bring(hourly, "fine.csv")
    assert report.refused == 0
    assert office.hours("BTCUSDT") == [1.0] * 10_000
    assert report.inserted + report.replaced == 10_000


# Intervals that a file does not say


async def test_intervals_come_from_spacing_and_what_nothing_tells_stays_unknown(office: Office) -> None:
    start = BTC[0].time
    times = [start + n * 8 * HOUR for n in range(20)]
    times += [times[-1] + n * 4 * HOUR for n in range(1, 31)]
    times += [times[-1] + n * HOUR for n in range(1, 51)]
    lost = {times[25], times[60], times[61]}
    rows = [Line("BTCUSDT", time, 0.0001) for time in times if time not in lost]
    report = await office.bring(rows)
    expected = (
        dict.fromkeys(times[1:20], 8.0) | dict.fromkeys(times[20:50], 4.0) | dict.fromkeys(times[50:], 1.0)
    )
    assert {time: hours for _, time, _, hours, _ in office.rows()} == {
        time: expected.get(time) for time in times if time not in lost
    }
    assert report.unknown_hours == 1


async def test_a_stored_row_tells_the_interval_of_its_neighbour_in_the_file(office: Office) -> None:
    await office.bring(BTC[:30])
    report = await office.bring(without_hours(BTC[30:]), "february.csv")
    assert (report.unknown_hours, office.hours("BTCUSDT")) == (0, [8.0] * 90)


async def test_a_payment_lost_between_two_files_does_not_double_an_interval(office: Office) -> None:
    four = [Line("XUSDT", BTC[0].time + n * 4 * HOUR, 0.0001, 4) for n in range(40)]
    await office.bring(four[:20])
    await office.bring(without_hours(four[21:22]), "lone.csv")
    assert office.hours("XUSDT") == [4.0] * 20 + [None], "it may be the first of 8 h as well"
    await office.bring(without_hours(four[21:24]), "more.csv")
    assert office.hours("XUSDT") == [4.0] * 23, "8 h after the last payment, and yet one of 4 h"


async def test_long_files_without_intervals_are_as_right_at_each_seam(office: Office) -> None:
    end = NOON // HOUR * HOUR
    rows = [Line("BTCUSDT", end - n * HOUR, 0.0000125) for n in range(10_999, -1, -1)]
    await office.bring(rows)
    assert office.hours("BTCUSDT") == [None] + [1.0] * 10_999


@pytest.mark.parametrize("seed", range(12))
async def test_parts_of_a_market_get_the_intervals_that_the_whole_gets(
    office: Office, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """And none covers more hours than in truth, when single payments are missing within a stretch."""
    dice = random.Random(seed)
    time, truth, lost = NOON // (8 * HOUR) * 8 * HOUR - 4000 * HOUR, dict[int, float](), set[int]()
    while len(truth) < 400:
        hours = dice.choice([1, 4, 8])
        for place in range(size := dice.randint(9, 60)):
            time += hours * HOUR
            truth[time] = float(hours)
            if 3 < place < size - 4 and not lost & {time - n * hours * HOUR for n in range(1, 5)}:
                lost |= {time} if dice.random() < 0.1 else set()
    kept = [at for at in truth if at not in lost]
    rows = [Settlement("BTCUSDT", at, 0.0001, None) for at in kept]
    whole = {row.funding_time: row.interval_hours for row in fill_intervals(rows, previous_time=None)}
    monkeypatch.setattr(import_batches, "BATCH_ROWS", 60)
    await office.bring([Line("BTCUSDT", at, 0.0001) for at in kept])
    found = {at: hours for _, at, _, hours, _ in office.rows()}
    assert found == whole
    assert [at for at, hours in found.items() if hours is not None and hours > truth[at]] == []


# What is refused


async def test_percent_by_mistake_is_noticed_by_the_resting_level(office: Office) -> None:
    percent = [line._replace(rate=line.rate * 100) for line in BTC]
    report = await office.bring(percent)
    assert (report.word, office.rows()) == ("error", [])
    assert report.error is not None
    assert "100 times the resting 10.95 %: a unit error; nothing is stored" in report.error
    assert office.run(report.run_id)[0] == "error"


@pytest.mark.parametrize("factor", [2, 4, 8, 24, 100, 1000])
@pytest.mark.parametrize("down", [False, True], ids=["times", "part"])
async def test_a_wrong_unit_is_noticed_by_what_is_stored_of_the_same_hours(
    office: Office, factor: int, down: bool
) -> None:
    """Of a market that never rests, so that only the stored payments can tell."""
    moving = [line._replace(rate=line.rate / 40) for line in eight_hourly("BTCUSDT", 60, rests=0)]
    office.store(markets_of(office, "BTCUSDT", settlements(moving[20:40])), Source.EXCHANGE)
    times = 1 / factor if down else factor
    report = await office.bring([line._replace(rate=line.rate * times) for line in moving])
    words = f"1/{factor} of what is stored" if down else f"{factor} times what is stored"
    assert report.error is not None
    assert words in report.error
    assert len(office.rows()) == 20


async def test_a_lost_sign_is_noticed_by_what_is_stored_of_the_same_hours(office: Office) -> None:
    office.store(markets_of(office, "BTCUSDT", settlements(BTC)), Source.EXCHANGE)
    report = await office.bring([line._replace(rate=abs(line.rate)) for line in BTC])
    assert report.error is not None
    assert "a lost sign" in report.error


async def test_another_exchanges_file_is_noticed_by_how_its_symbols_are_written(office: Office) -> None:
    lines = [line._replace(symbol="BTC-USD-PERP") for line in BTC]
    report = await office.bring(lines, accept_bad=True)
    assert (report.word, office.rows()) == ("error", [])
    assert report.error is not None
    assert "none of its 90 rows can be taken" in report.error
    assert "not written like one of binance (BTCUSDT)" in report.error


async def test_another_exchanges_file_is_noticed_by_what_is_stored_of_the_same_hours(office: Office) -> None:
    """Same symbols, other payments: only the hours that both have can tell."""
    office.store(markets_of(office, "BTCUSDT", settlements(BTC)), Source.EXCHANGE)
    foreign = eight_hourly("BTCUSDT", 120, seed=7, rests=0.1)
    report = await office.bring(foreign)
    assert report.error is not None
    assert "it seems to be of another exchange; nothing is stored; if you know better" in report.error
    insisted = await office.bring(foreign, accept_bad=True)
    assert (insisted.word, insisted.inserted) == ("ok", 30)


async def test_rows_that_name_another_exchange_are_left_aside(office: Office) -> None:
    path = office.folder / "both.csv"
    rows = [
        f"{name},{line.symbol},{line.time},{line.rate},8" for line in BTC for name in ("binance", "aster")
    ]
    path.write_text("exchange,symbol,funding_time_s,rate,interval_hours\n" + "\n".join(rows) + "\n")
    report = await office.importer.run(1, office.order(path))
    assert (report.word, report.inserted, report.aside) == ("ok", 90, {"aster": 90})
    wrong = await office.importer.run(1, office.order(path, exchange="lighter"))
    assert wrong.error is not None
    assert "it is of aster, binance, not of lighter" in wrong.error


async def test_a_few_bad_rows_are_named_by_line_and_the_rest_is_stored(office: Office) -> None:
    lines: list[Line | str] = [*many(5, 60), "M00USDT,1795176000,NaN,8", "M00USDT,1795176000,3.5,8"]
    report = await office.bring(lines)
    assert (report.word, report.inserted, report.bad) == ("partial", 300, 2)
    assert [row.partition(":")[0] for row in report.bad_rows] == ["line 302", "line 303"]
    assert office.run(report.run_id)[5] == 2


async def test_too_many_bad_rows_refuse_the_file_unless_accepted(office: Office) -> None:
    lines: list[Line | str] = [*BTC, "BTCUSDT,1795176000,NaN,8"]
    report = await office.bring(lines)
    assert (report.word, office.rows()) == ("error", [])
    assert report.error is not None
    assert "1 of 91 rows are bad (1.1%, more than 1%)" in report.error
    accepted = await office.bring(lines, accept_bad=True)
    assert (accepted.word, accepted.inserted) == ("partial", 90)


async def test_a_file_makes_no_thousands_of_markets(office: Office) -> None:
    report = await office.bring([Line(f"M{n}USDT", NOON, 0.0001, 8) for n in range(5001)])
    assert report.error == "more than 5,000 markets: no exchange has as many"
    assert office.ledger.writer.value("SELECT COUNT(*) FROM market") == 0


async def test_a_known_symbol_in_another_case_is_no_other_market(office: Office) -> None:
    markets_of(office, "kPEPE", [])
    writer = office.ledger.writer
    with writer.transaction():
        writer.change("UPDATE exchange SET name = 'hyperliquid' WHERE name = 'binance'")
    lines = [line._replace(symbol="KPEPE") for line in BTC]
    report = await office.bring(lines, exchange="hyperliquid")
    assert report.error is not None
    assert "its symbol is not written like one of hyperliquid" in report.error


async def test_what_is_no_file_of_settlements_is_refused_in_words(office: Office) -> None:
    path = office.folder / "notes.txt"
    path.write_text("dear diary\n")
    report = await office.importer.run(1, office.order(path))
    assert report.word == "error"
    assert report.error
    assert office.run(report.run_id)[0] == "error"


# Markets


async def test_a_market_that_only_the_file_knows_is_made_and_is_active_once_listed(office: Office) -> None:
    await office.bring(eight_hourly("1000PEPEUSDT", 30))
    writer = office.ledger.writer
    assert writer.rows("SELECT ticker, asset_class, multiplier, status FROM market") == [
        ("PEPE", "crypto", 1000.0, "delisted")
    ]
    listed = Market("binance", "1000PEPEUSDT", Asset("PEPE", AssetClass.CRYPTO, 1000.0))
    with writer.transaction():
        markets.save_listing(writer, "binance", [listed], (), office.clock.now())
    assert writer.value("SELECT status FROM market") == "active"
    assert writer.rows("SELECT kind FROM event") == [], "it was not taken off before, nor is it new"


async def test_what_a_person_says_of_a_market_holds_for_one_that_only_a_file_knows(office: Office) -> None:
    rules = Rules(Overrides(ticker={"binance:BTCUSDT": "BITCOIN"}))
    importer = Importer(office.ledger, office.clock, office.events.append, rules)
    await importer.run(1, office.order(write(office.folder / "b.csv", BTC)))
    assert office.ledger.writer.value("SELECT ticker FROM market") == "BITCOIN"


# Holes


async def test_an_import_fills_holes_and_they_are_no_gaps_any_more(office: Office) -> None:
    writer, now = office.ledger.writer, office.clock.now()
    office.store(markets_of(office, "BTCUSDT", settlements(BTC[:10] + BTC[20:])), Source.EXCHANGE)
    hole = Window(BTC[9].time, BTC[19].time)
    horizon = BTC[0].time
    with writer.transaction():
        absences.record_absence(writer, "binance", [("BTCUSDT", hole)], now)

    def due() -> list[Window]:
        return missing.missing(writer, "binance", horizon=horizon, now=now, again=True)["BTCUSDT"]

    before = due()
    assert hole in before
    await office.bring(BTC)
    assert due() == [window for window in before if window != hole]
    assert writer.value("SELECT COUNT(*) FROM absence") == 0
    assert writer.value("SELECT coverage_7d FROM summary") > 0.9, "windows follow"


# Beside the sweeps


async def test_progress_and_the_run_are_told_while_it_works(office: Office) -> None:
    await office.bring(many(20, 300))
    await asyncio.sleep(0)
    kinds = [type(event) for event in office.events]
    assert kinds.index(RunStarted) < kinds.index(RunEnded) == len(kinds) - 1
    stages = [event.stage for event in office.events if isinstance(event, ImportProgress)]
    assert set(stages) == {"reading", "storing"}


async def test_batches_are_small_and_each_waits_while_a_sweep_is_under_way(office: Office) -> None:
    most = 0
    commits = 0
    real = trackers.count_rows

    def count(writer: object, run_id: int, **counts: int) -> None:
        nonlocal most, commits
        most, commits = max(most, counts.get("inserted", 0)), commits + 1
        office.clock.up += 0.05
        real(writer, run_id, **counts)  # type: ignore[arg-type]

    office.sweeping = True
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(trackers, "count_rows", count)
        await office.bring(many(30, 500))
    assert most <= 5000
    waits = [seconds for seconds in office.clock.slept if seconds]
    assert len(waits) == 4
    assert waits == pytest.approx([0.2] * 4, abs=0.01), "four times as long as the work took"


async def test_cancelled_in_the_middle_it_keeps_what_came_and_again_completes_it(office: Office) -> None:
    lines = many(30, 500)
    task = asyncio.create_task(office.bring(lines))
    while not any(isinstance(e, ImportProgress) and e.stage == "storing" for e in office.events):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    writer = office.ledger.writer
    run_id, outcome, inserted = writer.rows("SELECT id, outcome, inserted FROM run")[0]
    assert (outcome, inserted) == ("cancelled", len(office.rows()))
    assert 0 < inserted < len(lines)
    report = await office.bring(lines)
    assert (report.inserted, len(office.rows())) == (len(lines) - inserted, len(lines))
    assert f"run {run_id} on 2026-11-20 12:06 UTC was cancelled in the middle" in " ".join(report.notes)


async def test_a_full_disk_is_said_and_the_import_completes_once_there_is_room(office: Office) -> None:
    writer = office.ledger.writer
    lines = many(30, 500)
    pages = writer.value("PRAGMA page_count")
    writer.value(f"PRAGMA max_page_count = {pages + 100}")
    report = await office.bring(lines)
    assert report.word == "error"
    assert report.error is not None
    assert "no room left" in report.error
    stored = len(office.rows())
    assert 0 < stored < len(lines)
    assert stored == report.inserted == state(writer, "binance").total_records  # type: ignore[union-attr]
    writer.value(f"PRAGMA max_page_count = {pages + 10_000}")
    await office.bring(lines)
    assert len(office.rows()) == len(lines)


async def test_a_bug_in_the_reading_stops_only_the_import(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr("fundwatch.collector.importing.survey.open_import", broken)
    report = await office.bring(BTC)
    assert report.word == "error"
    assert report.error is not None
    assert "fundwatch itself failed" in report.error


# Dry runs


@pytest.mark.parametrize("seed", range(6))
async def test_a_dry_run_counts_what_the_import_then_does(office: Office, seed: int) -> None:
    """Half of it stored already by the exchange, by an import, recorded, or coarser; some rows differ."""
    lines = [line for n in range(4) for line in eight_hourly(f"M{n}USDT", 150, seed=seed)]
    stored = settlements(lines[::3])
    office.store(markets_of(office, "M0USDT", [r for r in stored if r.symbol == "M0USDT"]), Source.EXCHANGE)
    office.store(markets_of(office, "M1USDT", [r for r in stored if r.symbol == "M1USDT"]), Source.RECORDED)
    imported = [replace(r, rate=r.rate * (1 + (n % 9 == 0))) for n, r in enumerate(stored)]
    office.store(markets_of(office, "M2USDT", [r for r in imported if r.symbol == "M2USDT"]), Source.IMPORT)
    file: list[Line | str] = [line if n % 5 else line._replace(hours=None) for n, line in enumerate(lines)]
    file += ["M0USDT,1795176000,NaN,8", "M3USDT,1795176000,0.0001,24"]
    before = office.rows()
    tried = office.rehearse(file)
    assert office.rows() == before
    assert office.ledger.writer.value("SELECT COUNT(*) FROM run WHERE file_name IS NOT NULL") == 0
    done = await office.bring(file)
    assert done.run_id is not None
    assert tried.run_id is None
    done.run_id = None
    assert tried == done
    assert tried.inserted > 100
    assert tried.conflicts > 0


async def test_a_dry_run_leaves_no_file_behind(office: Office) -> None:
    office.rehearse(BTC)
    assert {path.name for path in office.folder.iterdir()} <= {
        *("past.csv", "fundwatch.db", "fundwatch.db-wal", "fundwatch.db-shm", "fundwatch.db.lock")
    }


def markets_of(office: Office, symbol: str, rows: list[Settlement]) -> list[Settlement]:
    """`rows`, after making their market an active one of Binance."""
    market = Market("binance", symbol, Asset(symbol.removesuffix("USDT"), AssetClass.CRYPTO))
    with office.ledger.writer.transaction():
        markets.save_listing(office.ledger.writer, "binance", [market], (), office.clock.now(), whole=False)
    return rows
