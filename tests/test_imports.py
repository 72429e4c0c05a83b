"""Which part of the house may know which: read from the source, so that lazy imports count too."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

HOUSE = Path(__file__).parent.parent / "fundwatch"

MAY_IMPORT = {
    "models": set[str](),
    "text": set[str](),
    "clock": set[str](),
    "assets": {"models", "text"},
    "exchanges": {"models", "text", "clock", "assets"},
    "analytics": {"models", "text", "assets"},
}
"""For parts that must stay below: all of ours that they may know beside themselves."""

MUST_NOT_IMPORT = {
    "storage": {"exchanges", "collector", "demo", "tui", "cli", "commands"},
    "collector": {"demo", "tui", "cli", "commands"},
    "demo": {"storage", "collector", "tui", "cli", "commands"},
    "tui": {"exchanges"},
}

KNOW_THE_DEMO = {"demo", "cli", "commands", "config"}

CLOCK_CALLS = {
    "time.time",
    "time.time_ns",
    "time.monotonic",
    "time.monotonic_ns",
    "time.sleep",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
}


@dataclass(frozen=True, slots=True)
class Import:
    """`module` imported at `file`:`line`; `late` inside a function, `typing` only for type checkers."""

    file: Path
    line: int
    module: str
    late: bool
    typing: bool

    def __str__(self) -> str:
        return f"{self.file.relative_to(HOUSE.parent)}:{self.line} imports {self.module}"

    @property
    def part(self) -> str:
        """The part of ours that is imported; "" for the bare package and for other people's modules."""
        package, _, rest = self.module.partition(".")
        return rest.split(".")[0] if package == "fundwatch" else ""


def part_of(file: Path) -> str:
    return file.relative_to(HOUSE).parts[0].removesuffix(".py")


def name_of(file: Path) -> str:
    return ".".join(file.relative_to(HOUSE.parent).with_suffix("").parts).removesuffix(".__init__")


@cache
def files() -> dict[Path, ast.Module]:
    return {file: ast.parse(file.read_text("utf-8"), str(file)) for file in sorted(HOUSE.rglob("*.py"))}


@cache
def modules() -> frozenset[str]:
    return frozenset(name_of(file) for file in files())


@cache
def imports() -> tuple[Import, ...]:
    return tuple(found for file, tree in files().items() for found in _imports(file, tree, False, False))


def _imports(file: Path, node: ast.AST, late: bool, typing: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(file, child.lineno, alias.name, late, typing)
        elif isinstance(child, ast.ImportFrom):
            for module in _from(file, child):
                yield Import(file, child.lineno, module, late, typing)
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            yield from _imports(file, child, late, True)
        else:
            function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            yield from _imports(file, child, late or function, typing)


def _from(file: Path, node: ast.ImportFrom) -> set[str]:
    """`from a import b` imports the module a.b if there is one, else a."""
    base = node.module or ""
    if node.level:
        package = name_of(file).split(".")[: len(file.relative_to(HOUSE.parent).parts) - node.level]
        base = ".".join([*package, *filter(None, [node.module])])
    inside = {f"{base}.{alias.name}" for alias in node.names}
    return {name if name in modules() else base for name in inside}


def test_the_reader_sees_the_house() -> None:
    """The rules below would all hold in an empty one."""
    assert {"fundwatch.models", "fundwatch.exchanges.http", "fundwatch.storage"} <= modules()
    assert any(i.module == "httpx" for i in imports())
    assert any(i.module == "fundwatch.models" for i in imports())


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_lower_parts_know_only_what_lies_below_them(part: str) -> None:
    allowed = MAY_IMPORT[part] | {part, "", "__version__"}
    assert [str(i) for i in imports() if part_of(i.file) == part and i.part not in allowed] == []


@pytest.mark.parametrize("part", MUST_NOT_IMPORT)
def test_parts_do_not_reach_past_their_neighbours(part: str) -> None:
    assert [str(i) for i in imports() if part_of(i.file) == part and i.part in MUST_NOT_IMPORT[part]] == []


def test_the_demo_is_known_to_few_and_loaded_only_when_asked_for() -> None:
    outside = [i for i in imports() if i.part == "demo" and part_of(i.file) != "demo" and not i.typing]
    assert [str(i) for i in outside if part_of(i.file) not in KNOW_THE_DEMO or not i.late] == []


@pytest.mark.parametrize("library", ["textual", "rich"])
def test_only_the_screen_knows_what_draws_it(library: str) -> None:
    drawn = [i for i in imports() if i.module.split(".")[0] == library and part_of(i.file) != "tui"]
    assert [str(i) for i in drawn] == []


def test_only_one_module_speaks_http_through_httpx() -> None:
    speaking = [i for i in imports() if i.module.split(".")[0] in ("httpx", "httpcore")]
    assert [str(i) for i in speaking if name_of(i.file) != "fundwatch.exchanges.http"] == []


@pytest.mark.parametrize("library", ["sqlite3", "peewee"])
def test_only_storage_speaks_sql(library: str) -> None:
    speaking = [i for i in imports() if i.module.split(".")[0] == library]
    assert [str(i) for i in speaking if part_of(i.file) != "storage"] == []


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph: dict[str, set[str]] = {}
    for found in imports():
        if found.module in modules() and not found.late and not found.typing:
            graph.setdefault(name_of(found.file), set()).add(found.module)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail("imports in a circle: " + " -> ".join(error.args[1]))


def test_only_the_clock_asks_for_the_time() -> None:
    asking = []
    for file, tree in files().items():
        if name_of(file) == "fundwatch.clock":
            continue
        names = _names(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Load):
                first, *rest = ast.unparse(node).split(".")
                if ".".join([names.get(first, first), *rest]) in CLOCK_CALLS:
                    asking.append(f"{file.relative_to(HOUSE.parent)}:{node.lineno} {ast.unparse(node)}")
    assert asking == []


def _names(tree: ast.Module) -> dict[str, str]:
    """What each imported name stands for: `from datetime import datetime as dt` -> dt: datetime.datetime."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom):
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names
