"""Shapes: what comes in and what goes out, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

# DRF's serializers are generic only for the type checker.
if TYPE_CHECKING:
    Serializer = serializers.Serializer[Any]
else:
    Serializer = serializers.Serializer


class Shape(Serializer):
    """Refuses fields it does not know: a misspelt one must not pass in silence."""

    def to_internal_value(self, data: Any) -> Any:
        errors: dict[str, Any] = {}
        if isinstance(data, Mapping):
            errors = {str(name): [_unknown()] for name in data if name not in self.fields}
        try:
            known = super().to_internal_value(data)
        except serializers.ValidationError as wrong:
            found: Any = wrong.detail
            raise serializers.ValidationError({**found, **errors}) from None
        if errors:
            raise serializers.ValidationError(errors)
        return known


def _unknown() -> ErrorDetail:
    return ErrorDetail(_("There is no field of this name."), code="unknown")
