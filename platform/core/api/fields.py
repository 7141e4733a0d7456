"""Fields as this API writes them. Strict: ``"5"`` is no number and ``5`` is no text."""

from __future__ import annotations

import math
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.clock import FIRST_YEAR, LAST_YEAR, is_in_range
from core.ids import read_id, shown

# DRF's fields are generic only for the type checker.
if TYPE_CHECKING:
    IdField = serializers.Field[UUID, Any, str, Any]
    FractionField = serializers.Field[Fraction, Any, Any, Any]
else:
    IdField = FractionField = serializers.Field


class PublicId(IdField):
    """``PublicId("job")``: a UUID inside, ``job_…`` outside."""

    default_error_messages = {"invalid": _("This is no id of this kind.")}

    def __init__(self, thing: str, **options: Any) -> None:
        super().__init__(**options)
        self.thing = thing

    def to_representation(self, value: UUID) -> str:
        return shown(self.thing, value)

    def to_internal_value(self, data: Any) -> UUID:
        value = read_id(self.thing, data) if isinstance(data, str) else None
        if value is None:
            self.fail("invalid")
        return value


class Text(serializers.CharField):
    """A string, untouched: neither trimmed nor made from a number."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **options})

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Whole(serializers.IntegerField):
    """A JSON number without a fraction."""

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:  # True is an int, too
            self.fail("invalid")
        return super().to_internal_value(data)


class Moment(serializers.DateTimeField):
    """A moment that comes in, within the years that every zone and page can say."""

    default_error_messages = {
        "moment_out_of_range": _("Dates lie between the years {first} and {last}.")
    }

    def to_internal_value(self, value: Any) -> datetime:
        moment = super().to_internal_value(value)
        if not is_in_range(moment):
            self.fail("moment_out_of_range", first=FIRST_YEAR, last=LAST_YEAR)
        return moment


class Ratio(FractionField):
    """An exact fraction as ``"24000/1001"``. Only goes out."""

    def __init__(self, **options: Any) -> None:
        super().__init__(read_only=True, **options)

    def to_representation(self, value: Fraction) -> str:
        return f"{value.numerator}/{value.denominator}"


class Seconds(FractionField):
    """A length: a number with at most six places outside, an exact fraction inside."""

    default_error_messages = {"invalid": _("A length is a number of seconds.")}

    def to_representation(self, value: Fraction) -> float:
        return round(float(value), 6)

    def to_internal_value(self, data: Any) -> Fraction:
        # A whole number is finite, however large: isfinite would first make a float of it.
        if type(data) is not int and not (type(data) is float and math.isfinite(data)):
            self.fail("invalid")
        return Fraction(repr(data))  # the decimal that was written, not its binary neighbour
