"""Which version governs, and what changed."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.agreements import rules
from accounts.agreements.rules import (
    DELETE,
    EQUAL,
    INSERT,
    MOST_STEPS,
    Answer,
    governs,
    matching_steps,
    word_diff,
)

texts = st.lists(
    st.sampled_from(["clips", "you", "may", "not", ", ", ". ", "\n\n", "\n", " ", "é", "\r\n"]),
    max_size=40,
).map("".join)


def side(pieces, *kinds):
    return "".join(words for kind, words in pieces if kind in kinds)


@given(texts, texts)
def test_nothing_gets_lost_between_two_texts(before, after):
    pieces = word_diff(before, after)
    assert side(pieces, EQUAL, DELETE) == before
    assert side(pieces, EQUAL, INSERT) == after
    assert all(words for _kind, words in pieces)
    assert all(one[0] != next_one[0] for one, next_one in pairwise(pieces))


def test_a_changed_word_is_marked_alone():
    before = "First.\n\nYou may make clips, and show them.\n\nLast."
    after = "First.\n\nYou may make films, and show them.\n\nLast."
    assert word_diff(before, after) == [
        (EQUAL, "First.\n\nYou may make "),
        (DELETE, "clips"),
        (INSERT, "films"),
        (EQUAL, ", and show them.\n\nLast."),
    ]


def test_a_new_paragraph_is_marked_whole():
    assert word_diff("One.\n\nThree.", "One.\n\nTwo.\n\nThree.") == [
        (EQUAL, "One.\n\n"),
        (INSERT, "Two.\n\n"),
        (EQUAL, "Three."),
    ]


def test_a_paragraph_at_the_end_leaves_the_one_before_unmarked():
    assert word_diff("One.", "One.\n\nTwo.") == [(EQUAL, "One."), (INSERT, "\n\nTwo.")]


def test_the_same_text_has_no_marks():
    assert word_diff("Same.\n\nSame.", "Same.\n\nSame.") == [(EQUAL, "Same.\n\nSame.")]
    assert word_diff("", "") == []


def test_what_would_take_too_many_steps_is_shown_whole_and_never_matched(monkeypatch):
    before = " ".join(f"the w{n}" for n in range(5_000))
    after = " ".join(f"the v{n}" for n in range(5_000))
    assert matching_steps(before.split(), after.split()) > MOST_STEPS
    monkeypatch.setattr(rules, "SequenceMatcher", None)
    head = "the "
    assert word_diff(before, after) == [
        (EQUAL, head),
        (DELETE, before.removeprefix(head)),
        (INSERT, after.removeprefix(head)),
    ]


def test_steps_are_counted_by_what_is_the_same_on_both_sides():
    assert matching_steps(["a", "b"], ["c", "d"]) == 2
    assert matching_steps(["a", "a", "b"], ["a", "a"]) == (3 + 4) * 5


def test_all_paragraphs_of_a_text_share_one_bound(monkeypatch):
    taken = []
    counted = matching_steps
    monkeypatch.setattr(rules, "MOST_STEPS", 1_000)
    monkeypatch.setattr(
        rules, "matching_steps", lambda *two: taken.append(counted(*two)) or taken[-1]
    )
    before = "\n\n".join(f"You may {n} and may {n} show" for n in range(50))
    after = "\n\n".join(f"They may {n}x and may {n} tell" for n in range(50))
    pieces = word_diff(before, after)
    assert sum(taken) > 1_000
    assert (EQUAL, "may ") in pieces
    assert pieces[-2:] == [
        (DELETE, "You may 49 and may 49 show"),
        (INSERT, "They may 49x and may 49 tell"),
    ]


@pytest.mark.parametrize(
    ("overdue", "answer", "expected"),
    [
        (0, None, False),
        (0, Answer(1, is_yes=True), True),
        (1, Answer(1, is_yes=True), True),
        (0, Answer(1, is_yes=False), False),
        (2, Answer(1, is_yes=True), False),
        (2, Answer(2, is_yes=True), True),
        (2, Answer(3, is_yes=True), True),
        (0, Answer(2, is_yes=False), False),
    ],
)
def test_the_last_answer_on_the_newest_version_answered_counts(overdue, answer, expected):
    assert governs(overdue=overdue, answer=answer) is expected
