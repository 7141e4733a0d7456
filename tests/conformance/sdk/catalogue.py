"""Models and files."""

from __future__ import annotations

from pathlib import Path

import openai
from desk import Desk, check, done, refused


@check
async def models_are_listed_and_read(desk: Desk) -> None:
    models = await desk.all_of(desk.client.models.list())
    assert {"still", "later"} <= {model.id for model in models}
    model = await done(desk.client.models.retrieve("still"))
    assert (model.id, model.object) == ("still", "model")
    assert isinstance(model.created, int)
    assert model.owned_by
    with refused(openai.NotFoundError):
        await done(desk.client.models.retrieve("sora-2"))


@check
async def a_file_is_sent_read_listed_and_removed(desk: Desk) -> None:
    picture = desk.world.own_picture
    file = await done(desk.client.files.create(file=Path(picture), purpose="vision"))
    assert file.id.startswith("file_")
    assert (file.object, file.bytes) == ("file", Path(picture).stat().st_size)
    assert (file.filename, file.purpose) == (Path(picture).name, "vision")
    read = await done(desk.client.files.retrieve(file.id))
    assert read.id == file.id
    assert file.id in [each.id for each in await desk.all_of(desk.client.files.list())]
    gone = await done(desk.client.files.delete(file.id))
    assert (gone.id, gone.deleted) == (file.id, True)
    with refused(openai.NotFoundError):
        await done(desk.client.files.retrieve(file.id))
