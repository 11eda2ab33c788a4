"""Problems: their order, their text, and the nearest name."""

from __future__ import annotations

from negative_list.errors import FieldProblem, ListError, Problem, RequestError, UnknownNameError, nearest


def test_a_problem_says_where_it_is() -> None:
    """File, row and column as far as they are known, then the path and the message."""
    whole = Problem(file="a.csv", row=3, column=2, path="sex", message="no such word")
    assert str(whole) == "a.csv:3:2: sex: no such word"
    assert str(Problem(file="a.toml", message="cannot be read")) == "a.toml: cannot be read"


def test_problems_are_sorted_by_place() -> None:
    """Whatever order they were found in, they read from top to bottom."""
    found = [Problem(file="a", row=10, message="x"), Problem(file="a", row=9, message="y")]
    assert [problem.row for problem in ListError(found).problems] == [9, 10]


def test_a_refusal_names_its_fields() -> None:
    """The text of the error is the text of its problems."""
    error = RequestError([FieldProblem(field="input", message="expected an object")])
    assert str(error) == "input: expected an object"


def test_the_nearest_name_is_offered_only_when_near() -> None:
    """A slip is met with a name, a wild guess with none; case does not matter."""
    assert nearest("Quantitty", ["quantity", "unit"]) == "; did you mean `quantity`?"
    assert nearest("zzz", ["quantity", "unit"]) == ""
    assert str(UnknownNameError("set", "anti", ["antis"])) == "no set is called `anti`; did you mean `antis`?"
