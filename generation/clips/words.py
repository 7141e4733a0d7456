"""Who looked and why, in words for the owner."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.translation import gettext as _

from core.ids import shown
from generation.catalogue.words import generated_words, windows_words
from generation.clips.models import Clip, Removal
from generation.clips.rules import Allows, Why, opens
from generation.jobs import words as of_jobs

ROLES: dict[str, Callable[[], str]] = {
    "reviewer": lambda: _("A reviewer"),
    "manager": lambda: _("A programme manager"),
    "auditor": lambda: _("An auditor"),
    "public": lambda: _("The public"),
}

# How a file that its owner released was come by; nobody says why then.
WAYS: dict[str, Callable[[], str]] = {
    "showcase": lambda: _("on the showcase"),
    "link": lambda: _("by a link"),
}


# Why files went, for whoever may see the clip.
REMOVALS: dict[str, Callable[[], str]] = {
    Removal.Why.RETENTION: lambda: _("under the programme's terms of retention"),
    Removal.Why.OWNER: lambda: _("by its owner"),
    Removal.Why.ERASURE: lambda: _("with the erasure of its owner's data"),
}

STOPPED: dict[str, Callable[[], str]] = {
    "put_forward": lambda: _("Its files stay: it was put forward."),
    "appealed": lambda: _("Its files stay: there is an appeal."),
    "released": lambda: _("Its files stay: it was released."),
    "kept": lambda: _("Chose to keep its files after all."),
    "terms": lambda: _("Its files stay for now: the terms give them more time."),
    "replaced": lambda: _("Its files go earlier than was said before."),
}


FILES: dict[str, Callable[[], str]] = {
    "master": lambda: _("Clip"),
    "proxy": lambda: _("Light copy"),
    "poster": lambda: _("Poster"),
    "sprite": lambda: _("Contact sheet"),
    "index": lambda: _("Index of the contact sheet"),
    "waveform": lambda: _("Waveform"),
}
"""Kinds of files, in the order in which pages list them."""


def file_words(kind: str) -> str:
    return FILES[kind]()


def made_sentences(clip: Clip) -> list[str]:
    """What its page says of the way it was made, beside the facts."""
    sentences = [windows_words(clip.recipe)]
    if clip.is_resized:
        sentences.append(_("Every frame was %(words)s.") % {"words": generated_note(clip)})
    return [sentence for sentence in sentences if sentence]


def generated_note(clip: Clip) -> str:
    """Beside its size: what the model made, where the file is cropped or resized from it."""
    generated = (clip.generated_width, clip.generated_height)
    return generated_words(clip.width, clip.height, generated)


def removal_words(why: str) -> str:
    return REMOVALS[why]()


def why_words(why: str) -> str:
    if why in WAYS:
        return WAYS[why]()
    return str(Why(why).label) if why in Why.values else why


def role_words(role: str) -> str:
    words = ROLES.get(role)
    return words() if words else role


def duration_text(frames: int, num: int, den: int) -> str:
    """Seconds with one decimal below a minute, then minutes and seconds."""
    seconds = frames * den / num
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds // 60)}:{int(seconds % 60):02d} min"


def held_back_sentence(allows: Allows) -> str:
    """What an owner is told of a clip that is not approved; nothing where all of it is open."""
    words: dict[Allows, Callable[[], str]] = {
        Allows.PREVIEW: lambda: _(
            "Until it is approved, you get the light copy and the pictures, not the clip itself."
            " That is what your programme's policy says."
        ),
        Allows.PICTURES: lambda: _(
            "Until it is approved, you get its pictures, and it does not play yet. That is what"
            " your programme's policy says."
        ),
    }
    return words[allows]() if allows in words else ""


def player_files(
    clip: Clip,
    place: str,
    *,
    plays_light: bool = False,
    offers_both: bool = False,
    allows: Allows = Allows.CLIP,
) -> dict[str, Any]:
    """Addresses for ``generation/clips/_player.html``, empty where there is no such file.

    ``plays_light``: the light copy first, where there is one. ``offers_both``: the page says which
    of the two it plays, with a way to the other. ``allows``: which of them whoever looks may have.
    """
    files = {one.kind: one for one in clip.renditions.all() if opens(one.kind, allows)}
    urls = {kind: f"{place}/{shown('rendition', one.id)}" for kind, one in files.items()}
    master, light = urls.get("master", ""), urls.get("proxy", "")
    wave = files.get("waveform")
    return {
        "src": light if light and (plays_light or not master) else master,
        "poster": urls.get("poster", ""),
        "sprite_url": urls.get("sprite", ""),
        "index": urls.get("index", ""),
        "waveform": urls.get("waveform", ""),
        "waveform_size": (wave.width, wave.height) if wave else (0, 0),
        "copies": {
            "master": master,
            "light": light,
            "plays_light": plays_light,
            "is_same": files["proxy"].sha256 == files["master"].sha256,
        }
        if light and master and offers_both
        else None,
    }


def record_sentence(kind: str, facts: dict[str, Any]) -> str:
    """One line of the record of a clip and its job."""
    if kind == "viewing.begun":
        return _("Opened it. Reason: %(why)s.") % {"why": why_words(str(facts.get("why", "")))}
    if kind == "removal.announced":
        if facts["why"] == Removal.Why.OWNER:
            return _("Asked for its files to be removed.")
        return _("Its files will be removed %(why)s.") % {"why": removal_words(facts["why"])}
    if kind == "removal.stopped":
        return STOPPED[facts["why"]]()
    if kind == "removal.done":
        return _("Its files were removed %(why)s. The record stays.") % {
            "why": removal_words(facts["why"])
        }
    return of_jobs.record_sentence(kind, facts)
