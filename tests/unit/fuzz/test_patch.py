"""Diffs are applied where their lines are, or not at all."""

import pytest

from relever.fuzz.patch import PatchError, apply, header

BEFORE = "one\ntwo\nthree\nfour\n"
DIFF = """A header.

--- a/some/file
+++ b/some/file
@@ -1,3 +1,4 @@
 one
-two
+2
+2.5
 three
"""


def test_apply__hunk__takes_the_place_of_its_lines() -> None:
    assert apply(DIFF, {"some/file": BEFORE}) == {"some/file": "one\n2\n2.5\nthree\nfour\n"}


def test_apply__file_has_grown_above__finds_the_lines() -> None:
    assert apply(DIFF, {"some/file": "zero\n" * 5 + BEFORE})["some/file"].endswith(
        "2.5\nthree\nfour\n"
    )


def test_apply__lines_are_there_twice__the_place_that_it_names() -> None:
    changed = apply(DIFF, {"some/file": BEFORE + BEFORE})["some/file"]
    assert changed == "one\n2\n2.5\nthree\nfour\n" + BEFORE


def test_apply__several_hunks_and_files__all_of_them() -> None:
    more = "@@ -4,1 +5,0 @@\n-four\n--- a/other\n+++ b/other\n@@ -0,0 +1,2 @@\n+\n+five\n"
    changed = apply(DIFF + more, {"some/file": BEFORE, "other": ""})
    assert changed == {"some/file": "one\n2\n2.5\nthree\n", "other": "\nfive\n"}


def test_apply__lines_are_not_there__says_which_hunk_and_what_to_do() -> None:
    said = r"hunk 1, of some/file line 1, does not apply.* Make the same change"
    with pytest.raises(PatchError, match=said):
        apply(DIFF, {"some/file": BEFORE.replace("three", "3")})


def test_apply__lines_are_there_twice_and_elsewhere__is_not_guessed() -> None:
    with pytest.raises(PatchError, match="does not apply"):
        apply(DIFF, {"some/file": "zero\n" + BEFORE + BEFORE})


def test_apply__no_such_file__says_which() -> None:
    with pytest.raises(PatchError, match="hunk 1 changes some/file, which does not exist"):
        apply(DIFF, {})


@pytest.mark.parametrize(
    ("diff", "said"),
    [
        ("Nothing but words.\n", "no hunk"),
        (DIFF.replace("+++ b/some/file", "+++ b/another"), r"line 3 is no part of a diff"),
        (DIFF.replace(" three", "three"), r"line 10 is no part of a diff: 'three'"),
    ],
)
def test_apply__no_diff__says_where(diff: str, said: str) -> None:
    with pytest.raises(PatchError, match=said):
        apply(diff, {"some/file": BEFORE})


def test_header__is_what_stands_above() -> None:
    assert header(DIFF) == "A header.\n"
