"""Models from the Hub, over real HTTP: what is fetched, what is not, and what happens when it breaks off."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from handmade import model, weights
from hub import COMMIT, FakeHub, Repository
from rushes.cli.main import app
from rushes.generators.downloads import download
from rushes_otio.errors import RushesError

pytest.importorskip("huggingface_hub")

LARGE = "transformer/diffusion_pytorch_model.safetensors"
CHUNK = 10 * 1024**2
"""Bytes that huggingface_hub writes at a time."""


@pytest.fixture
def cache(user_folders: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_HUB_CACHE", str(user_folders / "hub"))
    return user_folders / "hub"


@pytest.fixture
def server(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """A Hub with a model, and with what such repositories hold besides."""
    folder = model(tmp_path / "wan")
    for name in ("wan_all_in_one", "transformer/diffusion_pytorch_model.fp16", "onnx/model"):
        weights(folder / f"{name}.safetensors")
    for name in ("run.py", "transformer/diffusion_pytorch_model.bin", "transformer/code.py", "README.md"):
        (folder / name).write_bytes(b"not wanted")
    with FakeHub({"acme/wan": Repository.of(folder)}) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        yield hub


def said(*args: str, code: int = 0) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["models", *args, "--json"])
    assert result.exit_code == code, (result.stdout, result.stderr, result.exception)
    shape: dict[str, Any] = json.loads(result.stdout)
    return shape


def nothing(doing: str, done: int, total: int) -> None:
    """Follows nothing."""


def test_a_model_is_downloaded_only_when_asked_and_pinned_to_its_commit(server: FakeHub, cache: Path) -> None:
    error = said("add", "acme/wan", code=2)["error"]
    assert "not in this machine's cache" in error["text"]
    assert "--download" in error["remedy"]
    assert server.asked == []
    added = said("add", "acme/wan", "--download")
    assert (added["source"], added["revision"], added["name"]) == ("acme/wan", COMMIT, "wan")
    fetched = server.fetched()
    assert sorted(fetched) == sorted(set(fetched))
    assert {Path(file).suffix for file in fetched} == {".json", ".safetensors"}
    assert not [file for file in fetched if "fp16" in file or "onnx" in file or "one" in file]
    assert added["files"] == len(fetched) == 10
    assert said("check")["models"][0]["ok"]
    server.asked.clear()
    again = said("add", "acme/wan", "--name", "again")
    assert (again["fingerprint"], again["revision"]) == (added["fingerprint"], COMMIT)
    assert server.asked == []


def test_a_damaged_file_of_the_cache_is_found(server: FakeHub, cache: Path) -> None:
    said("add", "acme/wan", "--download")
    blob = cache / "models--acme--wan" / "snapshots" / COMMIT / LARGE
    data = bytearray(blob.read_bytes())
    data[-1] ^= 1
    with blob.open("r+b") as same:
        same.write(data)
    (checked,) = said("check", code=1)["models"]
    assert ["not the one of the Hub" in fault["text"] for fault in checked["faults"]] == [True]
    blob.resolve().unlink()
    blob.unlink()
    server.asked.clear()
    said("add", "acme/wan", "--download", "--name", "mended")
    assert server.fetched() == [LARGE]
    assert all(found["ok"] for found in said("check")["models"])


def test_a_download_goes_on_where_it_was_stopped(server: FakeHub, cache: Path) -> None:
    """Stopped for good in the middle of a file, as by Ctrl-C or kill: the next one asks for the rest only."""
    held = server.repositories["acme/wan"].files
    held[LARGE] = _large(3 * CHUNK)
    told: list[int] = []

    def stop(doing: str, done: int, total: int) -> None:
        if done > 2 * CHUNK:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download("acme/wan", "", cache, stop)
    server.asked.clear()
    folder = download("acme/wan", "", cache, lambda doing, done, total: told.append(done))
    (asked,) = [what for method, path, what in server.asked if method == "GET" and path.endswith(LARGE)]
    start = int(asked.removeprefix("bytes=").removesuffix("-"))
    assert start >= CHUNK
    assert (folder / LARGE).read_bytes() == held[LARGE]
    assert told == sorted(told)
    assert not list(cache.rglob("*.incomplete"))


def test_a_connection_that_breaks_is_made_again(server: FakeHub, cache: Path) -> None:
    held = server.repositories["acme/wan"].files
    held[LARGE] = _large(2 * CHUNK)
    server.cuts[LARGE] = CHUNK + 1000
    folder = download("acme/wan", "", cache, nothing)
    asked = [what for method, path, what in server.asked if method == "GET" and path.endswith(LARGE)]
    assert asked == ["", f"bytes={CHUNK}-"]
    assert (folder / LARGE).read_bytes() == held[LARGE]


def test_bytes_that_are_not_the_hubs_are_not_kept(server: FakeHub, cache: Path) -> None:
    part = (
        cache / "models--acme--wan" / "blobs" / f"{server.repositories['acme/wan'].etag(LARGE)}.rushes.incomplete"
    )
    part.parent.mkdir(parents=True)
    part.write_bytes(b"something else, and shorter")
    with pytest.raises(RushesError, match="did not arrive as the Hub has it"):
        download("acme/wan", "", cache, nothing)
    assert (download("acme/wan", "", cache, nothing) / LARGE).is_file()


@pytest.mark.parametrize(
    ("name", "args", "words", "remedy"),
    [
        ("acme/gated", [], "accepted its licence", "hf auth login"),
        ("acme/nobody", [], "no repository acme/nobody", "check the name"),
        ("acme/wan", ["--revision", "v9"], "no revision v9", "--revision"),
        ("acme/single", [], "holds no diffusers pipeline", "-Diffusers"),
        ("acme/huge", [], "GiB are free", "HF_HOME"),
    ],
)
def test_what_cannot_be_had_is_told(
    server: FakeHub, tmp_path: Path, name: str, args: list[str], words: str, remedy: str
) -> None:
    folder = tmp_path / "wan"
    server.repositories["acme/gated"] = Repository.of(folder, gated=True)
    server.repositories["acme/single"] = Repository({"flux.safetensors": b""})
    server.repositories["acme/huge"] = Repository.of(folder, says={LARGE: 1 << 60})
    error = said("add", name, "--download", *args, code=2)["error"]
    assert words in error["text"]
    assert remedy in error["remedy"]
    assert "huggingface.co" in error["where"] or name == "acme/huge"


def test_without_a_network_it_says_so(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    error = said("add", "acme/wan", "--download", code=2)["error"]
    assert "cannot be reached" in error["text"]
    assert "goes on where it stopped" in error["remedy"]


def _large(size: int) -> bytes:
    text = json.dumps({"a": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}).encode()
    return len(text).to_bytes(8, "little") + text + bytes(size)
