"""Defects that the tests must find, and the way to run tests with one of them in the product.

As a pytest plugin (`-p tests.rigs.defects`) it applies the defect that `FUNDWATCH_DEFECT` names while the
product is imported, so that no file is changed: the module's text is read, replaced in one place, compiled.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType

VARIABLE = "FUNDWATCH_DEFECT"


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
        ("tests/storage/test_settlements.py", "tests/storage/test_truth.py"),
    ),
    "rows and counters are two transactions": Defect(
        "fundwatch.collector.ledger",
        "            self._count(run_id, stored, len(answer.refused))\n",
        "        with self.writer.transaction():\n"
        "            self._count(run_id, stored, len(answer.refused))\n",
        ("tests/collector/test_status.py",),
    ),
    "Retry-After is ignored": Defect(
        "fundwatch.exchanges.verdict",
        'value = headers.get("retry-after", "").strip()',
        'value = ""',
        ("tests/exchanges/test_verdict.py",),
    ),
    "the interval of a payment is that of today": Defect(
        "fundwatch.collector.spacing",
        "    return replace(answer, rows=tuple(rows))",
        "    known = interval_context(db, exchange, [row.symbol for row in rows], 1 << 40)\n"
        "    rows = [replace(row, interval_hours=known[row.symbol].intervals[-1][1])\n"
        "            if row.symbol in known and known[row.symbol].intervals else row for row in rows]\n"
        "    return replace(answer, rows=tuple(rows))",
        ("tests/collector/test_spacing.py",),
    ),
    "payments may overlap": Defect(
        "fundwatch.storage.truth",
        "            found.append(other)\n",
        "            pass\n",
        ("tests/storage/test_settlements.py", "tests/storage/test_truth.py"),
    ),
    "partial counts as success": Defect(
        "fundwatch.storage.trackers",
        '    if outcome == "ok":\n',
        '    if outcome in ("ok", "partial"):\n',
        ("tests/storage/test_trackers.py",),
    ),
    "the clock is trusted": Defect(
        "fundwatch.collector.collector",
        "        if job.next_run is not None and job.next_run - now > timedelta(seconds=job.interval):\n",
        "        if False:\n",
        ("tests/collector/test_loop.py",),
    ),
    "a venue's clock is ours": Defect(
        "fundwatch.exchanges.verdict",
        "    ahead = max(0.0, ",
        "    ahead = 0.0 * max(0.0, ",
        ("tests/exchanges/test_verdict.py",),
    ),
    "outside text is not cleaned": Defect(
        "fundwatch.text",
        "        if char.isprintable() and char not in _UNSEEN:\n",
        "        if True:\n",
        ("tests/test_text.py",),
    ),
    "a transaction begins as a reader": Defect(
        "fundwatch.storage.database",
        'connection.execute("BEGIN IMMEDIATE")',
        'connection.execute("BEGIN DEFERRED")',
        ("tests/storage/test_database.py",),
    ),
    "a ban ends with the process": Defect(
        "fundwatch.collector.bans",
        "            bans.put(self._writer, BanRow(scope, ban.kind, ban.until, ban.reason, ban.strikes))\n",
        "            pass\n",
        ("tests/collector/test_bans.py",),
    ),
    "units are not checked": Defect(
        "fundwatch.collector.unit_gate",
        'failed = [check for check in self.checks if check.verdict == "error"]',
        "failed: list[Check] = []",
        ("tests/collector/test_unit_gate.py",),
    ),
    "a field told twice is taken": Defect(
        "fundwatch.exchanges.decode",
        "    return found[0] if found else None\n",
        "    return None\n",
        ("tests/exchanges/test_decode.py",),
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
            loader: Loader = _Patching(spec, self._defect)
            spec.loader = loader
        return spec


if (named := os.environ.get(VARIABLE)) is not None:
    if DEFECTS[named].module in sys.modules:
        raise RuntimeError(f"{DEFECTS[named].module} was imported before its defect")
    sys.meta_path.insert(0, _Finder(DEFECTS[named]))
