"""Where weights are and which bytes they are: checked without reading them, found wherever they lie, known by what
they hold."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handmade import WAN, cached, model, sharded, weights
from hub import COMMIT
from rushes.generators import hub
from rushes.generators.folders import read_folder
from rushes.generators.models import Model
from rushes.generators.safetensors_files import check
from rushes.generators.templates import recognised
from rushes.generators.weights import Weights
from rushes_otio.errors import FileFault, RushesError

KEYS = st.sampled_from(["_class_name", "vae", "transformer", "weight_map", "auto_map", "a", "../b", "metadata"])


class Digests:
    """Reads files, and says which."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def of(self, path: Path) -> str:
        self.read.append(path.name)
        return hashlib.sha256(path.read_bytes()).hexdigest()


def entry(source: Path | str, **fields: object) -> Model:
    return Model("diffusers", source=str(source), **fields)  # type: ignore[arg-type]


def fingerprint(source: Path | str, cache: Path, digests: Digests | None = None) -> str:
    found = Weights(digests or Digests(), cache).locate(entry(source))
    assert found is not None
    return found.fingerprint()


def test_a_header_says_what_a_file_holds(tmp_path: Path) -> None:
    header = check(weights(tmp_path / "a.safetensors"))
    assert {name: (tensor.dtype, tensor.shape) for name, tensor in header.tensors.items()} == {
        "a": ("BF16", (4, 8)),
        "b": ("BF16", (4, 8)),
    }
    assert header.notes == {"format": "pt"}


def test_a_file_cut_anywhere_is_told(tmp_path: Path) -> None:
    file = weights(tmp_path / "a.safetensors")
    whole = file.read_bytes()
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        with pytest.raises(FileFault) as told:
            check(file)
        assert told.value.remedy


