from fundwatch.answers.memo import Memo


def test_an_answer_stands_for_the_state_that_it_was_derived_from() -> None:
    memo, derived = Memo(), iter("abcd")
    assert memo.keep("x", 1, lambda: next(derived)) == "a"
    assert memo.keep("x", 1, lambda: next(derived)) == "a"
    assert memo.keep("x", 2, lambda: next(derived)) == "b"
    assert memo.keep("x", 1, lambda: next(derived)) == "c", "only the last one is kept"


def test_answers_of_other_names_do_not_disturb_each_other() -> None:
    memo = Memo()
    assert (memo.keep("x", 1, lambda: "a"), memo.keep("y", 1, lambda: "b")) == ("a", "b")
    assert (memo.keep("x", 1, lambda: ""), memo.keep("y", 1, lambda: "")) == ("a", "b")
