from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.cohorts.queries import cohorts_of
from accounts.credentials.queries import Actor
from accounts.invitations.lists import MOST_BYTES
from accounts.programmes.models import Role
from accounts.programmes.words import ROLE_WORDS
from core.clock import must_be_in_range
from core.ids import shown
from greenroom.offboarding.rules import Why

ROLES = [(role.value, ROLE_WORDS[role]) for role in Role]


class Filter(forms.Form):
    name = forms.CharField(label=_("Name or address"), required=False, max_length=120)
    role = forms.ChoiceField(label=_("Role"), required=False)
    cohort = forms.ChoiceField(label=_("Cohort"), required=False)

    def __init__(self, data: Any, cohorts: list[tuple[str, str]]) -> None:
        super().__init__(data)
        self.fields["role"].choices = [("", _("All")), *ROLES]  # type: ignore[attr-defined]
        self.fields["cohort"].choices = [("", _("All")), *cohorts]  # type: ignore[attr-defined]


class Invite(forms.Form):
    """``csv``: whether it is a list that is uploaded, or one address."""

    email = forms.CharField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    file = forms.FileField(
        label=_("List (CSV)"),
        help_text=_(
            "One line for each, at most 300: the address, and where wanted a language like “en”."
            " Columns may be named: email, language, name; a name is passed over, since people say"
            " their own."
        ),
        widget=forms.FileInput(attrs={"accept": ".csv,text/csv,text/plain"}),
    )
    role = forms.ChoiceField(label=_("Role"), choices=ROLES, initial=Role.TESTER.value)
    cohort = forms.ChoiceField(label=_("Cohort"), required=False)
    language = forms.CharField(
        label=_("Language of the letter"),
        help_text=_("Like “en” or “pt-BR”."),
        required=False,
        max_length=16,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(
        self,
        data: Any = None,
        files: Any = None,
        *,
        cohorts: list[tuple[str, str]],
        is_list: bool = False,
    ) -> None:
        super().__init__(data, files, auto_id="list_%s" if is_list else "one_%s")
        for unwanted in ("email", "language") if is_list else ("file",):
            del self.fields[unwanted]
        if cohorts:
            self.fields["cohort"].choices = [("", _("None")), *cohorts]  # type: ignore[attr-defined]
        else:
            del self.fields["cohort"]

    def raw_list(self) -> bytes:
        """One byte more than is taken at most tells that it is too large."""
        found: bytes = self.cleaned_data["file"].read(MOST_BYTES + 1)
        return found


class GiveRole(forms.Form):
    role = forms.ChoiceField(label=_("Role"))
    until = forms.DateField(
        label=_("Last day"),
        help_text=_("Without one, until somebody ends it."),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    def __init__(self, data: Any = None, *, roles: list[tuple[str, str]]) -> None:
        super().__init__(data)
        self.fields["role"].choices = roles  # type: ignore[attr-defined]

    def expires_at(self) -> datetime | None:
        """The midnight that ends the last day, where the reader is."""
        day = self.cleaned_data["until"]
        if day is None:
            return None
        must_be_in_range(day, field="until")
        midnight = datetime.combine(day + timedelta(days=1), time.min)
        return timezone.make_aware(midnight)


class Credits(forms.Form):
    limit = forms.IntegerField(
        label=_("Credits in all"),
        help_text=_("The whole limit; what is spent and reserved is part of it."),
        min_value=0,
    )


class Leave(forms.Form):
    reason = forms.ChoiceField(label=_("Why"), choices=Why.choices, widget=forms.RadioSelect)


class Cohort(forms.Form):
    name = forms.CharField(
        label=_("Name of a new cohort"),
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


class InviteAdministrator(forms.Form):
    email = forms.CharField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )


def posted(request: HttpRequest) -> Any:
    """None on the way to an empty form."""
    return request.POST if request.method == "POST" else None


def cohort_choices(actor: Actor) -> list[tuple[str, str]]:
    return [(shown("cohort", one.id), one.name) for one in cohorts_of(actor)]
