"""From a folder to the catalogue, and one clip to prove it."""

from __future__ import annotations

from fractions import Fraction

import pytest
from django.core.management import call_command

from generation.catalogue.models import VideoModel


@pytest.mark.django_db
def test_a_server_is_added_checked_and_offered_like_a_checkpoint(
    serving, described, film_of, order_of, settings, tmp_path, capsys
):
    settings.MODELS_FOLDER = tmp_path / "below"
    # As long as the shortest clip that the catalogue orders.
    rate = Fraction(8)
    server = serving("sglang", film_of(order_of(frames=1, rate=rate)))
    folder = described(server.address, "sglang")
    price = ("--price", "standard:128x96:3:1")
    words = ("--engine", "remote", "--slug", "far", "--revision", "1", "--licence", "Apache-2.0")
    call_command("model", "add", str(folder), *words, "--rate", "8", *price)
    call_command("model", "check", "far")
    call_command("model", "offer", "far")
    model = VideoModel.objects.get(slug="far")
    assert (model.engine, model.family, model.state) == ("remote", "sglang", "offered")
    assert set(model.weights) == {"remote.json"}
    assert (model.frame_step, model.min_frames, model.rate) == (1, 1, rate)
    assert (tmp_path / "below" / model.checkpoint / "remote.json").is_file()
    assert server.jobs == {}
