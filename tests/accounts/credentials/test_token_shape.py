"""The text of a token: what it looks like and what is checked before anybody is asked."""

import re
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.credentials.queries import actor_by_token
from accounts.credentials.rules import BASE62, Letter, digest, new_token, read_token


def test_a_token_is_one_word_of_a_known_shape():
    parts, text = new_token(Letter.TESTER)
    assert re.fullmatch(r"grm_t_[0-9A-Za-z]{61}", text)
    assert text == f"grm_t_{parts.key_id}{parts.secret}{text[-6:]}"
    assert (len(parts.key_id), len(parts.secret)) == (12, 43)


def test_what_is_written_is_read_back():
    parts, text = new_token(Letter.TESTER)
    assert read_token(text) == parts


def test_the_last_six_signs_are_the_crc_of_the_rest():
    _parts, text = new_token(Letter.SERVICE)
    number = 0
    for sign in text[-6:]:
        number = number * 62 + BASE62.index(sign)
    assert number == zlib.crc32(text[:-6].encode())


@given(place=st.integers(0, 66), sign=st.sampled_from(BASE62))
def test_one_wrong_sign_is_noticed(place, sign):
    _parts, text = new_token(Letter.TESTER)
    wrong = text[:place] + sign + text[place + 1 :]
    assert (read_token(wrong) is not None) == (wrong == text)


@given(st.text(max_size=90))
def test_nonsense_is_no_token(text):
    assert read_token(text) is None


def test_a_line_feed_behind_a_token_is_not_forgiven():
    _parts, text = new_token(Letter.TESTER)
    assert read_token(f"{text}\n") is None


def test_the_secret_does_not_show_when_the_parts_are_printed():
    parts, _text = new_token(Letter.TESTER)
    assert parts.secret not in repr(parts)
    assert parts.secret not in str([parts])


def test_the_same_secret_under_another_pepper_is_another_digest():
    parts, _text = new_token(Letter.TESTER)
    assert digest(parts, "one") != digest(parts, "two")


def test_a_token_cannot_be_rewritten_into_another_kind():
    parts, _text = new_token(Letter.TESTER)
    assert digest(replace(parts, letter=Letter.SERVICE), "one") != digest(parts, "one")


def test_a_bad_checksum_costs_no_query(db, django_assert_num_queries):
    _parts, text = new_token(Letter.TESTER)
    wrong = text[:-1] + ("a" if text[-1] != "a" else "b")
    with django_assert_num_queries(0):
        assert actor_by_token(wrong) is None


@pytest.mark.parametrize("letter", list(Letter))
def test_every_kind_of_token_can_be_told_by_its_letter(letter):
    parts, text = new_token(letter)
    assert text[4] == parts.letter == letter
