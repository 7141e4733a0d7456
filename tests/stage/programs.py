"""Requests as programs, and how they are run as anybody would run them."""

from __future__ import annotations

import io
import os
import subprocess
from pathlib import Path
from typing import Any

from django.conf import settings
from PIL import Image

from core.api.snippets import FILE, Asked, Gives
from core.ids import shown
from generation.jobs.models import Job
from stage.builders import a_clip, a_model
from stage.web import Web

QUOTE = {"model": "still", "size": "128x96", "seconds": 2}
PROMPT = 'It\'s "dusk"; $HOME `id` \\ é – 你好'


def everything(base: str, clip: Any) -> dict[str, Asked]:
    file = shown("rendition", clip.renditions.get(kind="master").id)
    order = {"prompt": PROMPT, **QUOTE, "seed": 7, "styles": []}
    return {
        "a reading": Asked(method="GET", url=f"{base}/api/v1/quota"),
        "a price": Asked(method="POST", url=f"{base}/api/v1/quotes", body=QUOTE),
        "an order": Asked(method="POST", url=f"{base}/api/v1/jobs", body=order, key="order-1"),
        "a picture": Asked(
            method="POST",
            url=f"{base}/api/v1/references",
            body={"rights": "own"},
            file="file",
            key="order-2",
        ),
        "a file": Asked(method="GET", url=f"{base}/media/{file}", gives=Gives.BYTES),
    }


def ran(words: list[str], folder: Path, token: str) -> str:
    done = subprocess.run(
        words,
        cwd=folder,
        env={**os.environ, "GREENROOM_TOKEN": token, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def a_picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (128, 96), "navy").save(buffer, "PNG")
    return buffer.getvalue()


def tell(web: Web, member: Any, folder: Path, write: Any, run: Any) -> None:
    """Each request as a program of one language, run one after the other against a web."""
    a_model()
    clip, token = a_clip(member), member.token()
    (folder / FILE).write_bytes(a_picture())
    key = clip.renditions.get(kind="master").storage_key
    film = (Path(settings.MEDIA_FOLDER) / key).read_bytes()
    (web.media / key).parent.mkdir(parents=True, exist_ok=True)
    (web.media / key).write_bytes(film)
    said = {
        name: ran(run(write(asked)), folder, token)
        for name, asked in everything(web.address, clip).items()
    }
    assert (folder / "answer").read_bytes() == film
    assert "left" in said["a reading"]
    assert "price_credits" in said["a price"]
    assert "ref_" in said["a picture"]
    ordered = Job.objects.filter(clip__isnull=True).get()
    assert ordered.prompt == PROMPT
    assert shown("job", ordered.id) in said["an order"]
