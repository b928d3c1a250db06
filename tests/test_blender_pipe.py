"""The child process of the add-on for Blender: real children that misbehave, and what Windows would say. Plain
Python: no Blender is needed."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from ctypes import Array, c_char
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes_blender.link import finding
from rushes_blender.link.pipe import BREATH_S, MOST_LINE, PAUSES_S, CannotStart, Pipe
from rushes_blender.link.pipe_windows import WindowsEnds


@dataclass
class Children:
    """Pipes to Python programs that a test writes down."""

    made: list[Pipe] = field(default_factory=list)

    def __call__(self, code: str, clock: Any = time.monotonic) -> Pipe:
        self.made.append(Pipe([sys.executable, "-c", "import os, sys, time\n" + code], clock))
        return self.made[-1]


@pytest.fixture
def child() -> Iterator[Children]:
    made = Children()
    yield made
    for pipe in made.made:
        pipe.close()


@dataclass
class Leaping:
    """The real clock, but for what a test leaps over."""

    leapt: float = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.leapt


def _soon() -> float:
    return time.monotonic() + 0.01


def _lines(pipe: Pipe, count: int = 1, seconds: float = 20.0) -> list[bytes]:
    """The next lines, as a timer gets them."""
    found: list[bytes] = []
    deadline = time.monotonic() + seconds
    while len(found) < count:
        assert time.monotonic() < deadline, (found, pipe.why)
        pipe.look_after(_soon())
        while (line := pipe.next_line(_soon())) is not None:
            found.append(line)
        time.sleep(0.005)
    return found


def _gone(pid: int) -> bool:
    """Whether no such process runs; one that nobody waited for counts as running."""
    return not Path(f"/proc/{pid}").exists()


def _until_dead(pipe: Pipe) -> str:
    """Why it is."""
    deadline = time.monotonic() + 20
    while pipe.is_up or not pipe.children:
        assert time.monotonic() < deadline
        pipe.look_after(_soon())
        pipe.next_line(_soon())
        time.sleep(0.005)
    return pipe.why


def test_lines_come_whole_however_they_were_said(child: Children) -> None:
    code = r"""
out = sys.stdout.buffer
for part in (b'{"a', b'": 1}\n\n', b'\xff\x00garb', b'age\n{"b": 2', b'}\n', b'never ended'):
    out.write(part); out.flush(); time.sleep(0.02)
"""
    assert _lines(child(code), 4) == [b'{"a": 1}', b"", b"\xff\x00garbage", b'{"b": 2}']


def test_a_long_line_comes_in_a_few_looks_and_one_without_end_is_thrown_away(child: Children) -> None:
    code = f"""
out = sys.stdout.buffer
out.write(b"x" * (8 << 20) + b"\\n" + b"y" * {MOST_LINE + 1} + b"\\nlast\\n"); out.flush(); sys.stdin.read()
"""
    pipe = child(code)
    began = time.monotonic()
    first = _lines(pipe)[0]
    assert len(first) == 8 << 20 and time.monotonic() - began < 5
    assert _lines(pipe) == [b"last"]


def test_the_rest_of_a_line_that_never_comes_is_not_waited_for(child: Children) -> None:
    clock = Leaping()
    pipe = child('print("ready"); sys.stdout.write("ha"); sys.stdout.flush(); sys.stdin.read()', clock)
    assert _lines(pipe) == [b"ready"]
    clock.leapt += BREATH_S
    began = time.monotonic()
    assert pipe.next_line(clock() + 60) is None and time.monotonic() - began < 5


def test_a_line_without_end_ends_the_child(child: Children) -> None:
    pipe = child('block = b"x" * (1 << 20)\nwhile True: sys.stdout.buffer.write(block)')
    assert "no end" in _until_dead(pipe)


def test_nothing_is_waited_for(child: Children) -> None:
    """Not for a child that says nothing, and not for one that does not listen, which gets it all later."""
    pipe = child("""
