"""A lab's own architecture in a package outside of this repository: that of docs/families.md."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[4] / "docs" / "families.md"

LIMITS = """
import json, sys
from pathlib import Path
from generation.engines.local.reading import read_checkpoint
try:
    limits = read_checkpoint(Path(sys.argv[1])).capabilities()
    said = [limits.sizes.multiple, limits.frames.snap(7), [mode.value for mode in limits.modes]]
except Exception as error:
    said = [type(error).__name__, str(error)]
print(json.dumps([said, "torch" in sys.modules]))
"""

RENDERED = """
import json, sys
from contextlib import closing
from fractions import Fraction
from pathlib import Path
import numpy as np
import torch
from diffusers import FlowMatchEulerDiscreteScheduler
from flipbook_model import FlipbookPainter, FlipbookPipeline, FlipbookTransformer
from generation.engines.local.diffusers_engine import DiffusersEngine
from generation.engines.order import Order
from generation.engines.protocol import Stage, Stopped, Watch as AnyWatch
from generation.engines.registry import engine as engine_named

class Watch(AnyWatch):
    def __init__(self, stop_at=None):
        self.stop_at, self.told = stop_at, []
    def tick(self, stage, step, steps):
        self.told.append((stage.value, step, steps))
        if len(self.told) == self.stop_at:
            raise Stopped

folder = Path(sys.argv[1])
torch.manual_seed(0)
FlipbookPipeline(
    FlipbookTransformer(), FlipbookPainter(), FlowMatchEulerDiscreteScheduler()
).save_pretrained(folder)
order = Order(
    prompt="a red circle", seed=7, frames=6, rate=Fraction(8), width=44, height=32, steps=3,
    checkpoint=folder,
)
pipe = FlipbookPipeline.from_pretrained(str(folder), local_files_only=True)
pipe.set_progress_bar_config(disable=True)
latents = pipe(
    "a red circle", frames=6, width=48, height=32, steps=3,
    generator=torch.Generator("cpu").manual_seed(7),
)
expected = np.stack([
    ((frame[0] * 0.5 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    for frame in pipe.painted(latents)
])[:, :, 2:46]
with closing(engine_named("diffusers")) as engine:
    engine.load(folder)
    watch = Watch()
    ours = np.stack(list(engine.render(order, watch)))
    stops = []
    for nth in (1, len(watch.told) // 2, len(watch.told) - 1):
        try:
            list(engine.render(order, Watch(nth)))
        except Stopped:
            stops.append(nth)
    again = np.stack(list(engine.render(order, Watch())))
    facts = engine.describe()
print(json.dumps({
    "shape": ours.shape, "parity": bool((ours == expected).all()), "levels": len(np.unique(ours)),
    "stops": len(stops), "again": bool((again == ours).all()), "family": facts["family"],
    "last": watch.told[-1], "denoised": [one for one in watch.told if one[0] == "denoise"][-1],
}))
"""


def package():
    """The files of the package, as the page has them."""
    block = re.compile(r"^`([\w.]+)`.*?^```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL)
    return dict(block.findall(PAGE.read_text())[:3])


def run(program, *args, path):
    found = os.pathsep.join(map(str, path))
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, args)],
        capture_output=True,
        check=False,
        text=True,
        env={**os.environ, "PYTHONPATH": found, "OMP_NUM_THREADS": "1"},
        cwd=path[0],
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def installed(folder, files):
    """By pip, with nothing from outside and nothing but these files."""
    source, target = folder / "source", folder / "site"
    source.mkdir(parents=True)
    for name, text in files.items():
        (source / name).write_text(text)
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"),
            *("--no-build-isolation", "--disable-pip-version-check", "--target", target, source),
        ],
        check=True,
        capture_output=True,
    )
    return target


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return installed(tmp_path_factory.mktemp("flipbook"), package())


@pytest.fixture
def folder(tmp_path):
    """What such a checkpoint looks like from outside, made without torch."""
    index = {
        "_class_name": "FlipbookPipeline",
        "transformer": ["flipbook_model", "FlipbookTransformer"],
        "painter": ["flipbook_model", "FlipbookPainter"],
        "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
    }
    (tmp_path / "model_index.json").write_text(json.dumps(index))
    for part in ("transformer", "painter"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "model.safetensors").write_bytes(b"")
    (tmp_path / "painter" / "config.json").write_text(json.dumps({"side": 8}))
    return tmp_path


def limits(folder, *path):
    said, has_torch = json.loads(run(LIMITS, folder, path=path))
    assert not has_torch
    return said


def test_the_package_on_the_page_is_small_and_whole():
    files = package()
    assert list(files) == ["pyproject.toml", "flipbook.py", "flipbook_model.py"]
    assert sum(len(text.splitlines()) for text in files.values()) <= 150


def test_limits_are_read_without_torch(site, folder):
    assert limits(folder, site) == [8, 7, ["text"]]


def test_without_the_package_its_checkpoints_are_foreign(folder, tmp_path):
    name, said = limits(folder, tmp_path)
    assert name == "EngineFailure"
    assert "checkpoint_foreign" in said


def test_two_packages_that_claim_one_pipeline_are_refused(site, folder, tmp_path_factory):
    files = package()
    another = {
        "pyproject.toml": files["pyproject.toml"].replace("flipbook", "copybook"),
        "copybook.py": files["flipbook.py"].replace('name = "flipbook"', 'name = "copybook"'),
        "copybook_model.py": "",
    }
    second = installed(tmp_path_factory.mktemp("copybook"), another)
    name, said = limits(folder, site, second)
    assert name == "LookupError"
    assert "copybook and flipbook both claim FlipbookPipeline" in said
    assert limits(folder, site) == [8, 7, ["text"]]  # control: one of them alone


def test_a_library_that_the_family_does_not_name_is_never_imported(site, folder, tmp_path):
    (tmp_path / "sly.py").write_text("open('sly-was-here', 'w').close()\n")
    index = json.loads((folder / "model_index.json").read_text())
    index["painter"] = ["sly", "FlipbookPainter"]
    (folder / "model_index.json").write_text(json.dumps(index))
    name, said = limits(folder, site, tmp_path)
    assert (name, "sly" in said) == ("EngineFailure", True)
    assert not list(site.glob("sly-*"))
    run("import sly", path=(site, tmp_path))  # control: it could have been
    (mark,) = site.glob("sly-*")
    mark.unlink()


@pytest.mark.torch
def test_it_renders_what_its_own_pipeline_renders(site, tmp_path):
    said = json.loads(run(RENDERED, tmp_path / "checkpoint", path=(site,)))
    assert said["shape"] == [6, 32, 44, 3]
    assert said["parity"]
    assert said["levels"] > 16
    assert said["family"] == "flipbook"
    assert said["denoised"] == ["denoise", 3, 3]
    assert said["last"] == ["decode", 6, 6]
    assert said["stops"] == 3
    assert said["again"]
