"""The page of one's references: what is there, and a form to send another."""

from __future__ import annotations

import hashlib
from typing import IO, Any, cast
from uuid import uuid4

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from accounts.credentials.doors import PortalRequest, only_for
from accounts.programmes.models import Role
from core.api import page_of
from core.errors import Refusal
from core.idempotency.commands import AlreadyAnswered, Once
from core.ids import shown
from generation.references.commands import Sent, add_reference, remove_reference
from generation.references.models import Reference
from generation.references.queries import kept_by, own_references
from generation.references.rules import (
    LARGEST_BYTES,
    LONGEST_RIGHTS_WORDS,
    MOST_BYTES,
    MOST_REFERENCES,
    TYPES,
    Rights,
)
from generation.references.words import length_words, shown_name

SHOWN = 24


class SendForm(forms.Form):
    """``photo`` is a way straight to the camera, where a device has one."""

    file = forms.FileField(
        label=gettext_lazy("Picture or short clip"),
        allow_empty_file=True,
        error_messages={"required": gettext_lazy("Choose a picture or a short clip.")},
        help_text=gettext_lazy(
            "PNG, JPEG, WebP or MP4, at most 20 MB; an MP4 at most ten seconds. You can also drop"
            " it here or paste it."
        ),
        widget=forms.FileInput(attrs={"accept": ",".join(TYPES)}),
    )
    photo = forms.FileField(
        label=gettext_lazy("Or take a picture now"),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput(
            attrs={"accept": "image/jpeg,image/png,image/webp", "capture": "environment"}
        ),
    )
    rights = forms.ChoiceField(
        label=gettext_lazy("Why you may use it"),
        choices=Rights.choices,
        error_messages={"required": gettext_lazy("Say why you may use this. Nothing was kept.")},
        widget=forms.RadioSelect,
    )
    rights_words = forms.CharField(
        label=gettext_lazy("Who lets you use it, and where that is written"),
        max_length=LONGEST_RIGHTS_WORDS,
        required=False,
        help_text=gettext_lazy(
            "Needed where somebody else made it. Whoever reviews a clip reads it."
        ),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    key = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.files.get("photo"):
            self.fields["file"].required = False


@only_for(Role.TESTER)
@require_http_methods(["GET", "POST"])
def references(request: PortalRequest) -> HttpResponse:
    if request.method != "POST":
        return _page(request, SendForm(initial={"key": uuid4().hex}))
    form = SendForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, form, status=422)
    file = form.cleaned_data["file"] or form.cleaned_data["photo"]
    try:
        _add(request, form, file)
    except AlreadyAnswered:
        pass  # the form was sent twice; the first one did it
    except Refusal as refusal:
        if refusal.field in form.fields:
            form.add_error(refusal.field, refusal.sentence)
        else:
            form.add_error(None, refusal.sentence)
        return _page(request, form, status=refusal.http_status)
    return redirect("references")


@only_for(Role.TESTER)
@require_POST
def remove(request: PortalRequest, reference: str) -> HttpResponse:
    remove_reference(actor=request.actor, shown_id=reference)
    return redirect("references")


def _add(request: PortalRequest, form: SendForm, file: UploadedFile[Any]) -> Reference:
    said = {name: form.cleaned_data[name] for name in ("rights", "rights_words")}
    actor = request.actor
    once = Once.of(
        scope=f"{actor.party_id}:{actor.programme}:new-reference",
        key=form.cleaned_data["key"],
        payload={**said, "file": _digest_of(file)},
    )
    return add_reference(
        actor=actor,
        sent=Sent(file=cast("IO[bytes]", file), size=file.size or 0, name=file.name or "", **said),
        once=once,
        answer=lambda kept: (303, {"reference": shown("reference", kept.id)}),
    )


def _digest_of(file: UploadedFile[Any]) -> str:
    digest = hashlib.sha256()
    for piece in file.chunks():
        digest.update(piece)
    file.seek(0)
    return digest.hexdigest()


def _page(request: PortalRequest, form: SendForm, *, status: int = 200) -> HttpResponse:
    page = page_of(
        own_references(request.actor),
        {"limit": SHOWN, "cursor": request.GET.get("cursor")},
        by=("-made_at", "-id"),
    )
    count, kept_bytes = kept_by(request.actor.programme, request.actor.party_id)
    context = {
        "form": form,
        "references": [_shown(one) for one in page.rows],
        "more_url": f"{reverse('references')}?cursor={page.next}" if page.next else None,
        "count": count,
        "most": MOST_REFERENCES,
        "kept_bytes": kept_bytes,
        "most_bytes": MOST_BYTES,
        "largest_bytes": LARGEST_BYTES,
    }
    return render(request, "generation/references/references.html", context, status=status)


def _shown(reference: Reference) -> dict[str, Any]:
    public_id = shown("reference", reference.id)
    still = min(reference.stills.all(), key=lambda one: one.frame)
    return {
        "public_id": public_id,
        "name": shown_name(reference),
        "picture_url": f"/references/{public_id}/picture",
        "width": still.width,
        "height": still.height,
        "length": length_words(reference),
        "shape_words": reference.get_shape_display(),
        "rights_label": Rights(reference.rights).label,
        "rights_words": reference.rights_words,
        "bytes": reference.bytes,
        "made_at": reference.made_at,
        "use_url": f"{reverse('new-clip')}?first={public_id}",
        "remove_url": reverse("remove-reference", args=[public_id]),
    }


urlpatterns = [
    path("references", references, name="references"),
    path("references/<str:reference>/remove", remove, name="remove-reference"),
]