time.sleep(0.5)
print(len(sys.stdin.buffer.readline()), flush=True); sys.stdin.read()
""")
    pipe.look_after(_soon())
    began = time.monotonic()
    pipe.send(b"z" * (4 << 20) + b"\n")
    for _ in range(10):
        assert pipe.next_line(_soon()) is None
    assert time.monotonic() - began < 0.3 and pipe.is_writing
    assert _lines(pipe) == [b"%d" % ((4 << 20) + 1)]
    assert not pipe.is_writing


def test_a_child_that_dies_says_why_and_another_one_is_started_later_and_later(child: Children) -> None:
    clock = Leaping()
    pipe = child('print("first"); print("no rushes\\x1b here", file=sys.stderr); sys.exit(3)', clock)
    for count, pause in enumerate((*PAUSES_S, PAUSES_S[-1]), 1):
        assert _lines(pipe)[0] == b"first"
        assert _until_dead(pipe) == "the link ended with 3: no rushes· here"
        assert pipe.children == count
        clock.leapt += pause - 0.1
        pipe.look_after(_soon())
        assert not pipe.is_up
        clock.leapt += 0.2


def test_a_child_that_dies_in_mid_answer_leaves_no_half_line(child: Children, tmp_path: Path) -> None:
    code = f"""
was = os.path.exists({str(tmp_path / "was")!r}); open({str(tmp_path / "was")!r}, "w").close()
print("whole", flush=True); sys.stdout.write("ha" if not was else "second\\n"); sys.stdout.flush()
if not was: os.kill(os.getpid(), 9)
sys.stdin.read()
"""
    clock = Leaping()
    pipe = child(code, clock)
    assert _lines(pipe) == [b"whole"]
    assert "-9" in _until_dead(pipe)
    pipe.send(b"for nobody\n")
    clock.leapt += 1
    assert _lines(pipe, 2) == [b"whole", b"second"]


def test_a_child_whose_end_is_not_heard_is_dead_all_the_same(child: Children) -> None:
    """A process that it started holds its stdout open; or it has closed that itself and lives on."""
    pipe = child("""
