"""The table of contents of an archive."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from greenroom.exports import of_accounts, of_money, of_work
from greenroom.exports.documents import Document

CONTENTS = [
    Document(
        name="profile.json",
        words=_("You: address, names, settings, ways of signing in"),
        rows=of_accounts.profile,
        tables=(
            "accounts_person",
            "accounts_personaldetail",
            "accounts_person_groups",
            "accounts_person_user_permissions",
            "account_emailaddress",
            "mfa_authenticator",
            "accounts_postpreference",
        ),
    ),
    Document(
        name="memberships.json",
        words=_("Programmes, roles and cohorts"),
        rows=of_accounts.memberships,
        tables=("accounts_membership", "accounts_rolegrant", "accounts_cohortseat"),
    ),
    Document(
        name="agreements.json",
        words=_("Agreements you answered, with signed receipts"),
        rows=of_accounts.agreements,
        tables=("accounts_acceptance", "accounts_agreementview"),
    ),
    Document(
        name="consents.json",
        words=_("Consents you gave and took back"),
        rows=of_accounts.consents,
        tables=("accounts_consentact",),
    ),
    Document(
        name="credentials.json",
        words=_("Tokens and sign-ins, without their secrets"),
        rows=of_accounts.credentials,
        tables=("accounts_credential",),
    ),
    Document(
        name="webhooks.json",
        words=_("Webhooks, without their secrets"),
        rows=of_accounts.webhooks,
        tables=("accounts_webhookendpoint",),
    ),
    Document(
        name="quotas.json",
        words=_("Your budgets"),
        rows=of_accounts.quotas,
        tables=("accounts_budget",),
    ),
    Document(
        name="jobs.json",
        words=_("Prompts and what was ordered with them"),
        rows=of_work.jobs,
        tables=("generation_job", "generation_jobcondition", "generation_jobstyle"),
    ),
    Document(
        name="references.json",
        words=_("References you sent, and why you may use them"),
        rows=of_work.references,
        tables=("generation_reference", "generation_referencestill"),
    ),
    Document(
        name="clips.json",
        words=_("Clips with recipe and record"),
        rows=of_work.clips,
        tables=("generation_clip", "generation_rendition"),
    ),
    Document(
        name="openings.json",
        words=_("Who opened your clips: as what, why, when"),
        rows=of_work.openings,
        tables=("generation_opening",),
    ),
    Document(
        name="submissions.json",
        words=_("What you put forward, decisions and appeals"),
        rows=of_work.submissions,
        tables=("review_submission", "review_decision", "review_appeal"),
    ),
    Document(
        name="releases.json",
        words=_("Releases and share links"),
        rows=of_work.releases,
        tables=("review_release", "review_sharelink"),
    ),
    Document(
        name="credit_lines.json",
        words=_("Credit lines"),
        rows=of_work.credit_lines,
        tables=("review_creditline",),
    ),
    Document(
        name="contributions.json",
        words=_("Contributions and their answers"),
        rows=of_work.contributions,
        tables=("review_contribution",),
    ),
    Document(
        name="statements.json",
        words=_("Statements: every line of what you earned"),
        rows=of_money.statements,
        tables=("review_ledgertransaction", "review_ledgerentry"),
    ),
    Document(
        name="payouts.json", words=_("Payouts"), rows=of_money.payouts, tables=("review_payout",)
    ),
    Document(
        name="conversations.json",
        words=_("Conversations with the programme's people"),
        rows=of_accounts.conversations,
        tables=("accounts_conversation", "accounts_remark"),
    ),
    Document(
        name="notices.json",
        words=_("Notices"),
        rows=of_accounts.notices,
        tables=("accounts_notice",),
    ),
    Document(
        name="announcements.json",
        words=_("Announcements that reached you"),
        rows=of_accounts.announcements,
        tables=(),
    ),
    Document(
        name="decided.json",
        words=_("Decisions you took as a reviewer"),
        rows=of_work.decided,
        tables=("review_decision",),
    ),
    Document(
        name="answered.json",
        words=_("Answers you gave to contributions"),
        rows=of_work.answered,
        tables=("review_contribution",),
    ),
    Document(
        name="announced.json",
        words=_("Announcements you wrote"),
        rows=of_accounts.said_to_all,
        tables=("accounts_announcement",),
    ),
    Document(
        name="deeds.json",
        words=_("What you did here, by time"),
        rows=of_work.deeds,
        tables=("core_auditevent",),
    ),
]
