"""`rushes doctor` on GPUs: a driver's tool that misbehaves, unsound versions, models that fit and that do not."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rushes.engine.checks import Check
from rushes.engine.checkup import examine
from rushes.engine.fitting import Largest, Room, fit
from rushes.engine.gpus import ThisMachine, gpu_checks
from rushes.generators import gpus, installed
from rushes.generators.asking import MOST_SAID, NoAnswer, answer
from rushes.generators.gpus import Gpu, Program
from rushes.generators.models import Model
from rushes.generators.registry import Registry
from rushes.generators.rungs import Rung, first_fitting, needed
from rushes.generators.weights import Located
from rushes.store.places import Places
from rushes_otio.errors import FileFault

GIB = 1 << 30
UUID = "GPU-5b1e0c6a-0000-1111-2222-333344445555"
CARD = f"{UUID}, NVIDIA GeForce RTX 4090, 570.86.15, 24564, 21504"
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="the fake is a shell script")

Tool = Callable[[str], None]


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tool:
    """Puts an `nvidia-smi` with this body before all others on the path."""

    def put(body: str) -> None:
        script = tmp_path / "bin" / "nvidia-smi"
        script.parent.mkdir(exist_ok=True)
        script.write_text(f"#!/bin/sh\n{body}\n")
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}{os.environ['PATH']}")

    return put


def saying(*lines: str, programs: str = "") -> str:
    """A body that answers either query."""
    listed = "\n".join(lines)
    return f"case $1 in *compute-apps*) cat <<'END'\n{programs}\nEND\n;; *) cat <<'END'\n{listed}\nEND\n;; esac"


@POSIX
def test_a_healthy_card_is_read(tool: Tool) -> None:
    tool(saying(CARD, programs=f"{UUID}, 123, /opt/blender, the old one, 5120\n{UUID}, 9, x, [N/A]"))
    assert gpus.cards() == [Gpu(UUID, "NVIDIA GeForce RTX 4090", "570.86.15", 24564 << 20, 21504 << 20)]
    blender, unknown = gpus.programs()
    assert (blender.pid, blender.name, blender.held) == (123, "/opt/blender, the old one", 5 * GIB)
    assert unknown.held is None


@POSIX
@pytest.mark.parametrize("memory", ["[N/A]", "[Not Supported]", "[Unknown Error]", "-1", ""])
def test_a_card_that_does_not_tell_its_memory_is_still_a_card(tool: Tool, memory: str) -> None:
    tool(saying(f"{UUID}, NVIDIA GB10, 580.95, {memory}, {memory}"))
    assert [(card.total, card.free) for card in gpus.cards()] == [(None, None)]


@POSIX
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("echo No devices were found; exit 6", "code 6: No devices were found"),
        ("echo couldn\\'t communicate with the NVIDIA driver >&2; exit 9", "code 9: couldn't communicate"),
        ("true", "says: nothing"),
        ("printf 'a\\033[2Jb\\n\\377\\376,,,,'", "says: a·[2Jb"),
        ("echo Unable to determine the device handle for GPU0000:01:00.0: Unknown Error", "Unable to determine"),
        ("kill -SEGV $$", "code -11"),
        ("yes GPU-", "nvidia-smi"),
    ],
)
def test_a_tool_that_fails_says_why(tool: Tool, body: str, said: str) -> None:
    tool(body)
    with pytest.raises(NoAnswer) as caught:
        gpus.cards()
    assert said in str(caught.value)
    assert gpus.programs() == []


@POSIX
@pytest.mark.parametrize("body", ["sleep 600", "sleep 600 & exec sleep 600", "echo half; exec >&-; sleep 600"])
def test_a_tool_that_hangs_is_given_up(tool: Tool, body: str) -> None:
    tool(body)
    began = time.monotonic()
    with pytest.raises(NoAnswer, match="does not answer within"):
        gpus.cards(timeout=0.3)
    assert time.monotonic() - began < 2.5


@POSIX
def test_a_tool_that_cannot_be_started(tool: Tool, tmp_path: Path) -> None:
    tool("")
    (tmp_path / "bin" / "nvidia-smi").write_bytes(b"\x00\x01 not a program")
    with pytest.raises(NoAnswer, match="does not start"):
        gpus.cards()


def test_what_a_program_says_is_bounded() -> None:
    said = answer([sys.executable, "-c", f"print('x' * {MOST_SAID - 1}, end='')"], 10)
    assert len(said) == MOST_SAID - 1


@POSIX
def test_the_memory_of_the_largest_card_is_asked_for_once(tool: Tool) -> None:
    gpus.card_memory.cache_clear()
    tool(saying(CARD, "GPU-1, NVIDIA T4, 570, 15360, 15000", "GPU-2, Odd, 570, [N/A], [N/A]"))
    try:
        assert gpus.card_memory() == 24564 << 20
        tool("exit 1")
        assert gpus.card_memory() == 24564 << 20
    finally:
        gpus.card_memory.cache_clear()


def test_versions_are_compared_as_versions() -> None:
    def with_torch(version: str) -> list[str]:
        return installed.unsound({"torch": version, "diffusers": "0.42.1"}.get)

    assert [v for v in ("2.10", "2.10.0+cu128", "2.13.0", "10.0.post1") if with_torch(v)] == []
    for version in ("2.9.1", "2.10.0rc1", "2.10.0a0+git12", "2.10.dev20260101", "unknown", ""):
        (said,) = with_torch(version)
        assert said.startswith(f"torch is {version} and not >=2.10")
    assert [bool(installed.unsound({"diffusers": v}.get)) for v in ("0.37.9", "0.38.0", "0.42.1", "0.43.0")] == [
        True,
        False,
        False,
        True,
    ]


def test_rungs_need_less_from_one_to_the_next() -> None:
    sizes = {"transformer": 16 * GIB, "transformer_2": 12 * GIB, "vae": GIB // 2}
    halves = {Rung.WHOLE: 59, Rung.MODELS: 35, Rung.GROUPS: 7}
    assert needed(sizes, GIB) == {rung: size * GIB // 2 for rung, size in halves.items()}
    assert [first_fitting(sizes, GIB, free * GIB) for free in (30, 29, 18, 17, 4, 3)] == [
        Rung.WHOLE,
        Rung.MODELS,
        Rung.MODELS,
        Rung.GROUPS,
        Rung.GROUPS,
        None,
    ]
    assert needed({}, 5) == dict.fromkeys(Rung, 5)
    assert [rung.below for rung in Rung] == [Rung.MODELS, Rung.GROUPS, None]


WAN = {"transformer": 28 * GIB, "vae": GIB // 2, "text_encoder": 11 * GIB}


@pytest.mark.parametrize(
    ("total", "free", "ok", "said"),
    [
        (80, 79, True, "on the card as a whole: 32.5 of 79.0 GiB free"),
        (80, 32, False, "waiting in 28.5 of the machine's 16.0"),
        (24, 22, True, "block by block, slowly (group offload): 8.0 of 22.0 GiB free (as a whole 32.5)"),
        (24, 9, True, "; its text encoder block by block"),
        (24, 3, False, "does not fit now: it takes 8.0 GiB, and 3.0 of 24.0 are free"),
        (6, 6, False, "does not fit: it takes 8.0 GiB even block by block, and the card has 6.0"),
    ],
)
def test_a_model_on_a_card(total: int, free: int, ok: bool, said: str) -> None:
    main = (16 if total == 80 else 64) * GIB
    room = Room(Largest(total * GIB, free * GIB, "blender (7) holds 20.0 GiB"), main)
    found = fit("model wan", WAN, 4 * GIB, room)
    assert found.ok == ok
    assert said in found.detail
    if "not fit now" in said:
        assert found.remedy == "end other programs on the card: blender (7) holds 20.0 GiB"


@dataclass
class FakeMachine:
    """A machine as it could be; sound, with an empty 24 GiB card."""

    found: list[Gpu] | str = field(default_factory=lambda: [Gpu(UUID, "RTX 4090", "570", 24 * GIB, 22 * GIB)])
    holding: list[Program] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=lambda: dict.fromkeys(installed.NEEDED, "2.13") | SOUND)
    torch: str = "ok"

    def cards(self) -> list[Gpu]:
        if isinstance(self.found, str):
            raise NoAnswer(self.found)
        return self.found

    def programs(self) -> list[Program]:
        return self.holding

    def version(self, distribution: str) -> str | None:
        return self.versions.get(distribution)

    def torch_sees(self) -> str:
        if self.torch != "ok":
            raise NoAnswer(self.torch)
        return "CUDA 12.8 on RTX 4090"

    def memory(self) -> int | None:
        return 64 * GIB


SOUND = {"diffusers": "0.42.1"}


class FakeWeights:
    """Every model is there and is WAN, but for one that is lost."""

    def locate(self, model: Model) -> Located | None:
        return None if model.source == "lost" else Located(Path("/m"), {}, WAN)

    def fault(self, model: Model) -> FileFault | None:
        return FileFault("the folder of the model is not there") if model.source == "lost" else None


def doctor(machine: FakeMachine, *names: str, workers: Collection[int] = ()) -> dict[str, Check]:
    models = {name: Model("diffusers", source=name, working_mib=4096) for name in names}
    return {check.name: check for check in gpu_checks(Registry(models, FakeWeights()), machine, workers)}


def failing(checks: dict[str, Check]) -> list[str]:
    """What is not ok, all of which say what to do."""
    wrong = [check for check in checks.values() if not check.ok]
    assert all(check.remedy for check in wrong)
    return [check.name for check in wrong]


def test_a_sound_machine() -> None:
    checks = doctor(FakeMachine(), "wan")
    assert list(checks) == ["gpu", "diffusers", "torch", "model wan"]
    assert failing(checks) == []
    assert checks["gpu"].detail == "RTX 4090, driver 570, 22.0 of 24.0 GiB free"
    assert checks["torch"].detail == "computes on the card: CUDA 12.8 on RTX 4090"


def test_what_nobody_needs_is_no_fault() -> None:
    bare = FakeMachine(found=[], versions={})
    assert failing(doctor(bare)) == []
    assert doctor(bare)["gpu"].detail == "none found; the animatic needs none"
    assert failing(doctor(FakeMachine(found="nvidia-smi ended with code 9"))) == []
    assert failing(doctor(bare, "wan")) == ["diffusers"]
    assert failing(doctor(FakeMachine(found="nvidia-smi ended with code 9"), "wan")) == ["gpu"]


def test_each_thing_that_is_wrong_has_its_line() -> None:
    assert failing(doctor(FakeMachine(torch="this torch was built without CUDA"), "wan")) == ["torch"]
    assert failing(doctor(FakeMachine(), "lost")) == ["model lost"]
    old = FakeMachine(versions=dict.fromkeys(installed.NEEDED, "2.9.1") | SOUND)
    assert failing(doctor(old)) == ["diffusers"]
    assert doctor(old)["diffusers"].remedy == "pip install --upgrade 'torch>=2.10' 'diffusers>=0.38,<0.43'"


def test_a_card_that_another_program_fills() -> None:
    full = [Gpu(UUID, "RTX 4090", "570", 24 * GIB, 2 * GIB)]
    machine = FakeMachine(full, [Program(UUID, 7, "C:\\Apps\\blender.exe", 20 * GIB)])
    checks = doctor(machine, "wan")
    assert checks["gpu"].detail.endswith("; blender.exe (7) holds 20.0 GiB")
    assert failing(checks) == ["model wan"]
    assert "blender.exe (7)" in checks["model wan"].remedy
    assert failing(doctor(machine, "wan", workers={7})) == []


def test_a_card_that_does_not_tell_its_memory() -> None:
    checks = doctor(FakeMachine([Gpu(UUID, "GB10", "580", None, None)]), "wan")
    assert "? of ? GiB free" in checks["gpu"].detail
    assert checks["model wan"].detail == "on the processor: 32.5 GiB of this machine's 64.0"


@POSIX
def test_this_machine_is_asked_for_real(tool: Tool, user_folders: Path) -> None:
    """No torch that the tests are run with computes on a card that a script made up, or there is no torch."""
    tool(saying(CARD, programs=f"{UUID}, 4711, /usr/bin/python3, 1024"))
    places = Places.of_user()
    places.locks.mkdir(parents=True)
    (places.locks / "device-cuda-0.pid").write_text("4711")
    (places.locks / "device-cuda-1.pid").write_text("half written?")
    checks = {check.name: check for check in examine(places, ThisMachine())}
    assert checks["gpu"].ok
    assert checks["gpu"].detail.endswith("21.0 of 24.0 GiB free; Rushes' worker (4711) holds 1.0 GiB")
    assert checks["diffusers"].ok
