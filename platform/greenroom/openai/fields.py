"""Fields that this door reads and the native API has no need of. Lenient where forms must be:
in a form everything is text."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from typing import IO, TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api import Seconds

# DRF's fields are generic only for the type checker.
if TYPE_CHECKING:
    GivenField = serializers.Field["Given", Any, Any, Any]
else:
    GivenField = serializers.Field

_SECONDS = re.compile(r"\d{1,6}(\.\d{1,6})?\Z")
_DATA = re.compile(r"data:[\w.+/-]+;base64,", re.ASCII)


@dataclass(frozen=True, slots=True)
class Given:
    """A picture or clip in an order: its bytes, or the id of one that is here."""

    id: str = ""
    file: IO[bytes] | None = None
    size: int = 0
    name: str = ""

    def told_apart(self) -> dict[str, str]:
        """By its bytes: two files of one name may differ, and one may have two names."""
        return {"id": self.id} if self.file is None else {"sha256": digest_of(self.file)}


def digest_of(file: IO[bytes]) -> str:
    """The SHA-256 of it all; it is at its beginning again."""
    digest = hashlib.sha256()
    while piece := file.read(1024 * 1024):
        digest.update(piece)
    file.seek(0)
    return digest.hexdigest()


class Constant(serializers.CharField):
    """What an object says it is: always this. Only goes out."""

    def __init__(self, *, says: str) -> None:
        super().__init__(read_only=True)
        self.says = says

    def __deepcopy__(self, _memo: Any) -> Constant:  # DRF would give it what it was made with
        return Constant(says=self.says)


class LooseSeconds(Seconds):
    """A number, or the same as text: SDKs send ``"4"``."""

    def to_internal_value(self, data: Any) -> Fraction:
        if isinstance(data, str):
            if not _SECONDS.match(data):
                self.fail("invalid")
            return Fraction(data)
        return super().to_internal_value(data)


class InputReference(GivenField):
    """A file part, ``{"file_id": …}`` or ``{"image_url": "data:…"}``."""

    default_error_messages = {
        "invalid": _("Send a file, or an object with file_id or image_url, and only one of them."),
        "image_url_not_fetched": _(
            "No address is fetched from here. Send the picture itself, or as a data: address."
        ),
        "image_url_unreadable": _("This data: address holds no base64 that can be read."),
    }

    def to_internal_value(self, data: Any) -> Given:
        if hasattr(data, "chunks"):
            return Given(file=data.file, size=data.size, name=data.name or "")
        if not isinstance(data, dict) or len(data) != 1:
            self.fail("invalid")
        ((name, value),) = data.items()
        if name not in ("file_id", "image_url") or not isinstance(value, str):
            self.fail("invalid")
        return Given(id=value) if name == "file_id" else self._of_address(value)

    def to_representation(self, value: Given) -> Any:
        raise AssertionError("it only comes in")

    def _of_address(self, address: str) -> Given:
        found = _DATA.match(address)
        if found is None:
            self.fail("image_url_not_fetched")
        try:
            raw = base64.b64decode(address[found.end() :], validate=True)
        except ValueError:  # also of signs that are not ASCII
            self.fail("image_url_unreadable")
        return Given(file=BytesIO(raw), size=len(raw), name="")


class VideoGiven(GivenField):
    """A file part, or ``{"id": "video_…"}``."""

    default_error_messages = {"invalid": _("Send a file, or an object with the id of a video.")}

    def to_internal_value(self, data: Any) -> Given:
        if hasattr(data, "chunks"):
            return Given(file=data.file, size=data.size, name=data.name or "")
        if isinstance(data, dict) and list(data) == ["id"] and isinstance(data["id"], str):
            return Given(id=data["id"])
        return self.fail("invalid")

    def to_representation(self, value: Given) -> Any:
        raise AssertionError("it only comes in")
