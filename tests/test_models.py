"""`rushes models`: a folder becomes an entry of the person's own file; nothing broken or unsafe does."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from handmade import model, sharded, weights
from rushes.cli.main import app
from rushes.engine.modelsfile import ModelsFile
from rushes.generators.folders import read_folder
from rushes.generators.installed import missing
from rushes.generators.safetensors_files import check
from rushes.generators.templates import doubts, recognised, templates
from rushes.store.places import Places


@pytest.fixture
def registry(user_folders: Path) -> Path:
    return user_folders / "config" / "rushes" / "models.toml"


@pytest.fixture(autouse=True)
def own_hub(user_folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(user_folders / "cache" / "hub"))


def run(*args: str, code: int = 0) -> Result:
    result = CliRunner().invoke(app, ["models", *args])
    assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
    return result


def said(*args: str, code: int = 0) -> dict[str, Any]:
    shape: dict[str, Any] = json.loads(run(*args, "--json", code=code).stdout)
    return shape


def test_a_folder_becomes_an_entry_and_leaves_again(tmp_path: Path, registry: Path) -> None:
    folder = model(tmp_path / "Wan Fox-Diffusers", transformer_2=None)
    added = said("add", str(folder), "--set", "final.steps=40", "--set", "words=film still, {prompt}")
    assert (added["name"], added["template"], added["accepted"]) == ("wan-fox", "wan2.1-t2v-1.3b", True)
    assert added["files"] == len(read_folder(folder).files) == 10
    (animatic, row) = said("list")["models"]
    assert (animatic["name"], animatic["usable"]) == ("animatic", True)
    assert (row["name"], row["can"], row["source"]) == ("wan-fox", ["t2v", "v2v", "lora"], str(folder))
    assert row["fingerprint"] == added["fingerprint"]
    assert row["usable"] == (not missing())
    entry = ModelsFile(Places.of_user()).read()["wan-fox"]
    assert (entry.final.steps, entry.draft.size, entry.rate) == (40, "624x352", "16/1")
    assert entry.words == "film still, {prompt}"
    assert [(m["ok"], m["files"]) for m in said("check")["models"]] == [(True, 10)]
    assert said("remove", "wan-fox")["source"] == str(folder)
    assert [r["name"] for r in said("list")["models"]] == ["animatic"]


def test_every_known_model_is_recognised(tmp_path: Path) -> None:
    """A folder with the settings of the real one, under its real name, is taken for it, without a doubt."""
    for number, (name, template) in enumerate(templates().items()):
        wanted = template.needs | template.hints
        configs: dict[str, dict[str, Any]] = {"unet" if "XL" in template.pipelines[0] else "transformer": {}}
        settings: dict[str, Any] = {}
        for key, value in wanted.items():
            component, _, setting = key.partition(".")
            value = 1 if value == "present" else value
            if value == "absent":
                continue
            if setting:
                configs.setdefault(component, {})[setting] = value
            elif component in ("transformer_2", "image_encoder"):
                configs[component] = {}
            else:
                settings[component] = value
        folder = read_folder(model(tmp_path / str(number), template.pipelines[0], configs, **settings))
        assert recognised(folder, template.repository) == name
        assert doubts(template, folder) == []


def test_what_diffusers_saves_is_recognised_and_read_as_its_own_library_reads_it(tmp_path: Path) -> None:
    pytest.importorskip("diffusers")
    from safetensors import safe_open

    from tiny import TinyModels

    tiny = TinyModels(tmp_path)
    known = {"wan22_ti2v": "wan2.2-ti2v-5b", "wan_i2v": "wan2.1-i2v-14b-480p", "wan_vace": "wan2.1-vace-1.3b"}
    for name, template in {**known, "sdxl": "sdxl", "flux": "flux.1-dev"}.items():
        folder = read_folder(tiny.folder(name))
        assert recognised(folder, name) == template
        assert {*folder.files} == {
            p.relative_to(folder.path).as_posix() for p in folder.path.rglob("*") if p.is_file()
        }
        for file in (folder.path / file for part in folder.components.values() for file in part.weights):
            with safe_open(file, "pt") as opened:
                names = opened.keys()
                slices = {name: opened.get_slice(name) for name in names}
                shapes = {name: found.get_dtype() + str(found.get_shape()) for name, found in slices.items()}
            assert {key: t.dtype + str(list(t.shape)) for key, t in check(file).tensors.items()} == shapes


BREAKS: list[tuple[str, Callable[[Path], Any]]] = [
    ("it has no model_index.json", lambda m: (m / "model_index.json").unlink()),
    ("is damaged", lambda m: (m / "model_index.json").write_text('{"_class_name": "Wan')),
    ("no pipeline that Rushes runs", lambda m: _change(m / "model_index.json", _class_name="MochiPipeline")),
    ("code that came with the model", lambda m: _change(m / "model_index.json", _class_name=["pipe", "Mine"])),
    ("run code", lambda m: _change(m / "model_index.json", custom_pipeline="pipeline.py")),
    ("run code", lambda m: _change(m / "text_encoder" / "config.json", auto_map={"AutoModel": "evil.Model"})),
    ("code that came with the model", lambda m: (m / "vae" / "vae.py").write_text("print()")),
    ("neither diffusers nor transformers", lambda m: _change(m / "model_index.json", vae=["os", "system"])),
    ("no name of a component", lambda m: _change(m / "model_index.json", **{"../vae": ["diffusers", "VAE"]})),
    ("is missing", lambda m: (m / "vae" / "config.json").parent.rename(m / "vae_old")),
    ("is missing", lambda m: _weights(m).unlink()),
    ("cut short", lambda m: _weights(m).write_bytes(_weights(m).read_bytes()[:-1])),
    ("cut short within its header", lambda m: _weights(m).write_bytes(_weights(m).read_bytes()[:60])),
    ("follow the last tensor", lambda m: _weights(m).write_bytes(_weights(m).read_bytes() + b"x")),
    ("is empty", lambda m: _weights(m).write_bytes(b"")),
    ("a Python pickle", lambda m: _weights(m).write_bytes(b"\x80\x04\x95" + b"x" * 90)),
    ("PyTorch archive", lambda m: _weights(m).write_bytes(b"PK\x03\x04" + b"x" * 90)),
    ("page of a website", lambda m: _weights(m).write_bytes(b"<!DOCTYPE html><html>404")),
    ("pointer of Git LFS", lambda m: _weights(m).write_bytes(b"version https://git-lfs.github.com/spec/v1\n")),
    ("are pickles", lambda m: _weights(m).rename(m / "transformer" / "diffusion_pytorch_model.bin")),
    ("there is diffusion_pytorch_model.fp16", lambda m: _as_variant(_weights(m))),
    ("leads out of", lambda m: _link(_weights(m), m.parent / "elsewhere.safetensors")),
    ("names '../a.safetensors'", lambda m: _change(sharded(m, "vae"), weight_map={"a": "../a.safetensors"})),
    ("is missing", lambda m: next(sharded(m, "transformer").parent.glob("*-00002-*")).unlink()),
]


def _change(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def _weights(folder: Path) -> Path:
    return folder / "transformer" / "diffusion_pytorch_model.safetensors"


def _as_variant(path: Path) -> None:
    path.rename(path.with_suffix(".fp16.safetensors"))


def _link(path: Path, elsewhere: Path) -> None:
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


@pytest.mark.parametrize(("words", "broken"), BREAKS, ids=[f"{n}-{words}" for n, (words, _) in enumerate(BREAKS)])
def test_a_broken_or_unsafe_folder_is_refused(
    tmp_path: Path, registry: Path, words: str, broken: Callable[[Path], Any]
) -> None:
    folder = model(tmp_path / "wan")
    broken(folder)
    error = said("add", str(folder), code=2)["error"]
    assert words in error["text"]
    assert error["remedy"]
    assert str(tmp_path) in error["where"]
    assert not registry.exists()


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["nowhere/to/be/found"], "is not there"),
        (["x" * 5000], "cannot be read"),
        (["acme/unknown"], "not in this machine's cache"),
        (["wan/vae"], "one component of a model"),
        (["wan/vae/diffusion_pytorch_model.safetensors"], "a single file of weights is no model"),
        (["old.ckpt"], "can hold programs"),
        (["wan", "--template", "wan3"], "no template is called"),
        (["wan", "--template", "sdxl"], "holds a WanPipeline"),
        (["wan", "--name", "final"], "cannot be called"),
        (["wan", "--name", "a b"], "cannot be called"),
        (["wan", "--quality", "best"], "cannot be registered so"),
        (["wan", "--dtype", "int8"], "cannot be registered so"),
        (["wan", "--set", "steps"], "is no KEY=VALUE"),
        (["wan", "--set", "final.stepz=3"], "cannot be registered so"),
        (["wan", "--set", "final.steps=0"], "cannot be registered so"),
        (["wan", "--set", "rate.of=3"], "has no fields of its own"),
        (["wan", "--set", "final.size=833x480"], "no multiple of 16"),
        (["./wan", "--download"], "is no name of a repository"),
    ],
)
def test_a_wrong_request_says_what_and_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, registry: Path, args: list[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    model(tmp_path / "wan")
    (tmp_path / "old.ckpt").write_bytes(b"\x80\x02")
    error = said("add", *args, code=2)["error"]
    assert words in error["text"]
    assert error["remedy"]
    assert not registry.exists()


def test_a_model_is_not_used_before_its_licence_is_accepted(tmp_path: Path, registry: Path) -> None:
    flux = {"transformer": {"guidance_embeds": True}}
    folder = model(tmp_path / "flux", "FluxPipeline", flux)
    shown = run("add", str(folder))
    assert "NOT ACCEPTED" in shown.stdout
    assert "rushes models accept flux" in shown.stderr
    before = registry.read_text()
    assert "licence" in said("list")["models"][1]["fault"]["text"]
    assert said("accept", "flux") == {
        "name": "flux",
        "licence": "flux-1-dev-non-commercial-license",
        "accepted": True,
    }
    assert registry.read_text() == before.replace("accepted = false", "accepted = true")
    assert said("list")["models"][1]["usable"] == (not missing())
    assert said("add", str(folder), "--name", "b", "--accept-licence")["accepted"]


PERSONS_OWN = """\
# my models, do not touch

