"""What stands in the composer as the order of the API that asks for the same."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from generation.jobs.conditions import WishedCondition
from generation.jobs.orders import Wish


def body_of(wish: Wish) -> dict[str, Any]:
    """Without what is as usual anyway."""
    optional = {
        "tier": wish.tier,
        "seed": wish.seed,
        "thread": wish.continues,
        "extends": wish.extends,
        "conditions": [_condition(one) for one in wish.conditions],
        "styles": [{"style": one.style, **_weight(one.weight)} for one in wish.styles],
    }
    return {
        "prompt": wish.prompt,
        "model": wish.model,
        "size": f"{wish.width}x{wish.height}",
        "seconds": _number(wish.seconds),
        **{name: value for name, value in optional.items() if value not in (None, [], "")},
    }


def _condition(one: WishedCondition) -> dict[str, Any]:
    at = {str: "at", int: "frame", Fraction: "seconds"}[type(one.at)]
    where = _number(one.at) if isinstance(one.at, Fraction) else one.at
    moment = {"from_end": True} if one.moment is None else {"moment": _number(one.moment)}
    return {
        "reference": one.reference,
        at: where,
        **({"strength": one.strength} if one.strength != 1.0 else {}),
        **(moment if one.moment != 0 else {}),
    }


def _weight(weight: float | None) -> dict[str, float]:
    return {} if weight is None else {"weight": weight}


def _number(value: Fraction) -> float | int:
    return int(value) if value.denominator == 1 else round(float(value), 6)
