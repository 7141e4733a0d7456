"""One id, three faces: UUID, public text, and the twin in SQL."""

from __future__ import annotations

import time
from uuid import UUID

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as some

from core.ids import ALPHABET, PREFIXES, new_id, read_id, shown


def ask(sql: str, *values: object) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


@given(some.uuids(), some.sampled_from(sorted(PREFIXES)))
def test_what_is_shown_reads_back_to_the_same_id(value, thing):
    assert read_id(thing, shown(thing, value)) == value


def test_python_and_sql_show_the_same_text(db):
    ids = [new_id() for _ in range(200)] + [UUID(int=0), UUID(int=2**128 - 1)]
    rows = ask("SELECT id, core_shown(id) FROM unnest(%s::uuid[]) AS id", ids)
    assert [f"job_{text}" for _, text in rows] == [shown("job", value) for value, _ in rows]


@pytest.mark.parametrize("maker", ["python", "sql"])
def test_both_makers_write_version_seven_with_the_time_in_front(maker, db):
    before = time.time_ns() // 1_000_000
    if maker == "python":
        made = [new_id() for _ in range(500)]
    else:
        made = [row[0] for row in ask("SELECT core_new_id() FROM generate_series(1, 500)")]
    after = time.time_ns() // 1_000_000
    assert len(set(made)) == 500
    for value in made:
        assert value.version == 7
        assert value.variant == "specified in RFC 4122"
        assert before - 1 <= value.int >> 80 <= after + 1


@pytest.mark.parametrize("maker", ["python", "sql"])
def test_every_other_bit_of_both_makers_is_random(maker, db):
    if maker == "python":
        made = [new_id() for _ in range(400)]
    else:
        made = [row[0] for row in ask("SELECT core_new_id() FROM generate_series(1, 400)")]
    fixed = 0xF << 76 | 0x3 << 62
    ever_set = ever_clear = 0
    for value in made:
        ever_set |= value.int
        ever_clear |= ~value.int
    random_bits = (1 << 80) - 1 & ~fixed
    assert ever_set & random_bits == random_bits
    assert ever_clear & random_bits == random_bits


def test_a_later_id_sorts_later_in_all_three_faces(db):
    earlier = new_id()
    time.sleep(0.003)
    later = ask("SELECT core_new_id()")[0][0]
    assert isinstance(later, UUID)
    assert earlier < later
    assert shown("clip", earlier) < shown("clip", later)
    assert ask("SELECT %s::uuid < %s::uuid", earlier, later) == [(True,)]


@given(some.text(alphabet=ALPHABET + "ilouILOU-_ ABC", max_size=30))
def test_nothing_but_the_exact_form_is_read(text):
    found = read_id("job", f"job_{text}")
    assert found is None or shown("job", found) == f"job_{text}"


VALID = shown("job", UUID("01890a5d-ac96-774b-bcce-b302099a8057"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "job_",
        VALID.upper(),
        VALID + "0",
        VALID[:-1],
        VALID + "\n",
        VALID.replace("job_", "clp_"),
        VALID.replace("job_", ""),
        VALID.replace("job_", "job__"),
        "job_8" + "0" * 25,  # more than 128 bits
        "job_0" + "o" * 25,
        "job_0" + "\u0660" * 25,
    ],
)
def test_no_alias_of_an_id_is_accepted(text):
    assert read_id("job", VALID) is not None
    assert read_id("job", text) is None


def test_no_two_things_share_a_prefix():
    assert len(set(PREFIXES.values())) == len(PREFIXES)
    assert all(len(prefix) == 3 for prefix in PREFIXES.values())