[models.one]   # the first
generator = "diffusers"
source = '/models/one'
negative = \"\"\"
[models.wan]
# no header, no comment\"\"\"

  [models.'two three']
generator="animatic"
"""


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_what_the_person_wrote_stays_as_it_is(tmp_path: Path, registry: Path, ends: str) -> None:
    registry.parent.mkdir(parents=True)
    before = PERSONS_OWN.replace("\n", ends).encode()
    dotfile = tmp_path / "dotfiles.toml"
    dotfile.write_bytes(before)
    registry.symlink_to(dotfile)
    folder = model(tmp_path / "wan")
    run("add", str(folder), "--name", "wan.x")
    assert dotfile.read_bytes().startswith(before)
    assert registry.is_symlink()
    assert "registered already" in said("add", str(folder), "--name", "wan.x", code=2)["error"]["text"]
    run("remove", "wan.x")
    assert dotfile.read_bytes().strip() == before.strip()
    run("remove", "two three")
    assert list(ModelsFile(Places.of_user()).read()) == ["one"]
    assert "no model called 'two'" in said("remove", "two", code=2)["error"]["text"]


@pytest.mark.parametrize(
    "text",
    [
        'models = { one = { generator = "diffusers" } }\n',
        '[models]\none = { generator = "diffusers", accepted = false }\n',
        '[models]\none.generator = "diffusers"\none.accepted = false\n',
    ],
)
def test_a_file_written_in_another_way_is_left_alone(tmp_path: Path, registry: Path, text: str) -> None:
    registry.parent.mkdir(parents=True)
    registry.write_text(text)
    for args in (["remove", "one"], ["accept", "one"]):
        result = CliRunner().invoke(app, ["models", *args, "--json"])
        if result.exit_code:
            assert "cannot change" in json.loads(result.stdout)["error"]["text"]
            assert registry.read_text() == text


def test_a_bit_that_fell_over_is_found(tmp_path: Path) -> None:
    folder = model(tmp_path / "wan")
    file = _weights(folder)
    long_ago = (file.stat().st_atime_ns, file.stat().st_mtime_ns - 10**12)
    for path in folder.rglob("*.safetensors"):
        os.utime(path, ns=long_ago)
    run("add", str(folder))
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    with file.open("r+b") as same:
        same.write(data)
    os.utime(file, ns=long_ago)
    (checked,) = said("check", "wan", code=1)["models"]
    assert [fault["where"] for fault in checked["faults"]] == [str(file)]
    assert "the disk may be failing" in run("check", code=1).stdout
    assert "no model called" in said("check", "nobody", code=2)["error"]["text"]


def test_nothing_heavy_is_imported(tmp_path: Path) -> None:
    """Neither to add a folder nor to list."""
    model(tmp_path / "wan")
    script = (
        "import sys; from typer.testing import CliRunner; from rushes.cli.main import app\n"
        f"for args in (['models', 'add', {str(tmp_path / 'wan')!r}], ['models', 'list'], ['models', 'known']):\n"
        "    assert CliRunner().invoke(app, args).exit_code == 0\n"
        "heavy = {'torch', 'diffusers', 'transformers', 'safetensors', 'huggingface_hub'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)


def test_help_teaches() -> None:
    for name in ("list", "known", "add", "accept", "check", "remove"):
        assert "Usage" in run(name, "--help").stdout


def test_what_comes_from_a_folder_is_never_printed_raw(tmp_path: Path) -> None:
    folder = model(tmp_path / "w\x1b[2Jan\u202e")
    weights(folder / "vae" / "x.safetensors")
    _change(folder / "model_index.json", _class_name="Evil\x1b[2JPipeline")
    for shown in (run("add", str(folder), code=2), run("add", str(folder), "--template", "sdxl", code=2)):
        assert not {"\x1b", "\u202e"} & set(shown.stdout + shown.stderr)
