"""What a programme begins with where nobody decided otherwise: kind to those who test.

Each is published as a version of the programme's own the moment somebody keeps it, and can be
replaced by a next one like any other. They are written in English; another language is a version.
"""

from __future__ import annotations

from accounts.consents.rules import Purpose
from accounts.rates.rules import ActKind
from accounts.retention.commands import RetentionWish
from core.money import MICRO, decimals_of
from review.policies.commands import NewClause
from review.policies.rules import Ground

# Calendar: Monday first.
WEEK = ["09:00-17:00", "09:00-17:00", "09:00-17:00", "09:00-17:00", "09:00-17:00", "", ""]

# Agreement.
AGREEMENT_SUMMARY = """\
You try video models before they are public. What you make with them is yours, and so is what you \
think of them: you may say both, in public too.

A clip is shown only after a review, under published clauses, with an appeal to somebody else, and \
only if you yourself release it. What is paid, and for what, is published before you work.

You can stop at any time. Your clips, your credit, and what you earned stay yours."""

AGREEMENT_TEXT = """\
1. What this is. Terms between you and the programme that invited you to try its video models \
before they are public. Nobody is employed by them, and nothing has to be made.

2. What you may do. Make clips with the models offered here, up to the credits you were granted, \
look at them, download them, put them forward for review, and release those that were approved.

3. What is yours. The prompts you write, the references you bring and the clips you make. The \
programme may store and process them to run this service and to review what you put forward. It \
claims no right to use them for anything else.

4. What is asked separately. Work on request, publicity, training of models and evaluation of \
models: four consents, each off until you give it, for the programme or for one clip. Not giving \
one, or taking it back, costs you no access, no credit and no pay.

5. What you may say. Anything you like about the models, the programme and these terms. Criticism \
is no ground to decline a clip, and never a reason for losing access.

6. What is not public. Access itself: your sign-in and tokens are for you alone. If one gets out, \
that one is revoked and its work is held for you; your account, your pay and the other testers \
are left alone.

7. Review. A clip is declined only under a published clause, with a reason and the frames or words \
it rests on. You may appeal once, and somebody else decides. Late decisions are counted in public.

8. Pay. Each kind of act that is paid has a rate published before it applies. What you earn is \
posted when you earn it, with the rate; what is owed stays owed, also after you leave. A payout is \
proposed by one person and approved by another.

9. Credit. You choose whether and how you are named. The programme never takes a name off a clip, \
and nobody is named without having said yes.

10. What is recorded. Each job names the sign-in or token that asked for it, its price and its \
outcome. When somebody of the staff opens a clip of yours, its page tells you who in which role, \
when and why. If files are marked so that a copy can be traced, the programme says so beforehand.

11. How long things are kept. As the published terms of storage say, and never gone without a \
warning at least a week ahead. Books are kept as long as the law asks.

12. What is not allowed. Clips of real people who did not agree, what the published clauses name, \
and what the law forbids.

13. What stays after you leave. Prompts, notes, appeals, contributions and messages, and the \
decisions on them: they are the record of work that was judged and paid. So do the books, what you \
answered to these terms and consents, and the record of what was done. If you leave for good, \
nothing beside them names you any more.

14. How it changes and ends. A new version of these terms shows what is new, and the one you \
accepted governs until you accept another. You may decline, or stop, at any time; what you made \
stays yours, you can take everything along, and what you are owed is paid.
"""

# Consents: none is asked for. The words say what a yes would mean.
CONSENT_WORDS = {
    Purpose.LABOUR: (
        "The programme may ask you to make particular clips or to test particular things, each for"
        " a rate that is published beforehand. You may decline any of them. Without this you work"
        " on what you like."
    ),
    Purpose.PUBLICITY: (
        "The programme may show clips that you released, with your credit, on its own pages, at"
        " events and in the press. Taken back, they come down within a day from pages it controls."
    ),
    Purpose.TRAINING: (
        "The programme may use your clips and prompts to train models. Taken back, they are left"
        " out of every later data set; what a finished model has learnt cannot be unlearnt."
    ),
    Purpose.EVALUATION: (
        "The programme may use your clips and prompts to measure and compare models. Taken back,"
        " they leave its test sets with their next version."
    ),
}

# Clauses.
INTRODUCTION = (
    "A clip is declined only under one of these clauses. What is on this list is about people who "
    "could be harmed; what you say about the programme, its makers or its models is not on it."
)

CLAUSES = [
    NewClause(
        Ground.REAL_PERSON,
        "Nobody unasked",
        "A real person can be recognised, by face, voice or name, and did not agree to be shown.",
    ),
    NewClause(
        Ground.MINOR,
        "Children are safe",
        "A child is shown in danger or harmed, or in any way that is not a child's.",
    ),
    NewClause(Ground.SEXUAL, "Nothing sexual", "Sexual acts, or nakedness shown for arousal."),
    NewClause(
        Ground.VIOLENCE,
        "No relish in wounds",
        "Wounds, torture or killing shown for their own sake. A battle in a story is not meant.",
    ),
    NewClause(
        Ground.HATE,
        "No hatred",
        "People belittled or threatened for their origin, faith, body, sex or whom they love.",
    ),
    NewClause(
        Ground.PRIVATE_DETAIL,
        "No private details",
        "An address, a number plate, a telephone number or a document that belongs to somebody.",
    ),
    NewClause(
        Ground.OTHERS_WORK,
        "Not somebody else's work",
        "A figure, a mark or a picture that others own and did not lend. Style alone is not meant.",
    ),
    NewClause(
        Ground.DECEPTION,
        "Not passed off as real",
        "Made to pass for a real event that people might act on: news, a disaster, an election.",
    ),
    NewClause(Ground.UNLAWFUL, "Within the law", "What the law forbids to show or to share."),
    NewClause(
        Ground.BROKEN_FILE,
        "It plays",
        "The file does not play from its first frame to its last. Noise is a picture, too.",
    ),
]

# Charter: three days reach over a weekend without a reviewer, five over a long one.
DECIDE_WITHIN_HOURS = 72
APPEAL_WITHIN_HOURS = 120
APPEAL_OPEN_DAYS = 184
CHARTER = (
    "Every case has its time when it is put forward. One that is late goes to the head of the "
    "desk, a programme manager is told, and the delay is counted on the public page of figures."
)

# Rate card, in units of a currency with cents.
_RATES = {
    ActKind.RELEASE: 25,
    ActKind.BUG_REPORT: 15,
    ActKind.FEEDBACK: 10,
    ActKind.RED_TEAM_FINDING: 60,
}


def rates(currency: str) -> dict[ActKind, int]:
    """Micro-units by kind of act. A currency without decimals counts in about a hundredth."""
    scale = MICRO if decimals_of(currency) else 100 * MICRO
    return {kind: amount * scale for kind, amount in _RATES.items()}


# Credits of the whole programme: so many testers with a new tester's budget.
TESTERS = 50

# Retention: what was never shown goes after a year at most, what was released stays.
RETENTION = RetentionWish(
    draft_days=180, unreleased_days=365, released_days=None, warning_days=30, books_years=10
)
