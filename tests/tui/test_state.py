"""What is kept for a person, and what happens to a damaged file."""

import json
from pathlib import Path

import msgspec
import pytest

from fundwatch.tui.state import ScreenState, Sort, StateFile


def starring(asset: str) -> ScreenState:
    return ScreenState(starred=frozenset({(asset, "crypto")}))


def test_what_was_changed_is_there_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "screen.json"
    state = ScreenState(frozenset({("BTC", "crypto")}), {"rates": Sort("7d", True)}, "equity", True, True)
    StateFile(path).change(lambda _: state)
    assert StateFile(path).state == state
    assert [entry.name for entry in path.parent.iterdir()] == ["screen.json"]


def test_without_a_file_everything_is_as_usual(tmp_path: Path) -> None:
    file = StateFile(tmp_path / "screen.json")
    assert (file.state, file.take_notice()) == (ScreenState(), None)


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"starred": 5}', b"\xff\xfe", b'{"sorts": {"rates": 1}}', b"[]"]
)
def test_a_damaged_file_is_told_once_and_written_anew(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "screen.json"
    path.write_bytes(content)
    file = StateFile(path)
    assert file.state == ScreenState()
    assert "damaged" in (file.take_notice() or "")
    file.change(lambda _: starring("BTC"))
    assert file.take_notice() is None
    assert StateFile(path).state == starring("BTC")


def test_what_a_later_version_keeps_too_is_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "screen.json"
    path.write_text(json.dumps({"starred": [["BTC", "crypto"]], "later": 1}))
    file = StateFile(path)
    assert (file.state, file.take_notice()) == (starring("BTC"), None)


def test_two_screens_do_not_lose_each_other_s_stars(tmp_path: Path) -> None:
    one, other = StateFile(tmp_path / "screen.json"), StateFile(tmp_path / "screen.json")
    one.change(lambda state: msgspec.structs.replace(state, starred=state.starred | {("BTC", "c")}))
    other.change(lambda state: msgspec.structs.replace(state, starred=state.starred | {("ETH", "c")}))
    assert StateFile(tmp_path / "screen.json").state.starred == {("BTC", "c"), ("ETH", "c")}


def test_a_folder_that_cannot_be_written_is_told_and_the_screen_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    file = StateFile(tmp_path / "file" / "screen.json")
    file.take_notice()
    file.change(lambda _: starring("BTC"))
    assert "cannot be written" in (file.take_notice() or "")
    assert file.state == starring("BTC")
    file.change(lambda _: starring("ETH"))
    assert file.take_notice() is None


def test_without_a_path_nothing_is_kept() -> None:
    file = StateFile()
    file.change(lambda _: starring("BTC"))
    assert (file.state, file.take_notice()) == (starring("BTC"), None)
