"""Forms of what is agreed and promised: agreement, consents, clauses, charter."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.agreements.models import AgreementVersion
from accounts.consents.models import ConsentVersion
from core.clock import must_be_in_range
from core.text import with_plain_breaks
from generation.clips.rules import Allows
from greenroom.setup.step_forms import StepForm, day_field, line_input, lines_input, number_field
from review.policies.commands import NewClause
from review.policies.models import CharterVersion, PolicyVersion
from review.policies.rules import Ground


class AgreementForm(StepForm):
    summary = forms.CharField(
        label=gettext_lazy("Summary in plain words"),
        help_text=gettext_lazy("Three sentences that help to read. The text is what counts."),
        widget=lines_input(5),
    )
    # As it was written, to the last sign: otherwise the unchanged text would show a change.
    text = forms.CharField(label=gettext_lazy("Text"), strip=False, widget=lines_input(16))
    changes = forms.CharField(
        label=gettext_lazy("What is new in this version"),
        help_text=gettext_lazy("In plain words, for those who accepted the one before."),
        required=False,
        widget=lines_input(3),
    )
    answer_by = day_field(
        gettext_lazy("Answer by"),
        gettext_lazy(
            "After this day nobody begins new work without an answer. Without a day, the version"
            " they accepted goes on for them as long as they like."
        ),
    )

    @classmethod
    def of(cls, version: AgreementVersion) -> dict[str, Any]:
        return {"summary": version.summary, "text": version.text}

    def clean_text(self) -> str:
        # A browser sends CRLF; what is signed and compared has plain ends of line.
        return with_plain_breaks(self.cleaned_data["text"])

    def clean_summary(self) -> str:
        return with_plain_breaks(self.cleaned_data["summary"])

    def answer_until(self, time_zone: str) -> datetime | None:
        """The end of that day where the programme is."""
        day = self.cleaned_data["answer_by"]
        if day is None:
            return None
        must_be_in_range(day, field="answer_by")
        return datetime.combine(day + timedelta(days=1), time(), ZoneInfo(time_zone))


class ConsentForm(StepForm):
    is_asked = forms.BooleanField(
        label=gettext_lazy("The programme asks for it"),
        help_text=gettext_lazy("Nobody has to say yes, and a yes can be taken back."),
        required=False,
    )
    words = forms.CharField(
        label=gettext_lazy("In these words"),
        required=False,
        widget=lines_input(4),
    )

    @classmethod
    def of(cls, version: ConsentVersion) -> dict[str, Any]:
        return {"is_asked": version.is_asked, "words": version.words}

    def clean_words(self) -> str:
        return with_plain_breaks(self.cleaned_data["words"])


class ClauseForm(forms.Form):
    ground = forms.ChoiceField(choices=Ground.choices, widget=forms.HiddenInput)
    is_in = forms.BooleanField(label=gettext_lazy("A clause of this programme"), required=False)
    title = forms.CharField(
        label=gettext_lazy("Title"), max_length=120, required=False, widget=line_input()
    )
    words = forms.CharField(label=gettext_lazy("Words"), required=False, widget=lines_input(2))

    def clean(self) -> dict[str, Any]:
        if self.cleaned_data.get("is_in"):
            for name in ("title", "words"):
                if not self.cleaned_data.get(name, "").strip():
                    self.add_error(name, _("A clause says something here."))
        return self.cleaned_data

    def ground_words(self) -> Any:
        return Ground(self["ground"].value()).label


ClauseForms = forms.formset_factory(ClauseForm, extra=0, max_num=40, absolute_max=40)


class PolicyForm(StepForm):
    """Clauses are rows of their own: one for each ground, taken in or not."""

    introduction = forms.CharField(
        label=gettext_lazy("Introduction"),
        help_text=gettext_lazy("What the list is for, and what is not on it."),
        widget=lines_input(3),
    )
    files_before = forms.ChoiceField(
        label=gettext_lazy("Files that an owner gets before their clip is approved"),
        help_text=gettext_lazy(
            "If you allow more, that counts at once; if you allow less, only for clips made from"
            " then on. Reviewers get everything, and what is released is not touched."
        ),
        choices=Allows.choices,
        initial=Allows.CLIP,
    )

    def __init__(self, data: Any = None, *, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial)
        rows = (initial or {}).get("rows")
        self.rows = ClauseForms(data, initial=rows, prefix="clause")

    @classmethod
    def of(cls, version: PolicyVersion) -> dict[str, Any]:
        clauses = [
            NewClause(Ground(each.ground), each.title, each.words) for each in version.clauses.all()
        ]
        return {
            **cls.of_clauses(version.introduction, clauses),
            "files_before": version.files_before,
        }

    @classmethod
    def of_clauses(cls, introduction: str, clauses: list[NewClause]) -> dict[str, Any]:
        """A row for each clause there is, in its order, then one for each ground left over."""
        rows: list[dict[str, Any]] = [
            {"ground": each.ground, "is_in": True, "title": each.title, "words": each.words}
            for each in clauses
        ]
        used = {each.ground for each in clauses}
        rows += [{"ground": ground} for ground in Ground if ground not in used]
        return {"introduction": introduction, "rows": rows}

    def clean_introduction(self) -> str:
        return with_plain_breaks(self.cleaned_data["introduction"])

    def is_valid(self) -> bool:
        # Both are asked: what is wrong in a row is shown beside what is wrong above it.
        rows_are_fine = self.rows.is_valid()
        return super().is_valid() and rows_are_fine

    def clauses(self) -> list[NewClause]:
        return [
            NewClause(Ground(said["ground"]), said["title"], with_plain_breaks(said["words"]))
            for said in self.rows.cleaned_data
            if said.get("is_in")
        ]


class CharterForm(StepForm):
    decide_within_hours = number_field(
        gettext_lazy("Hours until a clip is decided"),
        gettext_lazy("They count round the clock, nights and holidays included."),
        least=1,
    )
    appeal_within_hours = number_field(gettext_lazy("Hours until an appeal is decided"), least=1)
    appeal_open_days = number_field(
        gettext_lazy("Days in which one may appeal"),
        gettext_lazy("The law of the European Union asks for six months."),
        least=1,
    )
    words = forms.CharField(
        label=gettext_lazy("In words"),
        help_text=gettext_lazy("What happens when a time is missed, for instance."),
        required=False,
        widget=lines_input(3),
    )

    @classmethod
    def of(cls, version: CharterVersion) -> dict[str, Any]:
        return {name: getattr(version, name) for name in cls.base_fields if name != "seen"}

    def clean_words(self) -> str:
        return with_plain_breaks(self.cleaned_data["words"])
