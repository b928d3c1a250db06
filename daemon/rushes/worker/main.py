"""The process that owns one device: requests on stdin, answers on stdout, everything else on stderr.

    python -P -m rushes.worker.main --device cpu --state DIR [--parent PID] [--warm NAME]
           [--generator NAME=MODULE:CLASS]

It ends at once when stdin closes, also while a lane is busy or hangs. A generator that holds the interpreter
itself cannot be interrupted that way: on Linux the kernel kills the process when its parent dies.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import faulthandler
import os
import re
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, NoReturn

import msgspec

from rushes.limited.confine import die_with_parent
from rushes.store.locks import hold
from rushes.store.places import Places
from rushes.worker import protocol
from rushes.worker.device import make_lanes
from rushes.worker.environment import environment
from rushes.worker.lanes import Lane, Send
from rushes.worker.loading import BUILT_IN, Generators
from rushes.worker.protocol import Answer, Cancel, LaneName
from rushes_otio.errors import RushesError

DEVICE = "RUSHES_DEVICE"
"""The variable that says which device this process may use: "cpu", "cuda:0", or "auto", the best there is."""

STATE = "RUSHES_STATE"
"""The variable that names the folder where a generator may remember something of this machine."""

LOCK_WAIT = 1.0
"""Seconds to wait for a worker that is just ending to let go of the device."""


def main(argv: Sequence[str] | None = None) -> None:
    """Serve one device until stdin closes, then end the process, never to return. A card is held alone from the
    moment a generator first needs it; a request that needs one that another worker holds is refused. Where an
    option is wrong, it says so on stderr and exits with 1."""
    options = _options(argv)
    faulthandler.enable()
    if options.parent:
        die_with_parent(options.parent)
    os.environ |= {DEVICE: options.device, STATE: options.state}  # for generators, made without arguments
    try:
        with contextlib.ExitStack() as held:

            def claim(device: str) -> None:
                held.enter_context(_alone(device, Path(options.state)))

            generators = Generators({**BUILT_IN, **_targets(options.generator)}, claim)
            _work(options.device, generators, options.warm)
    except RushesError as error:
        sys.exit(f"{error.text}; {error.remedy}")


def _alone(device: str, state: Path) -> contextlib.AbstractContextManager[None]:
    """The device for this process alone."""
    places = dataclasses.replace(Places.of_user(), state=state)
    name = "device-" + re.sub(r"[^A-Za-z0-9.]", "-", device)
    return hold(places, name, LOCK_WAIT, f"the device {device} is used")


def serve(requests: BinaryIO, lanes: Mapping[LaneName, Lane]) -> None:
    """Read requests until the pipe closes or something comes that is no request."""
    while raw := requests.readline(protocol.MAX_REQUEST):
        try:
            message = protocol.read_request(raw)
        except msgspec.DecodeError as error:
            sys.stderr.write(f"a line that is no request: {error}\n")
            return
        if isinstance(message, Cancel):
            for lane in lanes.values():
                lane.cancel(message.id)
        else:
            lanes[message.lane].submit(message)


def sender(answers: BinaryIO) -> Send:
    """Writes whole lines, from any thread."""
    lock = threading.Lock()

    def send(answer: Answer) -> None:
        raw = protocol.line(answer)
        with lock, contextlib.suppress(OSError):  # nobody listens: stdin closes in the same moment
            answers.write(raw)
            answers.flush()

    return send


def _work(device: str, generators: Generators, warm: Sequence[str]) -> NoReturn:
    requests, answers = _take_pipes()
    send = sender(answers)
    lanes = make_lanes(generators, send)
    send(protocol.Ready(pid=os.getpid(), device=device, environment=environment()))
    generators.warm(warm)
    serve(requests, lanes)
    _end()


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """The two ends of the wire, moved away from 0 and 1: what a library prints goes to stderr, and no child
    process reads a request."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    os.close(null)
    return requests, answers


def _end() -> NoReturn:
    """End now, and ffmpeg with us. Not by `sys.exit`: it would wait for a lane that hangs. The process group
    is ours where a supervisor started us; elsewhere ffmpeg ends when its pipe closes."""
    sys.stderr.flush()
    if sys.platform != "win32" and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="rushes.worker")
    parser.add_argument("--device", required=True)
    parser.add_argument("--state", required=True, help="the folder whose locks/ holds the device's lock")
    parser.add_argument("--parent", type=int, default=0, help="PID of who starts this")
    parser.add_argument("--warm", action="append", default=[], metavar="NAME", help="a generator to import")
    parser.add_argument("--generator", action="append", default=[], metavar="NAME=MODULE:CLASS")
    return parser.parse_args(argv)


def _targets(options: Sequence[str]) -> dict[str, str]:
    split = (text.partition("=") for text in options)
    return {name: target for name, _, target in split}


if __name__ == "__main__":
    main()