@given(data=st.data())
def test_whatever_a_file_holds_it_is_checked_or_refused(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = weights(tmp_path_factory.mktemp("any") / "a.safetensors")
    whole = bytearray(file.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, 200))] = data.draw(st.integers(0, 255))
    file.write_bytes(data.draw(st.one_of(st.just(bytes(whole)), st.binary(max_size=300))))
    try:
        check(file)
    except FileFault as fault:
        assert fault.remedy


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from(["diffusers", "transformers", "VAE", "../x", "x.py"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=8,
)


@given(data=st.data())
def test_whatever_a_folder_says_it_is_read_or_refused(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = model(tmp_path_factory.mktemp("any") / "wan")
    listed = sharded(folder, "transformer")
    for file in (folder / "model_index.json", listed, folder / "vae" / "config.json"):
        changed = data.draw(st.one_of(st.just({}), st.dictionaries(KEYS, JSON, max_size=3)))
        file.write_text(json.dumps(json.loads(file.read_text()) | changed))
    try:
        read = read_folder(folder)
        assert all((folder / file).is_file() for file in read.files)
        recognised(read, "wan")
    except RushesError as fault:
        assert fault.remedy


@pytest.mark.parametrize("text", [b"[" * 100_000, b'{"a":' * 100_000, b"", b"\xff", b"[]", b"1"])
def test_json_that_does_harm_is_refused(tmp_path: Path, text: bytes) -> None:
    folder = model(tmp_path / "wan")
    (folder / "model_index.json").write_bytes(text)
    with pytest.raises(FileFault):
        read_folder(folder)
    file = tmp_path / "a.safetensors"
    header = b'{"a":' + text
    file.write_bytes(len(header).to_bytes(8, "little") + header)
    with pytest.raises(FileFault):
        check(file)


def test_tensors_that_overlap_or_leave_a_gap_are_refused(tmp_path: Path) -> None:
    for places in ([0, 8], [0, 8]), ([0, 8], [10, 18]), ([0, 8], [8, 15]), ([-8, 0], [0, 8]):
        entries = {
            name: {"dtype": "F32", "shape": [2], "data_offsets": at} for name, at in zip("ab", places, strict=True)
        }
        text = json.dumps(entries).encode()
        file = tmp_path / "a.safetensors"
        file.write_bytes(len(text).to_bytes(8, "little") + text + bytes(max(place[1] for place in places)))
        with pytest.raises(FileFault, match="misplaced"):
            check(file)


def test_a_model_is_known_by_what_it_holds_wherever_it_lies(tmp_path: Path) -> None:
    folder = model(tmp_path / "here" / "wan")
    (folder / "README.md").write_text("not loaded")
    first = fingerprint(folder, tmp_path)
    shutil.copytree(folder, tmp_path / "there")
    (tmp_path / "there" / "README.md").unlink()
    assert fingerprint(tmp_path / "there", tmp_path) == first
    digests = Digests()
    cached(tmp_path / "cache", "acme/wan", folder, COMMIT)
    assert fingerprint("acme/wan", tmp_path / "cache", digests) == first
    assert not any(name.endswith(".safetensors") or len(name) == 64 for name in digests.read)
    weights(folder / "vae" / "diffusion_pytorch_model.safetensors", seed=99)
    assert fingerprint(folder, tmp_path) != first


def test_a_component_has_a_digest_of_its_own(tmp_path: Path) -> None:
    folder = model(tmp_path / "wan")
    found = Weights(Digests(), tmp_path)
    before = found.located(entry(folder))
    assert set(before.sizes) == {"text_encoder", "transformer", "vae"}
    weights(folder / "vae" / "diffusion_pytorch_model.safetensors", seed=99)
    after = found.located(entry(folder))
    text = ("text_encoder", "tokenizer")
    assert after.of(text) == before.of(text)
    assert after.of(("vae",)) != before.of(("vae",))


def test_a_second_look_reads_nothing_and_sees_every_change(tmp_path: Path) -> None:
    folder = model(tmp_path / "wan")
    digests = Digests()
    found = Weights(digests, tmp_path)
    first = found.locate(entry(folder))
    count = len(digests.read)
    assert found.locate(entry(folder)) is first
    assert len(digests.read) == count
    sharded(folder, "transformer")
    second = found.locate(entry(folder))
    assert second is not None
    assert "transformer/diffusion_pytorch_model-00002-of-00002.safetensors" in second.files
    (folder / "vae" / "config.json").unlink()
    (folder / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    assert found.locate(entry(folder)) is None
    fault = found.fault(entry(folder))
    assert fault is not None
    assert str(folder / "vae") in fault.where


def test_sizes_are_those_in_memory(tmp_path: Path) -> None:
    """Weights that are stored as float32 take half of it in bfloat16. A VAE works in float32 in any case."""
    folder = model(tmp_path / "wan")
    file = weights(folder / "transformer" / "diffusion_pytorch_model.safetensors", dtype="F32")
    sizes = {
        dtype: Weights(Digests(), tmp_path).located(entry(folder, dtype=dtype)).sizes
        for dtype in ("bfloat16", "float32")
    }
    assert sizes["float32"]["transformer"] == file.stat().st_size == 2 * sizes["bfloat16"]["transformer"]
    assert sizes["float32"]["vae"] == sizes["bfloat16"]["vae"]


def test_the_note_of_a_download_is_believed_until_the_file_changes(tmp_path: Path) -> None:
    folder = model(tmp_path / "wan")
    file = folder / "transformer" / "diffusion_pytorch_model.safetensors"
    note = folder / ".cache" / "huggingface" / "download" / "transformer" / f"{file.name}.metadata"
    note.parent.mkdir(parents=True)
    note.write_text(f"{COMMIT}\n{'ab' * 32}\n{file.stat().st_mtime + 1}\n")
    located = Weights(Digests(), tmp_path).located(entry(folder))
    assert located.files[f"transformer/{file.name}"] == "ab" * 32
    note.write_text(f"{COMMIT}\n{'ab' * 32}\n{file.stat().st_mtime - 60}\n")
    os.utime(file, (1, 1))  # a copy that kept its old date is newer than it looks
    located = Weights(Digests(), tmp_path).located(entry(folder))
    assert located.files[f"transformer/{file.name}"] == hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_blob_shared_between_repositories_is_not_taken_by_its_other_name(tmp_path: Path) -> None:
    """Such a blob is called by the hash of another kind, of the same length."""
    folder = model(tmp_path / "wan")
    snapshot = cached(tmp_path / "cache", "acme/wan", folder, COMMIT)
    before = fingerprint("acme/wan", tmp_path / "cache")
    blob = Path(os.path.realpath(snapshot / "vae" / "diffusion_pytorch_model.safetensors"))
    shared = tmp_path / "cache" / "blobs" / "cd" / ("cd" * 32)
    shared.parent.mkdir(parents=True)
    blob.rename(shared)
    blob.symlink_to(shared)
    assert fingerprint("acme/wan", tmp_path / "cache") == before


def test_the_cache_is_searched_by_commit_branch_or_the_only_one_there_is(tmp_path: Path) -> None:
    snapshot = cached(tmp_path, "acme/wan", model(tmp_path / "m"), COMMIT)
    assert hub.find("acme/wan", "", tmp_path) == hub.find("acme/wan", "main", tmp_path) == snapshot
    assert hub.find("acme/wan", COMMIT, tmp_path) == snapshot
    (tmp_path / "models--acme--wan" / "refs" / "main").unlink()
    assert hub.find("acme/wan", "", tmp_path) == snapshot
    for revision in ("main", "0" * 40, "../../../etc", "v1"):
        with pytest.raises(FileFault, match="not in this machine's cache"):
            hub.find("acme/wan", revision, tmp_path)


@pytest.mark.parametrize("source", ["../up", "a/b/c", "a//b", "-a/b", "a/..", "", "a", "a/b\n"])
def test_what_cannot_be_a_name_on_the_hub_never_becomes_a_path(source: str, tmp_path: Path) -> None:
    assert not hub.is_name(source)
    assert Weights(Digests(), tmp_path).fault(entry(source or "nowhere")) is not None


def test_another_pipeline_under_a_registered_name_is_told(tmp_path: Path) -> None:
    folder = model(tmp_path / "wan", "WanVACEPipeline", WAN)
    fault = Weights(Digests(), tmp_path).fault(entry(folder, pipeline="WanPipeline"))
    assert isinstance(fault, RushesError)
    assert "another pipeline" in fault.text


def test_an_adapter_counts_as_part_of_the_model(tmp_path: Path) -> None:
    folder, adapter = model(tmp_path / "wan"), weights(tmp_path / "ip.safetensors")
    found = Weights(Digests(), tmp_path)
    first = found.located(entry(folder, adapter=str(adapter))).fingerprint()
    weights(adapter, seed=5)
    assert found.located(entry(folder, adapter=str(adapter))).fingerprint() != first
    adapter.unlink()
    assert "IP-Adapter" in str(found.fault(entry(folder, adapter=str(adapter))))
