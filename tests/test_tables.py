from fundwatch.tables import Column, cells_of, render


def test_words_stand_left_and_numbers_right() -> None:
    text = render((Column("asset"), Column("APR %", right=True)), [("BTC", "+10.95"), ("PEPE", "-1.00")])
    assert text.splitlines() == ["asset   APR %", "BTC    +10.95", "PEPE    -1.00"]


def test_a_table_without_rows_is_its_heading() -> None:
    assert render((Column("asset"), Column("age", right=True)), []) == "asset  age"


def test_long_text_is_cut_and_says_so() -> None:
    assert render((Column("symbol", widest=6),), [("ABCDEFGH",), ("ABCDEF",)]).splitlines() == [
        "symbol",
        "ABCDE…",
        "ABCDEF",
    ]


def test_no_line_ends_in_blanks() -> None:
    lines = render((Column("a"), Column("trust")), [("x", "NO: stale"), ("y", "ok")]).splitlines()
    assert lines == [line.rstrip() for line in lines]


def test_chinese_tickers_take_two_cells_each() -> None:
    lines = render(
        (Column("asset"), Column("APR %", right=True)), [("币安人生", "+1"), ("é", "+1")]
    ).splitlines()
    assert [cells_of(line) for line in lines] == [15, 15, 15]
    assert lines[1] == "币安人生     +1"


def test_wide_text_is_cut_to_cells_not_to_characters() -> None:
    cut = render((Column("asset", widest=6),), [("币安人生",)]).splitlines()[1]
    assert cut == "币安…"


def test_a_combining_mark_takes_no_cell() -> None:
    assert cells_of("e\u0301x") == 2
