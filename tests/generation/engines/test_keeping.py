"""Killed, and gone on: bit for bit the undisturbed clip, and nothing computed twice."""

import hashlib
import json
import signal
import subprocess
import sys
from contextlib import closing

import pytest

from generation.engines.local.diffusers_engine import DiffusersEngine

pytestmark = [pytest.mark.torch, pytest.mark.slow]

CHILD = """
import json, os, signal, sys
from pathlib import Path
from generation.engines.order import order_from
from generation.engines.local.diffusers_engine import DiffusersEngine
from generation.engines.protocol import Watch as AnyWatch

class Dying(AnyWatch):
    seen = 0
    def tick(self, stage, step, steps):
        if (stage.value, step) == (sys.argv[3], int(sys.argv[4])):
            self.seen += 1
            if self.seen == int(sys.argv[5]):
                os.kill(os.getpid(), signal.SIGKILL)

order = order_from(json.loads(sys.argv[1]))
engine = DiffusersEngine(keeps_answers_above_s=float(sys.argv[6]))
engine.load(order.checkpoint)
list(engine.render(order, Dying(), kept=Path(sys.argv[2])))
"""


def killed(order, folder, stage, step, nth, above_s):
    told = [json.dumps(order.as_dict()), str(folder), stage, str(step), str(nth), str(above_s)]
    ended = subprocess.run([sys.executable, "-c", CHILD, *told], capture_output=True, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()[-2000:]


@pytest.fixture(scope="module")
def engine(tiny_folder):
    with closing(DiffusersEngine(keeps_answers_above_s=0)) as made:
        made.load(tiny_folder)
        yield made


@pytest.fixture
def order(order_of, tiny_folder):
    return order_of(checkpoint=tiny_folder, width=64, height=64, frames=9, steps=4)


@pytest.fixture
def computed(engine):
    """How often a first block ran: replayed answers run none."""
    runs = []
    block = engine._pipe.transformer.transformer_blocks[0]
    handle = block.register_forward_hook(lambda *_: runs.append(1))
    yield runs
    handle.remove()


def digest(frames):
    return hashlib.sha256(b"".join(f.tobytes() for f in frames)).hexdigest()


def test_a_clip_killed_in_decode_resumes_from_its_latents(
    engine, order, watching, tmp_path, computed
):
    alone = digest(engine.render(order, watching()))
    killed(order, tmp_path / "kept", "decode", 3, 1, 60)
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["latents.safetensors"]
    computed.clear()
    watch = watching()
    assert digest(engine.render(order, watch, kept=tmp_path / "kept")) == alone
    assert not computed
    assert [(step, steps) for stage, step, steps in watch.trail if stage.value == "denoise"] == [
        (4, 4)
    ]


def test_a_clip_killed_in_a_step_computes_the_missing_steps_alone(
    engine, order, watching, tmp_path, computed
):
    alone = digest(engine.render(order, watching()))
    killed(order, tmp_path / "kept", "denoise", 2, 6, 0)
    kept = len(list((tmp_path / "kept").glob("answer-*")))
    assert kept in (1, 2)  # the second may not have reached the disk yet
    computed.clear()
    assert digest(engine.render(order, watching(), kept=tmp_path / "kept")) == alone
    assert len(computed) == 4 - kept
    # Once there are latents, the way to them is dropped.
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["latents.safetensors"]


def stopped_half_way(engine, order, watching, folder):
    from generation.engines.protocol import Stage, Stopped

    with pytest.raises(Stopped):
        list(engine.render(order, watching((Stage.DENOISE, 25)), kept=folder))
    return sorted(folder.glob("answer-*"))


def test_what_is_of_another_order_or_damaged_is_removed_and_computed_anew(
    engine, order, order_of, watching, tmp_path, computed
):
    folder = tmp_path / "kept"
    first, second, *_ = stopped_half_way(engine, order, watching, folder)
    content = bytearray(first.read_bytes())
    content[-1] ^= 1
    first.write_bytes(content)
    second.write_bytes(second.read_bytes()[:-8])
    alone = digest(engine.render(order, watching()))
    computed.clear()
    assert digest(engine.render(order, watching(), kept=folder)) == alone
    assert len(computed) >= 3  # both damaged ones, and what was never begun
    other = order_of(**(fields(order) | {"seed": 8}))
    expected = digest(engine.render(other, watching()))
    computed.clear()
    assert digest(engine.render(other, watching(), kept=folder)) == expected
    assert len(computed) == 4


def fields(order):
    from dataclasses import fields as names

    return {one.name: getattr(order, one.name) for one in names(order)}


def test_answers_stop_at_their_limit_and_the_clip_does_not(
    engine, order, watching, tmp_path, monkeypatch
):
    from generation.engines.local import keeping

    monkeypatch.setattr(keeping.Kept.__init__, "__kwdefaults__", {"most_bytes": 30_000})
    kept = stopped_half_way(engine, order, watching, tmp_path / "kept")
    assert sum(path.stat().st_size for path in kept) < 40_000
    assert len(kept) == 1


def test_a_full_disk_ends_no_clip(engine, order, watching, tmp_path, monkeypatch):
    from generation.engines.local import keeping

    def full(*_):
        raise OSError(28, "No space left on device")

    alone = digest(engine.render(order, watching()))
    monkeypatch.setattr(keeping.Kept, "_write", full)
    assert digest(engine.render(order, watching(), kept=tmp_path / "kept")) == alone


def test_noise_of_the_decoder_is_the_same_after_a_resume(tiny_folder, order_of, watching, tmp_path):
    """The generator goes on where denoising left it."""
    import torch

    with closing(DiffusersEngine()) as engine:
        engine.load(tiny_folder)
        order = order_of(checkpoint=tiny_folder, width=64, height=64, frames=9, steps=2)
        family = engine._loaded.family
        drawn = []
        decode = family.decode

        def noisy(run, latents):
            drawn.append(torch.randn(4, generator=run.generator))
            yield from decode(run, latents)

        family.decode = noisy
        try:
            for _ in range(2):
                list(engine.render(order, watching(), kept=tmp_path / "kept"))
        finally:
            del family.decode
    assert (drawn[0] == drawn[1]).all()


def test_a_digest_names_order_and_facts_but_no_place(order):
    from generation.engines.local.keeping import digest_of

    plain = digest_of(order, {"torch": "1"})
    assert digest_of(order, {"torch": "2"}) != plain
    from dataclasses import replace
    from pathlib import Path

    assert digest_of(replace(order, prompt="snow"), {"torch": "1"}) != plain
    assert digest_of(replace(order, checkpoint=Path("/elsewhere")), {"torch": "1"}) == plain
