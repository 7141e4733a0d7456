"""An audit line stands or falls with the change it tells of."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from core.audit.commands import record
from core.audit.models import AuditEvent
from core.ids import new_id
from core.trace import request_id


class Undone(Exception):
    pass


def test_a_change_that_is_undone_leaves_no_line(db):
    subject = new_id()
    with pytest.raises(Undone), transaction.atomic():
        record("door.opened", subject=("job", subject))
        raise Undone
    assert not AuditEvent.objects.filter(subject_id=subject).exists()


def test_a_line_names_the_request_it_came_from(db):
    token = request_id.set("0123abcd")
    try:
        record("door.opened", subject=("job", new_id()), width=3)
    finally:
        request_id.reset(token)
    line = AuditEvent.objects.get(kind="door.opened")
    assert (line.request_id, line.facts) == ("0123abcd", {"width": 3})


def test_a_line_knows_the_transaction_that_wrote_it(db):
    record("door.opened", subject=("job", new_id()))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text")
        (mine,) = cursor.fetchone()
    assert AuditEvent.objects.get(kind="door.opened").xid == int(mine)


@pytest.mark.parametrize("kind", ["opened", "Door.opened", "door.opened.twice", "door opened", ""])
def test_a_kind_is_a_noun_a_dot_and_a_past_tense(kind, db):
    with pytest.raises(IntegrityError, match="audit_kind_is_noun_dot_past_tense"):
        record(kind, subject=("job", new_id()))


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines.update(kind="door.closed"),
        lambda lines: lines.delete(),
        lambda lines: lines.get().save(),
    ],
)
def test_the_application_cannot_change_what_was_written(change, db):
    record("door.opened", subject=("job", new_id()))
    with pytest.raises(ProgrammingError, match="permission denied"):
        change(AuditEvent.objects.filter(kind="door.opened"))
