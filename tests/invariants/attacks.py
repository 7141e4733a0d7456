"""For each rule of docs/invariants.md one deed in raw SQL that breaks it, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from invariants import (
    device_login_attacks,
    door_attacks,
    extension_attacks,
    leaving_attacks,
    machine_attacks,
    money_attacks,
    own_programme_attacks,
    reference_attacks,
    review_attacks,
    style_attacks,
    webhook_attacks,
)
from invariants.deeds import (
    A_HASH,
    FOREVER,
    FREE,
    LONG_AGO,
    Statement,
    again,
    change,
    checks,
    clone,
    foreign,
    raised,
    unique,
)
from invariants.world import World

from core.ids import new_id


def a_job_like(w: World, **other: Any) -> list[Statement]:
    """A whole new job: with a reservation of its own and a number of its own."""
    job, reservation = other.pop("id", new_id()), other.pop("reservation_id", new_id())
    return [
        *clone("accounts_reservation", w.reservation("queued"), id=reservation, work_id=job),
        *clone(
            "generation_job",
            w.job("queued"),
            **{
                "id": job,
                "reservation_id": reservation,
                "queue_number": new_id().int >> 66,
                **other,
            },
        ),
    ]


ACCOUNTS = [
    # People
    checks("party_kind_is_known", lambda _: clone("accounts_party", kind="robot")),
    checks(
        "person_email_is_lower_case",
        lambda _: change("accounts_person", "email = upper(email)"),
    ),
    unique(
        "accounts_person_email_key",
        lambda w: clone("accounts_person", party_id=w.spare_party),
    ),
    unique("accounts_person_party_id_key", lambda _: clone("accounts_person", email="x@y.example")),
    # Programmes
    checks(
        "programme_currency_is_a_code",
        lambda _: own_programme_attacks.a_programme(currency="eur"),
    ),
    unique(
        "accounts_programme_slug_key", lambda _: own_programme_attacks.a_programme(slug="studio")
    ),
    unique("one_membership_at_a_time", lambda _: again("accounts_membership", "ended_at IS NULL")),
    checks(
        "membership_ends_after_it_began",
        lambda _: change(
            "accounts_membership", "ended_at = joined_at - interval '1 s'", "ended_at IS NULL"
        ),
        behind="it_happens_when_it_is_written",
        lifts=("ALTER TABLE accounts_membership DISABLE TRIGGER ends_once",),
    ),
    checks("role_is_known", lambda w: own_programme_attacks.a_role(w, "director")),
    unique("a_role_is_held_once", lambda w: own_programme_attacks.a_role(w, "tester")),
    # Agreements
    own_programme_attacks.after_the_numbering(
        "agreement_number_starts_at_one", "accounts_agreementversion", checks, number=0
    ),
    checks(
        "agreement_digest_is_of_its_text",
        lambda _: again(
            "accounts_agreementversion", "number = 1", number=2, text="You may do nothing."
        ),
    ),
    checks("acceptance_act_is_known", lambda _: again("accounts_acceptance", act="ignored")),
    # Invitations
    unique(
        "one_open_invitation_per_programme_and_address",
        lambda _: clone("accounts_invitation", "ended_at IS NULL", digest="\\x00"),
    ),
    unique(
        "accounts_invitation_digest_key",
        lambda _: clone("accounts_invitation", "ended_at IS NULL", email="x@y.example"),
    ),
    checks(
        "invitation_email_is_lower_case",
        lambda _: clone("accounts_invitation", "ended_at IS NULL", email="X@y.example"),
    ),
    checks(
        "an_ended_invitation_keeps_no_address",
        lambda _: change("accounts_invitation", "ended_at = core_now()", "ended_at IS NULL"),
    ),
    checks(
        "invitation_expires_after_it_is_made",
        lambda _: clone("accounts_invitation", digest="\\x00", email="x", expires_at=LONG_AGO),
    ),
    checks(
        "invitation_role_is_known",
        lambda _: clone("accounts_invitation", "ended_at IS NULL", role="director"),
    ),
    raised(
        "invitation_is_what_it_was",
        lambda _: change("accounts_invitation", "role = 'manager'", "ended_at IS NULL"),
        application_may_try=False,
    ),
    raised(
        "invitation_ends_once",
        lambda _: change("accounts_invitation", "ended_at = core_now()", "ended_at IS NOT NULL"),
    ),
    # Credentials
    checks(
        "credential_kind_is_known",
        lambda _: clone("accounts_credential", "kind = 'token'", kind="cookie"),
    ),
    checks(
        "a_token_has_digest_and_programme",
        lambda _: clone("accounts_credential", "kind = 'token'", digest=None),
    ),
    checks(
        "credential_expires_after_it_is_minted",
        lambda _: clone("accounts_credential", expires_at=LONG_AGO),
    ),
    checks(
        "credential_lives_ninety_days_at_most",
        lambda _: clone("accounts_credential", expires_at=FOREVER),
    ),
    checks(
        "credential_ended_iff_it_has_an_end",
        lambda w: change("accounts_credential", "state = 'revoked'", f"id = '{w.token}'"),
    ),
    checks(
        "credential_key_id_is_twelve_signs",
        lambda _: clone("accounts_credential", key_id="short"),
    ),
    unique(
        "accounts_credential_key_id_key",
        lambda _: clone("accounts_credential", lineage_id=new_id()),
    ),
    unique(
        "one_generation_of_a_lineage",
        lambda _: clone(
            "accounts_credential",
            "state = 'active'",
            key_id="zzzzzzzzzzzz",
            state="expired",
            ended_at=FOREVER,
        ),
    ),
    unique(
        "one_active_credential_per_lineage",
        lambda _: clone(
            "accounts_credential", "state = 'active'", key_id="zzzzzzzzzzzz", generation=2
        ),
    ),
    raised(
        "credential_is_what_it_was",
        lambda w: change(
            "accounts_credential", f"party_id = '{w.stranger.party_id}'", f"id = '{w.token}'"
        ),
        application_may_try=False,
    ),
    raised(
        "credential_only_narrows",
        lambda w: change(
            "accounts_credential", "scopes = scopes || '{tokens:mint}'", f"id = '{w.token}'"
        ),
    ),
    raised(
        "credential_moves",
        lambda w: [
            *change(
                "accounts_credential",
                "state = 'revoked', ended_at = core_now()",
                f"id = '{w.token}'",
            ),
            *change(
                "accounts_credential", "state = 'active', ended_at = NULL", f"id = '{w.token}'"
            ),
        ],
    ),
    # Quotas
    checks("budget_kind_is_known", lambda _: clone("accounts_budget", kind="hours")),
    checks(
        "budget_never_exceeds_its_limit",
        lambda _: change("accounts_budget", 'spent = "limit" - reserved + 1'),
    ),
    checks(
        "a_lineage_budget_belongs_to_a_party",
        lambda _: clone("accounts_budget", "party_id IS NULL", lineage_id=new_id()),
    ),
    unique("one_budget_per_place_and_kind", lambda _: clone("accounts_budget")),
    raised(
        "budget_stays_in_its_place",
        lambda w: change(
            "accounts_budget", f"party_id = '{w.reviewer.party_id}'", "party_id IS NOT NULL"
        ),
        application_may_try=False,
    ),
    checks(
        "reservation_kind_is_known",
        lambda _: clone("accounts_reservation", work_id=new_id(), kind="hours"),
    ),
    checks(
        "a_reservation_holds_something",
        lambda w: clone("accounts_reservation", w.reservation("queued"), amount=0),
    ),
    checks(
        "settled_at_most_what_was_held",
        lambda w: change(
            "accounts_reservation",
            "state = 'settled', settled = amount + 1, ended_at = core_now()",
            w.reservation("queued"),
        ),
    ),
    unique("one_reservation_per_work_and_kind", lambda _: clone("accounts_reservation")),
    raised(
        "reservation_is_what_it_was",
        lambda w: change("accounts_reservation", "amount = amount + 1", w.reservation("queued")),
        application_may_try=False,
    ),
    raised(
        "reservation_ends_once",
        lambda w: change(
            "accounts_reservation",
            "state = 'held', settled = NULL, ended_at = NULL",
            w.reservation("finished"),
        ),
    ),
]

CATALOGUE = [
    unique("one_row_per_model_revision", lambda _: clone("generation_videomodel", state="retired")),
    checks(
        "model_limits_make_sense",
        lambda _: clone("generation_videomodel", slug="other", max_frames=0),
    ),
    checks("model_state_is_known", lambda _: change("generation_videomodel", "state = 'hidden'")),
    raised(
        "model_revision_never_changes",
        lambda _: change("generation_videomodel", "licence = 'none'"),
        application_may_try=False,
    ),
    raised(
        "a_model_goes_one_way",
        lambda _: [
            *change("generation_videomodel", "state = 'retired'", "slug = 'still'"),
            *change("generation_videomodel", "state = 'offered'", "slug = 'still'"),
        ],
    ),
    raised(
        "a_model_is_checked_before_it_is_offered",
        lambda _: change("generation_videomodel", "state = 'offered'", "slug = 'added'"),
    ),
    checks(
        "model_modes_are_known",
        lambda _: clone("generation_videomodel", slug="other", modes=["text", "smell"]),
    ),
    checks(
        "a_check_that_failed_says_why",
        lambda _: again("generation_modelcheck", has_passed=False, code=""),
    ),
    raised("a_check_is_of_now", lambda _: again("generation_modelcheck", at="2001-01-01T00:00Z")),
    unique("one_row_per_tier", lambda _: clone("generation_modeltier")),
    checks(
        "a_lossy_tier_says_its_loss",
        lambda _: clone("generation_modeltier", tier="other", is_lossy=True, measured={"ssim": 1}),
    ),
    raised(
        "a_licence_holds_where_its_tester_is",
        lambda w: a_job_like(w, model_id=w.model_with_limits),
    ),
    checks(
        "a_country_is_two_letters", lambda _: change("accounts_personaldetail", "country = 'n'")
    ),
    unique("one_price_per_tier_and_size", lambda _: clone("generation_pricerow")),
    checks("a_price_is_positive", lambda _: clone("generation_pricerow", credits_per_second=0)),
    checks("generated_covers_the_file", lambda _: clone("generation_pricerow", generated_width=2)),
    checks(
        "an_enlarged_file_is_whole_times_as_large",
        lambda _: clone("generation_pricerow", tier="other", enlarged_by=2),
    ),
]

JOBS = [
    checks(
        "job_state_is_known",
        lambda w: a_job_like(w, state="lost"),
        behind="job_begins_queued",
        lifts=(
            "ALTER TABLE generation_job DISABLE TRIGGER job_begins",
            "ALTER TABLE generation_job DROP CONSTRAINT job_has_an_end_iff_over",
        ),
    ),
    checks(
        "job_is_leased_iff_running",
        lambda w: change("generation_job", "lease_until = NULL", w.job("running")),
    ),
    checks(
        "job_has_a_term_iff_held",
        lambda w: change("generation_job", "held_until = NULL", w.job("held")),
    ),
    checks(
        "job_has_an_end_iff_over",
        lambda w: change("generation_job", "finished_at = NULL", w.job("cancelled")),
    ),
    checks(
        "job_says_why_iff_failed",
        lambda w: change("generation_job", "failure_code = ''", w.job("failed")),
    ),
    checks(
        "job_has_three_attempts_at_most",
        lambda w: change("generation_job", "attempts = 4", w.job("running")),
    ),
    checks(
        "job_steps_done_within_steps",
        lambda w: change("generation_job", "steps_done = steps + 1", w.job("running")),
    ),
    checks("job_order_makes_sense", lambda w: a_job_like(w, price_credits=0)),
    unique(
        "generation_job_queue_number_key",
        lambda w: [
            *a_job_like(w, queue_number=10**15),
            *a_job_like(w, queue_number=10**15),
        ],
    ),
    unique(
        "generation_job_reservation_id_key",
        lambda w: clone("generation_job", w.job("queued"), queue_number=10**15),
    ),
    foreign(
        "job_reservation_is_its_own",
        lambda w: [
            *clone("accounts_reservation", w.reservation("queued"), id=FREE, work_id=new_id()),
            *clone("generation_job", w.job("queued"), queue_number=10**15, reservation_id=FREE),
        ],
    ),
    foreign(
        "job_credential_is_its_partys",
        lambda w: a_job_like(w, credential_id=w.others_credential),
    ),
    foreign(
        "job_voucher_is_its_partys",
        lambda w: a_job_like(w, vouched_by_id=w.others_credential),
    ),
    foreign(
        "job_acceptance_is_its_partys",
        lambda w: a_job_like(w, acceptance_id=w.others_acceptance),
    ),
    foreign(
        "job_thread_is_its_partys",
        lambda w: a_job_like(w, thread_id=w.others_thread),
    ),
    raised("job_begins_queued", lambda w: a_job_like(w, state="running", lease_until=FOREVER)),
    raised(
        "job_rests_on_an_acceptance",
        lambda w: a_job_like(w, acceptance_id=w.strange_acceptance),
    ),
    raised("job_moves", lambda w: change("generation_job", "state = 'queued'", w.job("failed"))),
    raised(
        "a_lease_ends_soon",
        lambda w: change("generation_job", f"lease_until = '{FOREVER}'", w.job("running")),
    ),
    raised(
        "job_is_what_was_ordered",
        lambda w: change("generation_job", "prompt = 'something else'", w.job("queued")),
        application_may_try=False,
    ),
    raised(
        "job_fence_grows",
        lambda w: change(
            "generation_job",
            "state = 'running', lease_until = core_now()",
            w.job("queued"),
        ),
    ),
    raised(
        "a_finished_job_has_a_clip",
        lambda w: [
            *change(
                "generation_job",
                "state = 'finished', lease_until = NULL, finished_at = core_now()",
                w.job("running"),
            ),
            *change(
                "accounts_reservation",
                "state = 'settled', settled = amount, ended_at = core_now()",
                w.reservation("running"),
            ),
        ],
    ),
    raised(
        "job_and_reservation_end_together",
        lambda w: change(
            "generation_job", "state = 'cancelled', finished_at = core_now()", w.job("queued")
        ),
    ),
    unique(
        "attempts_are_numbered",
        lambda _: clone("generation_attempt", "ended_at IS NOT NULL"),
    ),
    unique(
        "one_attempt_at_a_time",
        lambda _: clone("generation_attempt", "ended_at IS NULL", number=2),
    ),
    checks(
        "attempt_ended_iff_it_has_an_outcome",
        lambda _: change("generation_attempt", "outcome = 'lost'", "ended_at IS NULL"),
    ),
    raised(
        "an_attempt_begins_on_a_serving_device",
        lambda _: [
            *change("generation_device", "state = 'draining'"),
            *clone("generation_attempt", "ended_at IS NOT NULL", number=9, fence=9),
        ],
    ),
    raised(
        "an_attempt_stays_on_its_device",
        lambda _: change("generation_attempt", "on_device_id = NULL", "ended_at IS NULL"),
        application_may_try=False,
    ),
    checks(
        "a_step_has_a_minute",
        lambda w: change("generation_job", "step_limit_s = 59", w.job("running")),
    ),
    # Devices
    unique("a_device_is_one_row", lambda _: clone("generation_device")),
    checks("device_state_is_known", lambda _: change("generation_device", "state = 'resting'")),
    checks(
        "a_device_says_why_iff_it_is_out",
        lambda _: change("generation_device", "state = 'out'"),
    ),
    checks(
        "three_deaths_take_a_device_out",
        lambda _: change("generation_device", "deaths_in_a_row = 3"),
    ),
    checks(
        "only_remote_devices_have_many_slots",
        lambda _: change("generation_device", "slots = 2"),
    ),
    raised(
        "a_device_stays_itself",
        lambda _: change("generation_device", "name = 'other'"),
        application_may_try=False,
    ),
    raised(
        "device_moves",
        lambda _: [
            *change("generation_device", "state = 'out', out_reason = 'worker_died'"),
            *change("generation_device", "state = 'draining', out_reason = ''"),
        ],
    ),
    unique("a_model_is_placed_once", lambda _: clone("generation_placement", is_warm=False)),
    unique("one_warm_model_per_device", lambda _: clone("generation_placement", slug="other")),
    raised(
        "attempt_ends_once",
        lambda _: change("generation_attempt", "code = 'other'", "ended_at IS NOT NULL"),
    ),
]


def a_clip_like(w: World, **other: Any) -> list[Statement]:
    """A clip for the running job, of which only ``other`` is wrong."""
    return clone(
        "generation_clip",
        **{
            "job_id": w.jobs["running"],
            "thread_id": w.thread_of_running,
            "master_sha256": A_HASH,
            **other,
        },
    )


CLIPS = [
    unique(
        "generation_clip_job_id_key",
        lambda _: clone("generation_clip", version=2),
    ),
    unique(
        "versions_of_a_thread_are_numbered",
        lambda w: [*a_clip_like(w), *a_clip_like(w, job_id=w.jobs["held"])],
    ),
    checks("clip_master_is_a_sha256", lambda w: a_clip_like(w, master_sha256="ab")),
    foreign(
        "clip_is_of_its_jobs_party", lambda w: a_clip_like(w, party_id=w.second_tester.party_id)
    ),
    raised("a_clip_has_a_finished_job", a_clip_like),
    checks("a_viewing_ends", lambda _: clone("generation_viewing", until=LONG_AGO)),
    checks(
        "a_viewing_has_a_reason_and_a_role_that_looks",
        lambda _: clone("generation_viewing", why="curiosity"),
    ),
    raised(
        "a_viewing_is_what_was_said",
        lambda _: change("generation_viewing", "why = 'fault'"),
        application_may_try=False,
    ),
    raised(
        "a_viewing_only_ends_sooner",
        lambda _: change("generation_viewing", f"until = '{FOREVER}'"),
    ),
    unique(
        "generation_rendition_storage_key_key",
        lambda _: clone("generation_rendition", "kind = 'poster'", kind="waveform"),
    ),
    unique(
        "one_file_of_a_kind_per_clip",
        lambda _: clone("generation_rendition", storage_key="elsewhere"),
    ),
    checks(
        "a_file_has_the_type_of_its_kind",
        lambda _: clone("generation_rendition", kind="other", storage_key="elsewhere"),
    ),
    checks(
        "rendition_hashes_are_sha256",
        lambda _: clone("generation_rendition", "kind <> 'master'", sha256="AB" * 32),
    ),
    checks(
        "a_master_is_its_own_master",
        lambda _: clone("generation_rendition", "kind = 'master'", sha256=A_HASH),
    ),
    checks("rendition_is_not_empty", lambda _: clone("generation_rendition", bytes=0)),
    foreign(
        "rendition_is_of_its_clips_master",
        lambda _: clone(
            "generation_rendition",
            "kind = 'poster'",
            kind="waveform",
            storage_key="elsewhere",
            master_sha256=A_HASH,
        ),
    ),
    unique("one_opening_per_viewer_and_half_hour", lambda _: clone("generation_opening")),
]

CORE = [
    checks(
        "audit_kind_is_noun_dot_past_tense", lambda _: again("core_auditevent", kind="Happened")
    ),
    checks(
        "kept_answer_key_is_printable",
        lambda _: clone("core_keptanswer", key="two words"),
    ),
]

ATTACKS = [
    *ACCOUNTS,
    *CATALOGUE,
    *JOBS,
    *CLIPS,
    *CORE,
    *review_attacks.REVIEW,
    *money_attacks.MONEY,
    *own_programme_attacks.OWN_PROGRAMME,
    *leaving_attacks.TAKING_LEAVE,
    *reference_attacks.REFERENCES,
    *style_attacks.STYLES,
    *machine_attacks.MACHINES,
    *device_login_attacks.DEVICE_LOGINS,
    *door_attacks.DOOR,
    *extension_attacks.EXTENSIONS,
    *webhook_attacks.WEBHOOKS,
]

# Further ways to break a rule that was broken above.
VARIANTS = [
    checks(
        "a_file_has_the_type_of_its_kind",
        lambda _: clone(
            "generation_rendition",
            "kind = 'poster'",
            kind="waveform",
            storage_key="elsewhere",
            media_type="text/html",
        ),
    ),
    *own_programme_attacks.VARIANTS,
    *leaving_attacks.VARIANTS,
    *reference_attacks.VARIANTS,
    *style_attacks.VARIANTS,
    *machine_attacks.VARIANTS,
    *device_login_attacks.VARIANTS,
    *door_attacks.VARIANTS,
    *extension_attacks.VARIANTS,
    *webhook_attacks.VARIANTS,
]

# A row with a count below zero, where a mere copy of a row would be refused for something else.
MINUS_ONE: dict[str, Callable[[World, str], list[Statement]]] = {
    "generation_job": lambda w, column: a_job_like(w, **{column: -1}),
    "generation_modelcheck": lambda _, column: again("generation_modelcheck", **{column: -1}),
    **review_attacks.MINUS_ONE,
    **money_attacks.MINUS_ONE,
    **own_programme_attacks.MINUS_ONE,
    **leaving_attacks.MINUS_ONE,
    **reference_attacks.MINUS_ONE,
    **style_attacks.MINUS_ONE,
    **device_login_attacks.MINUS_ONE,
}
