"""The docs page's programs for JavaScript, run by Node."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.api.snippets import javascript
from greenroom.checkout import CHECKOUT
from stage.programs import tell

NODE = CHECKOUT / ".venv/conformance/node/bin/node"

pytestmark = [pytest.mark.conformance, pytest.mark.django_db(transaction=True)]


def test_a_program_does_what_it_says_when_it_is_run(web, tester, tmp_path: Path):
    def run(text: str) -> list[str]:
        (tmp_path / "program.mjs").write_text(text)
        return [str(NODE), "--no-warnings", "program.mjs"]

    tell(web, tester, tmp_path, javascript, run)
