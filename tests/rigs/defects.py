"""Defects that the tests must find, and the way to run tests with one of them in the product.

    python -m tests.rigs.defects [--whole] [NAME ...]

runs the tests of each defect (or all tests) in a process of its own, and prints a line of JSON for each: its
name, pytest's exit code, the end of what pytest said. The defect is applied while the product is imported, so
that no file is changed: the module's text is read, replaced in one place, compiled.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType
from typing import NamedTuple

import pytest

AT_ONCE = 2
_LOADED_ONCE = ("respx", "hypothesis", "pytest_asyncio.plugin", "anyio.pytest_plugin", "peewee", "httpx")
"""What every process needs and no defect is in: a third of a second each."""

NONE = "none"
"""The run without a defect, in which all of their tests must pass."""


@dataclass(frozen=True, slots=True)
class Defect:
    """`module` with `right` (which it holds exactly once) turned into `wrong`; `tests` must find it."""

    module: str
    right: str
    wrong: str
    tests: tuple[str, ...]


DEFECTS: Mapping[str, Defect] = {
    "synchronous is off": Defect(
        "fundwatch.storage.database",
        '"synchronous": 2,',
        '"synchronous": 0,',
        ("tests/storage/test_database.py::test_the_writer_is_as_careful_as_sqlite_can_be",),
    ),
    "the rank of truth is not asked": Defect(
        "fundwatch.storage.truth",
        "elif row.rank > old.rank or (row.rank == old.rank == Source.RECORDED and row.run_id >= old.run_id):",
        "elif True:",
        ("tests/storage/test_settlements.py::test_a_lower_rank_never_replaces_a_higher_one",),
    ),
    "rows and counters are two transactions": Defect(
        "fundwatch.collector.ledger",
        "            self._count(run_id, stored, len(answer.refused))\n",
        "        with self.writer.transaction():\n"
        "            self._count(run_id, stored, len(answer.refused))\n",
        ("tests/collector/test_ledger.py::test_rows_whose_other_half_cannot_be_written_are_not_stored",),
    ),
    "Retry-After is ignored": Defect(
        "fundwatch.exchanges.verdict",
        'value = headers.get("retry-after", "").strip()',
        'value = ""',
        ("tests/exchanges/test_verdict.py::test_the_pause_that_a_venue_asks_for_is_kept",),
    ),
    "the interval of a payment is that of today": Defect(
        "fundwatch.collector.spacing",
        "    return replace(answer, rows=tuple(rows))",
        "    known = interval_context(db, exchange, [row.symbol for row in rows], 1 << 40)\n"
        "    rows = [replace(row, interval_hours=known[row.symbol].current_hours)\n"
        "            if row.symbol in known else row for row in rows]\n"
        "    return replace(answer, rows=tuple(rows))",
        (
            "tests/collector/test_spacing.py::test_payments_of_eight_hours_keep_them_in_a_market_that_pays_every_four_today",
        ),
    ),
    "payments may overlap": Defect(
        "fundwatch.storage.truth",
        "            found.append(other)\n",
        "            pass\n",
        (
            "tests/storage/test_settlements.py::test_a_row_that_reaches_over_the_edge_of_a_stored_one_is_refused",
        ),
    ),
    "partial counts as success": Defect(
        "fundwatch.storage.trackers",
        '    if outcome == "ok":\n',
        '    if outcome in ("ok", "partial"):\n',
        ("tests/storage/test_trackers.py::test_partial_is_not_success",),
    ),
    "the clock is trusted": Defect(
        "fundwatch.collector.collector",
        "        if job.next_run is not None and job.next_run - now > timedelta(seconds=job.interval):\n",
        "        if False:\n",
        ("tests/collector/test_loop.py::test_the_loop_goes_on_when_the_clock_is_set",),
    ),
    "a venue's clock is ours": Defect(
        "fundwatch.exchanges.verdict",
        "    ahead = max(0.0, ",
        "    ahead = 0.0 * max(0.0, ",
        ("tests/exchanges/test_verdict.py::test_a_clock_of_ours_that_is_ahead_does_not_bring_us_back_early",),
    ),
    "outside text is not cleaned": Defect(
        "fundwatch.text",
        "        elif unicodedata.category(char) not in _UNSAFE and char not in _UNSEEN:\n",
        "        elif True:\n",
        ("tests/test_text.py::test_outside_text_is_made_harmless",),
    ),
    "a transaction begins as a reader": Defect(
        "fundwatch.storage.database",
        'connection.execute("BEGIN IMMEDIATE")',
        'connection.execute("BEGIN DEFERRED")',
        ("tests/storage/test_database.py::test_a_writer_waits_for_another_and_then_says_so",),
    ),
    "a ban ends with the process": Defect(
        "fundwatch.collector.bans",
        "            bans.put(self._writer, BanRow(scope, ban.kind, ban.until, ban.reason, ban.strikes))\n",
        "            pass\n",
        ("tests/collector/test_bans.py::test_a_new_process_sends_nothing_before_a_ban_ends",),
    ),
    "units are not checked": Defect(
        "fundwatch.collector.unit_gate",
        'failed = [check for check in self.checks if check.verdict == "error"]',
        "failed: list[Check] = []",
        ("tests/collector/test_unit_gate.py::test_a_late_change_of_mind_takes_back_what_the_run_stored",),
    ),
    "a field told twice is taken": Defect(
        "fundwatch.exchanges.decode",
        "    return found[0] if found else None\n",
        "    return None\n",
        ("tests/exchanges/test_decode.py::test_a_row_that_says_a_thing_twice_is_refused",),
    ),
}
"""What would cost a person money or trust, each by the name under which a failure is told."""


class _Patching(SourceFileLoader):
    def __init__(self, spec: ModuleSpec, defect: Defect) -> None:
        assert spec.origin is not None
        super().__init__(spec.name, spec.origin)
        self._defect = defect

    def get_code(self, fullname: str) -> CodeType:
        """Compiled anew: what is cached of the module is without the defect."""
        text = self.get_data(self.path).decode()
        found = text.count(self._defect.right)
        if found != 1:
            raise RuntimeError(f"{self.path} holds {self._defect.right!r} {found} times: renew the defect")
        changed = text.replace(self._defect.right, self._defect.wrong)
        return compile(changed, self.path, "exec", dont_inherit=True)


class _Finder(MetaPathFinder):
    def __init__(self, defect: Defect) -> None:
        self._defect = defect

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._defect.module:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None:
            spec.loader = _Patching(spec, self._defect)
        return spec


class Verdict(NamedTuple):
    """What pytest said of a defect: 0 when all passed, 1 when a test failed, more when it could not run."""

    name: str
    code: int
    said: str


def run(names: Iterable[str], *, whole: bool = False) -> Iterator[Verdict]:
    """Runs the tests of `names`, or all tests, `AT_ONCE` processes at a time."""
    for module in _LOADED_ONCE:
        import_module(module)
    waiting = list(names)
    running: dict[int, tuple[str, Path]] = {}
    with tempfile.TemporaryDirectory() as folder:
        while waiting or running:
            while waiting and len(running) < AT_ONCE:
                name = waiting.pop(0)
                said = Path(folder, f"{len(waiting)}.txt")
                if not (pid := os.fork()):
                    _be(name, said, whole)
                running[pid] = name, said
            pid, status = os.wait()
            name, said = running.pop(pid)
            yield Verdict(name, os.waitstatus_to_exitcode(status), said.read_text()[-2000:])


def _be(name: str, said: Path, whole: bool) -> None:
    """Ends this process with pytest's exit code."""
    code = 99
    try:
        with said.open("w") as output:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
        if name != NONE:
            sys.meta_path.insert(0, _Finder(DEFECTS[name]))
        known = "ignore::pytest.PytestAssertRewriteWarning"
        options = ["-q", "-x", "-n", "0", "--tb=line", "-p", "no:cacheprovider", "-W", known]
        code = pytest.main([*options, *_tests_of(name, whole)])
    finally:
        sys.stdout.flush()
        os._exit(code)


def _tests_of(name: str, whole: bool) -> list[str]:
    if whole:
        return ["tests", "--ignore=tests/acceptance/test_defects.py"]
    chosen = DEFECTS.values() if name == NONE else [DEFECTS[name]]
    return [test for defect in chosen for test in defect.tests]


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--whole"]
    for verdict in run(arguments or [NONE, *DEFECTS], whole="--whole" in sys.argv):
        print(json.dumps(verdict), flush=True)
