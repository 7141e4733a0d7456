"""Styles that are offered, retired and not offered yet, of two models; and a job that uses one."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from generation.jobs.styles import WishedStyle
from generation.styles.commands import retire_style
from generation.styles.models import Style
from stage.builders import a_job, a_model
from stage.cast import Member
from stage.styles import a_style

STYLED = "styled"


@dataclass
class StyleWorld:
    model: UUID
    ink: Style
    oil: Style
    retired: Style
    bare: Style
    others: Style


def a_style_world(tester: Member) -> StyleWorld:
    """``bare`` fits nothing yet, ``others`` is of another model."""
    model, other = a_model(STYLED, takes_styles=True), a_model("other", takes_styles=True)
    a_style(model, slug="gone")
    made = StyleWorld(
        model=model.id,
        ink=a_style(model, slug="ink"),
        oil=a_style(model, slug="oil"),
        retired=retire_style(slug="gone"),
        bare=a_style(slug="bare", is_offered=False),
        others=a_style(other, slug="glass"),
    )
    a_job(tester, model=STYLED, styles=(WishedStyle("ink"),))
    return made
