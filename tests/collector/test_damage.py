"""A database that turns out to be damaged while it is collected into."""

from pathlib import Path

from fundwatch.collector.events import Trouble
from tests.collector.bench import Bench, on_bench


def test_a_run_and_a_tick_that_meet_a_damaged_page_say_what_to_do(tmp_path: Path) -> None:
    async def script(bench: Bench) -> None:
        await bench.pass_time(30)
        writer = bench.ledger.writer
        writer.checkpoint(truncate=True)
        page = writer.value("SELECT rootpage FROM sqlite_schema WHERE name = 'unit_check'")
        size = writer.value("PRAGMA page_size")
        with writer.path.open("r+b") as file:
            file.seek((page - 1) * size)
            file.write(bytes(size))
        writer.connection().execute("PRAGMA cache_size = 0")
        bench.forget()

        outcome = await bench.collector.trackers["aster"].sweep()
        bench.collector._guarded("identity", lambda: writer.rows("SELECT * FROM unit_check"))

        assert outcome.word == "error"
        assert outcome.error is not None
        troubles = [event for event in bench.events if isinstance(event, Trouble)]
        assert len(troubles) >= 2
        for said in (outcome.error, *(trouble.message for trouble in troubles)):
            assert str(writer.path) in said
            assert "is damaged" in said
            assert "`fundwatch restore`" in said

    on_bench(tmp_path, script)
