"""Deeds against the rules of a programme's terms, its people and what they answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from invariants.deeds import (
    FOREVER,
    FREE,
    LONG_AGO,
    OLD_PICTURE,
    WITH_AN_OLD_PICTURE,
    Attack,
    Statement,
    again,
    change,
    checks,
    clone,
    foreign,
    raised,
    unique,
)
from invariants.own_programme_world import membership_of
from invariants.world import World

NOW_IT_HAPPENS, ITS_TRANSACTION = (
    "it_happens_when_it_is_written",
    "no_row_names_another_transaction",
)
NO_NUMBERING = "ALTER TABLE {} DISABLE TRIGGER version_begins"
LIVE, ENDED = "ended_at IS NULL", "ended_at IS NOT NULL"

# What is published in versions: the table, its unique numbers.
VERSIONED = {
    "accounts_particulars": "particulars_are_numbered",
    "accounts_calendarversion": "calendar_versions_are_numbered",
    "accounts_retentionversion": "retention_versions_are_numbered",
    "accounts_consentversion": "consent_versions_are_numbered",
    "accounts_agreementversion": "agreement_versions_are_numbered",
    "generation_allowedmodels": "allowed_models_are_numbered",
}


def a_version(table: str, **other: Any) -> list[Statement]:
    """The next one."""
    return again(table, "number = 1", **{"number": 2, **other})


def after_the_numbering(name: str, table: str, make: Any, **other: Any) -> Attack:
    """A rule that stands behind the one that versions come one after another."""
    return make(  # type: ignore[no-any-return]
        name,
        lambda _: a_version(table, **other),
        behind="versions_come_one_after_another",
        lifts=(NO_NUMBERING.format(table),),
    )


VERSIONS = [
    each
    for table, numbered in VERSIONED.items()
    for each in (
        raised(
            "a_version_is_published_now", lambda _, t=table: a_version(t, published_at=LONG_AGO)
        ),
        raised("versions_come_one_after_another", lambda _, t=table: a_version(t, number=3)),
        after_the_numbering(numbered, table, unique, number=1),
    )
]

TERMS = [
    checks("particulars_make_sense", lambda _: a_version("accounts_particulars", name="")),
    checks(
        "particulars_name_a_time_zone",
        lambda _: a_version("accounts_particulars", time_zone="Mars/Olympus"),
    ),
    checks(
        "particulars_name_a_language", lambda _: a_version("accounts_particulars", languages=[])
    ),
    after_the_numbering(
        "calendar_number_starts_at_one", "accounts_calendarversion", checks, number=0
    ),
    checks(
        "a_calendar_has_seven_days",
        lambda _: a_version("accounts_calendarversion", week=["09:00-17:00"] * 6),
    ),
    checks(
        "an_owner_has_a_week_after_the_warning",
        lambda _: a_version("accounts_retentionversion", warning_days=6),
    ),
    checks(
        "consent_purpose_is_known",
        lambda _: a_version("accounts_consentversion", number=1, purpose="gossip"),
    ),
    checks(
        "an_answer_is_asked_for_later",
        lambda _: a_version("accounts_agreementversion", answer_by=LONG_AGO),
    ),
    checks(
        "a_programme_allows_some_model", lambda _: a_version("generation_allowedmodels", slugs=[])
    ),
]


def a_programme(**other: Any) -> list[Statement]:
    fresh = {"id": FREE, "slug": "third", "is_open": False, "opened_at": None}
    return clone("accounts_programme", **{**fresh, **other})


PROGRAMMES = [
    raised("a_programme_begins_closed", lambda _: a_programme(is_open=True)),
    raised(
        "programme_is_what_it_was",
        lambda _: change("accounts_programme", "currency = 'USD'"),
        application_may_try=False,
    ),
    raised(
        "programme_says_its_particulars",
        lambda _: change("accounts_programme", "name = 'Quite another'"),
    ),
    raised(
        "a_programme_is_first_opened_once",
        lambda _: change("accounts_programme", "opened_at = core_now()", "slug = 'studio'"),
    ),
    raised(
        "a_programme_opens_with_its_terms",
        lambda _: [
            *a_programme(),
            *change("accounts_programme", "is_open = true, opened_at = core_now()", "NOT is_open"),
        ],
    ),
]


def a_role(w: World, role: str, **other: Any) -> list[Statement]:
    """Another one for the tester."""
    facts = {"membership_id": membership_of(w.tester).id, "granted_by_id": None}
    return again("accounts_rolegrant", LIVE, **{**facts, "role": role, **other})


def a_membership(party: UUID, **other: Any) -> list[Statement]:
    return again("accounts_membership", LIVE, **{"id": FREE, "party_id": party, **other})


def an_administrator(w: World, **other: Any) -> list[Statement]:
    facts = {"party_id": w.spare_party, "granted_by_id": None}
    return again("accounts_administrator", LIVE, **{**facts, **other})


def leaves(party: UUID) -> list[Statement]:
    live = f"{LIVE} AND party_id = '{party}'"
    return change("accounts_membership", "ended_at = core_now()", live)


def only_ends(table: str, written: str, **how: Any) -> list[Attack]:
    """Reopened, and ended at another time than this."""
    return [
        raised("it_ends_once", lambda _: change(table, "ended_at = NULL", ENDED), **how),
        raised(NOW_IT_HAPPENS, lambda _: change(table, f"ended_at = {written}", LIVE), **how),
    ]


PEOPLE = [
    raised(NOW_IT_HAPPENS, lambda w: a_membership(w.spare_party, joined_at=LONG_AGO)),
    *only_ends("accounts_membership", "joined_at"),
    raised(
        OLD_PICTURE,
        lambda w: [WITH_AN_OLD_PICTURE, *leaves(w.tester.party_id)],
    ),
    raised(
        "a_role_is_held_by_a_member",
        lambda w: a_role(w, "tester", membership_id=membership_of(w.own.gone).id),
    ),
    raised(
        "nobody_grants_themselves_a_role",
        lambda w: a_role(w, "manager", granted_by_id=w.tester.party_id),
    ),
    raised(
        "a_role_is_granted_by_who_may",
        lambda w: a_role(w, "manager", granted_by_id=w.review.finance.party_id),
    ),
    raised("duties_are_separate", lambda w: a_role(w, "auditor")),
    raised(OLD_PICTURE, lambda w: [WITH_AN_OLD_PICTURE, *a_role(w, "finance")]),
    raised(NOW_IT_HAPPENS, lambda w: a_role(w, "reviewer", granted_at=LONG_AGO)),
    checks(
        "a_grant_expires_after_it_is_made", lambda w: a_role(w, "reviewer", expires_at=LONG_AGO)
    ),
    *only_ends("accounts_rolegrant", f"'{FOREVER}'"),
    raised(
        "duties_are_separate",
        lambda w: an_administrator(w, party_id=w.review.finance.party_id),
    ),
    raised(
        "an_administrator_is_made_by_one",
        lambda w: an_administrator(w, granted_by_id=w.own.second_chief.party_id),
    ),
    raised(OLD_PICTURE, lambda w: [WITH_AN_OLD_PICTURE, *an_administrator(w)]),
    raised(NOW_IT_HAPPENS, lambda w: an_administrator(w, granted_at=LONG_AGO)),
    unique("one_is_an_administrator_once", lambda w: an_administrator(w, party_id=chief(w))),
    checks(
        "nobody_makes_themselves_an_administrator",
        lambda w: an_administrator(w, party_id=chief(w), granted_by_id=chief(w)),
    ),
    *only_ends("accounts_administrator", "granted_at"),
]


def chief(w: World) -> UUID:
    return w.own.chief.party_id


def a_cohort(**other: Any) -> list[Statement]:
    return again("accounts_cohort", LIVE, **{"name": "Spring", **other})


def a_seat(w: World, **other: Any) -> list[Statement]:
    """For the second tester, who gave theirs up."""
    facts = {"membership_id": membership_of(w.second_tester).id}
    return again("accounts_cohortseat", LIVE, **{**facts, **other})


def an_invitation(**other: Any) -> list[Statement]:
    facts = {"digest": "\\x00", "email": "x@y.example"}
    return clone("accounts_invitation", f"{LIVE} AND role = 'tester'", **{**facts, **other})


COHORTS = [
    checks("a_cohort_has_a_name", lambda _: a_cohort(name="")),
    unique("one_cohort_of_a_name", lambda w: a_cohort(name="AUTUMN", programme_id=studio(w))),
    raised(NOW_IT_HAPPENS, lambda _: a_cohort(made_at=LONG_AGO)),
    *only_ends("accounts_cohort", "made_at"),
    unique(
        "one_seat_at_a_time_in_a_cohort",
        lambda w: a_seat(w, membership_id=membership_of(w.tester).id),
    ),
    raised("a_seat_is_a_members", lambda w: a_seat(w, cohort_id=w.own.cohorts["winter"])),
    raised(
        OLD_PICTURE,
        lambda _: [
            WITH_AN_OLD_PICTURE,
            *change("accounts_cohort", "ended_at = core_now()", LIVE),
        ],
    ),
    raised(
        "an_invitation_is_not_hammered",
        lambda _: [
            *an_invitation(sent_at=FOREVER),
            *change(
                "accounts_invitation",
                "number = number + 1, digest = '\\x01', sent_at = core_now()",
                "digest = '\\x00'",
            ),
        ],
    ),
    raised(OLD_PICTURE, lambda w: [WITH_AN_OLD_PICTURE, *a_seat(w)]),
    raised(NOW_IT_HAPPENS, lambda w: a_seat(w, joined_at=LONG_AGO)),
    *only_ends("accounts_cohortseat", "joined_at"),
    foreign(
        "a_seat_is_in_a_cohort_of_its_programme",
        lambda w: a_seat(w, cohort_id=w.own.cohorts["strange"]),
    ),
    foreign(
        "a_seat_is_a_members_of_its_programme",
        lambda w: a_seat(w, membership_id=membership_of(w.stranger).id),
    ),
    foreign(
        "invited_to_a_cohort_of_its_programme",
        lambda w: an_invitation(cohort_id=w.own.cohorts["strange"]),
    ),
    checks("invitation_is_numbered_from_one", lambda _: an_invitation(number=0)),
    raised(
        "invitation_is_sent_anew",
        lambda _: change(
            "accounts_invitation",
            "number = number + 1, digest = '\\x01', email = 'other@studio.example'",
            LIVE,
        ),
    ),
]


def studio(w: World) -> UUID:
    return w.tester.programme.id


def an_answer(**other: Any) -> list[Statement]:
    return again("accounts_acceptance", **other)


def a_consent(w: World, **other: Any) -> list[Statement]:
    return again("accounts_consentact", **other)


ANSWERS = [
    raised(NOW_IT_HAPPENS, lambda _: clone("accounts_acceptance", at=LONG_AGO)),
    raised(
        "an_answer_follows_a_look",
        lambda w: an_answer(party_id=w.second_tester.party_id, credential_id=w.others_credential),
    ),
    foreign(
        "acceptance_credential_is_its_partys",
        lambda w: an_answer(
            party_id=w.tester.party_id,
            version_id=w.tester.programme.agreements.get().id,
            credential_id=w.others_credential,
        ),
    ),
    raised(NOW_IT_HAPPENS, lambda _: clone("accounts_agreementview", at=LONG_AGO)),
    unique("a_first_view_is_kept_once", lambda _: again("accounts_agreementview")),
    checks("a_consent_is_granted_or_revoked", lambda w: a_consent(w, deed="sold")),
    raised(NOW_IT_HAPPENS, lambda w: a_consent(w, at=LONG_AGO)),
    raised(
        "a_member_grants_what_is_asked",
        lambda w: a_consent(w, version_id=w.own.consents["labour"], purpose="labour"),
    ),
    foreign("a_consent_act_names_what_was_read", lambda w: a_consent(w, purpose="labour")),
    foreign(
        "consent_credential_is_its_partys",
        lambda w: a_consent(w, credential_id=w.others_credential),
    ),
    foreign(
        "consent_is_for_ones_own_clip",
        lambda w: a_consent(
            w, party_id=w.second_tester.party_id, credential_id=None, clip_id=w.clip
        ),
    ),
]

WORK = [
    raised(ITS_TRANSACTION, lambda _: again("core_auditevent", xid="3")),
    raised(ITS_TRANSACTION, lambda _: again("core_outboxmessage", xid="3")),
    unique("core_signingkey_public_key_key", lambda _: clone("core_signingkey", key_id="another")),
]

OWN_PROGRAMME = [*VERSIONS, *TERMS, *PROGRAMMES, *PEOPLE, *COHORTS, *ANSWERS, *WORK]

# Further ways to break a rule that was broken above.
VARIANTS = [
    raised(
        "versions_come_one_after_another",
        lambda _: a_version("accounts_consentversion", purpose="evaluation"),
    ),
    raised(
        "versions_come_one_after_another",
        lambda _: a_version("accounts_agreementversion", number=1),
    ),
    checks(
        "particulars_name_a_language", lambda _: a_version("accounts_particulars", languages=[None])
    ),
    checks(
        "a_calendar_has_seven_days",
        lambda _: a_version("accounts_calendarversion", week=["17:00-09:00"] + [""] * 6),
    ),
    checks(
        "a_calendar_has_seven_days",
        lambda _: a_version("accounts_calendarversion", holidays=[None]),
    ),
    raised("a_programme_begins_closed", lambda _: a_programme(opened_at=LONG_AGO)),
    raised(
        "a_programme_is_first_opened_once",
        lambda _: [
            *a_programme(),
            *change("accounts_programme", f"opened_at = '{LONG_AGO}'", "NOT is_open"),
        ],
    ),
    raised(
        "a_programme_is_first_opened_once",
        lambda _: [*a_programme(), *change("accounts_programme", "is_open = true", "NOT is_open")],
    ),
    raised(
        "duties_are_separate",
        lambda w: [*a_role(w, "finance"), *a_role(w, "manager")],
    ),
    raised(
        "duties_are_separate",
        lambda w: [*a_role(w, "manager"), *a_role(w, "finance")],
    ),
    raised(
        "duties_are_separate",
        lambda w: a_role(w, "finance", membership_id=membership_of(w.own.chief).id),
    ),
    # A role that was held in a membership before gives nothing in the next one.
    raised(
        "a_role_is_held_by_a_member",
        lambda w: [*leaves(w.tester.party_id), *a_role(w, "reviewer")],
    ),
    raised(
        "it_ends_once",
        lambda _: change(
            "accounts_rolegrant", f"expires_at = '{FOREVER}'", f"{LIVE} AND role = 'tester'"
        ),
        application_may_try=False,
    ),
    raised(NOW_IT_HAPPENS, lambda w: a_role(w, "reviewer", ended_at=FOREVER)),
    raised("a_seat_is_a_members", lambda w: a_seat(w, membership_id=membership_of(w.own.gone).id)),
    raised("a_seat_is_a_members", lambda w: [*leaves(w.second_tester.party_id), *a_seat(w)]),
    raised(
        "invitation_is_sent_anew",
        lambda _: change("accounts_invitation", "number = number + 1", LIVE),
    ),
    raised(
        "invitation_is_sent_anew",
        lambda _: change("accounts_invitation", "number = number + 2, digest = '\\x01'", LIVE),
    ),
    raised(
        "invitation_is_sent_anew",
        lambda _: change("accounts_invitation", f"expires_at = '{FOREVER}'", LIVE),
    ),
    raised(
        "invitation_is_what_it_was",
        lambda _: change(
            "accounts_invitation",
            "digest = '\\x01', number = number + 1, email = '', ended_at = core_now()",
            LIVE,
        ),
    ),
    raised(
        "invitation_is_what_it_was",
        lambda w: change("accounts_invitation", f"cohort_id = '{w.own.cohorts['autumn']}'", LIVE),
        application_may_try=False,
    ),
    # Only the newest words can be agreed to, and only by who is there.
    raised(
        "a_member_grants_what_is_asked",
        lambda w: [*a_version("accounts_consentversion", purpose="training"), *a_consent(w)],
    ),
    raised(
        "a_member_grants_what_is_asked",
        lambda w: a_consent(w, party_id=w.own.gone.party_id, credential_id=None),
    ),
]

MINUS_ONE: dict[str, Callable[[World, str], list[Statement]]] = {
    table: lambda _, column, t=table: a_version(t, **{column: -1})  # type: ignore[misc]
    for table in VERSIONED
}