import subprocess
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3)"]); print("x", flush=True); os._exit(0)
""")
    assert _lines(pipe) == [b"x"]
    assert _until_dead(pipe)
    pipe = child("sys.stdout.close(); os.close(1); time.sleep(60)")
    assert "-9" in _until_dead(pipe)


def test_a_program_that_is_not_there_is_a_reason_and_no_exception(tmp_path: Path) -> None:
    pipe = Pipe([str(tmp_path / "rushes")])
    pipe.look_after(_soon())
    assert not pipe.is_up and "cannot be started" in pipe.why and str(tmp_path) in pipe.why
    pipe.send(b"x\n")
    assert pipe.next_line(_soon()) is None


def test_closing_ends_the_child_one_way_or_the_other(child: Children) -> None:
    polite = child("print(os.getpid(), flush=True); sys.stdin.read()")
    rude = child("print(os.getpid(), flush=True); time.sleep(60)")
    pids = [int(_lines(pipe)[0]) for pipe in (polite, rude)]
    began = time.monotonic()
    polite.close()
    assert time.monotonic() - began < 0.5
    rude.close()
    assert time.monotonic() - began < 3 and all(map(_gone, pids))
    rude.close()
    rude.look_after(_soon())
    assert not rude.is_up


def test_the_child_has_a_python_of_its_own(child: Children, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/blenders/own")
    monkeypatch.setenv("PYTHONHOME", sys.prefix)
    pipe = child('print([n for n in os.environ if n in ("PYTHONPATH", "PYTHONHOME")], os.getsid(0), os.getpid())')
    said = _lines(pipe)[0].split()
    assert said[0] == b"[]" and said[1] == said[2]  # and a session of its own: Ctrl-C is not for it


# -- Windows -------------------------------------------------------------------------------------------------


@dataclass
class Windows:
    """kernel32, as it is documented, for two anonymous pipes: `said` comes from the child, `taken` went to it."""

    said: bytes = b""
    taken: bytes = b""
    room: int = 1 << 30
    is_broken: bool = False
    never_waits: bool = False

    def PeekNamedPipe(self, handle: int, buffer: None, size: int, read: None, there: Any, left: None) -> int:  # noqa: N802
        assert handle == 11
        there._obj.value = len(self.said)
        return int(bool(self.said) or not self.is_broken)

    def ReadFile(self, handle: int, buffer: Array[c_char], size: int, got: Any, overlapped: None) -> int:  # noqa: N802
        assert handle == 11
        assert 0 < size <= len(self.said), "this would wait"
        buffer[:size] = self.said[:size]
        self.said, got._obj.value = self.said[size:], size
        return 1

    def WriteFile(self, handle: int, data: bytes, size: int, written: Any, overlapped: None) -> int:  # noqa: N802
        assert handle == 12 and self.never_waits and len(data) == size
        if self.is_broken:
            return 0
        written._obj.value = size if size <= self.room else 0
        self.taken += data[: written._obj.value]
        self.room -= written._obj.value
        return 1

    def SetNamedPipeHandleState(self, handle: int, mode: Any, most: None, timeout: None) -> int:  # noqa: N802
        self.never_waits = (handle, mode._obj.value) == (12, 1)
        return 1


@given(st.binary(max_size=200), st.integers(1, 50))
def test_windows_reads_what_is_there_and_no_more(said: bytes, most: int) -> None:
    windows = Windows(said)
    ends = WindowsEnds(windows, 11, 12)
    found = b""
    while part := ends.read(most):
        assert len(part) <= most
        found += part
    assert (found, ends.read(most)) == (said, None)
    windows.is_broken = True
    assert ends.read(most) == b""


@given(st.binary(max_size=200), st.lists(st.integers(0, 64), min_size=1, max_size=20))
def test_windows_writes_what_there_is_room_for(data: bytes, rooms: list[int]) -> None:
    windows = Windows(room=0)
    ends = WindowsEnds(windows, 11, 12)
    left = memoryview(data)
    for room in (*rooms, *[64] * 200):
        windows.room = room
        while left and (written := ends.write(left)) is not None:
            assert 0 < written <= room
            left = left[written:]
    assert windows.taken == data
    windows.is_broken = True
    assert ends.write(memoryview(b"abc")) == 3  # nobody will read it: as good as written


# -- which program -------------------------------------------------------------------------------------------


def _program(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def test_the_program_is_the_users_choice_else_the_installed_one_else_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("HOME", str(tmp_path))
    if not any(Path(place, "rushes").exists() for place in ("/usr/local/bin", "/opt/homebrew/bin")):
        with pytest.raises(CannotStart) as none:
            finding.command("", tmp_path)
        assert "rushes install blender" in none.value.remedy
    local = _program(tmp_path / ".local" / "bin" / "rushes")
    assert finding.command("", tmp_path) == [local, "client", "--pipe"]
    on_path = _program(tmp_path / "bin" / "rushes")
    assert finding.command(" ", tmp_path) == [on_path, "client", "--pipe"]
    python = _program(tmp_path / "venv" / "python3.12")
    for nonsense in (
        "",
        "[]",
        "[" * 100_000,
        '{"python": 1}',
        '{"python": "/not/there"}',
        "\0",
        '{"python": null}',
    ):
        (tmp_path / finding.COMMAND_FILE).write_text(nonsense)
        assert finding.command("", tmp_path) == [on_path, "client", "--pipe"]
    (tmp_path / finding.COMMAND_FILE).write_text(json.dumps({"python": python}))
    assert finding.command("", tmp_path) == [python, "-m", "rushes.pipe"]
    assert finding.command(local, tmp_path) == [local, "client", "--pipe"]
    assert finding.command(python, tmp_path) == [python, "-m", "rushes.pipe"]
    for strange in (os.fspath(tmp_path / "gone"), os.fspath(tmp_path), "x" * 9000, "~nobody/rushes", "a\0b"):
        with pytest.raises(CannotStart, match="preferences"):
            finding.command(strange, tmp_path)


def test_no_program_that_lies_beside_a_blend_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who opens a .blend with a click starts Blender in its folder."""
    monkeypatch.chdir(tmp_path)
    _program(tmp_path / finding._PROGRAM)
    _program(tmp_path / "bin" / finding._PROGRAM)
    monkeypatch.setenv("PATH", os.pathsep.join(("", ".", "bin", "")))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    with pytest.raises(CannotStart, match="preferences"):
        finding.command(finding._PROGRAM, tmp_path)
    (tmp_path / finding.COMMAND_FILE).write_text(json.dumps({"python": f"bin/{finding._PROGRAM}"}))
    with suppress(CannotStart):  # it may be installed on this machine
        assert not finding.command("", tmp_path)[0].startswith((str(tmp_path), "bin", "."))
