"""`rushes client --pipe`: what a host has instead of ZeroMQ, driven as a host drives it."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import daemons
from rendering import shoot

SCRIPT = [sys.executable, "-m", "rushes.pipe"]


@pytest.fixture(autouse=True)
def with_daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("RUSHES_NO_DAEMON")
    yield
    daemons.stop()


class Host:
    """A program with nothing but the standard library."""

    def __init__(self) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(SCRIPT, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def say(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def ask(self, id_: str, **body: Any) -> None:
        self.say(json.dumps({"id": id_, "body": body}))

    def until(self, kind: str, parent: str = "") -> list[dict[str, Any]]:
        """What was heard, up to the first message of that kind (and, if said, about that command)."""
        heard: list[dict[str, Any]] = []
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            message = json.loads(self._lines.get(timeout=30))
            heard.append(message)
            if message["body"]["type"] == kind and parent in ("", message.get("parent")):
                return heard
        raise AssertionError([message["body"]["type"] for message in heard])

    def close(self) -> None:
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()
        self.process.wait(timeout=20)


@pytest.fixture
def host() -> Iterator[Host]:
    made = Host()
    yield made
    made.process.kill()
    made.close()


def test_a_host_renders_and_hears_of_it(tmp_path: Path, host: Host) -> None:
    """The daemon is started, the film followed, a take made; a kill -9 in between is survived."""
    film = shoot(tmp_path, {"prompt": "the sea"})
    host.until("linked")
    host.ask("1", type="snapshot", film=str(film.path))
    state = host.until("state", "1")[-1]["body"]
    assert [row["state"] for row in state["status"]["shots"]] == ["missing"]
    host.ask("2", type="render", film=str(film.path))
    heard = host.until("ready")
    kinds = [message["body"]["type"] for message in heard]
    assert {"answer", "queued", "progress"} <= set(kinds)
    ready = heard[-1]
    assert ready["parent"] == "2"
    assert Path(ready["body"]["path"]).is_file() and ready["body"]["take"] == "t001"
    os.kill(daemons.pid(), signal.SIGKILL)
    host.ask("3", type="daemon")
    again = [message["body"] for message in host.until("linked")]
    assert "unlinked" in [body["type"] for body in again]
    host.until("state")
    host.ask("4", type="set", film=str(film.path), shots=["SH010"], assignments=["prompt=a storm"])
    (row,) = host.until("shots")[-1]["body"]["rows"]
    assert (row["state"], row["reasons"][0]["now"]) == ("stale", "a storm")


def test_nonsense_is_answered_and_costs_nothing(host: Host) -> None:
    host.until("linked")
    host.say("nonsense")
    host.say('{"id": "7", "body": {"type": "no such thing"}}')
    assert host.until("error", "7")[-1]["body"]["kind"] == "protocol"
    host.say("[" * 100_000)
    host.say('{"id": "8", "body": {"type": "daemon"}}')
    assert host.until("answer", "8")[-1]["body"]["result"]["pid"] == daemons.pid()


def test_it_leaves_with_its_host(tmp_path: Path) -> None:
    first = Host()
    first.until("linked")
    first.close()  # stdin closes
    assert first.process.returncode == 0
    code = (
        "import subprocess, sys, os, time\n"
        f"p = subprocess.Popen({SCRIPT!r}, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)\n"
        "keep = os.dup(p.stdin.fileno()); os.set_inheritable(keep, True)\n"
        "subprocess.Popen(['sleep', '20'], close_fds=False)\n"  # holds the pipe open: stdin never closes
        "print(p.pid, flush=True); time.sleep(60)"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    parent = subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    time.sleep(1.0)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}").exists()
