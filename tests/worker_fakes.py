"""A generator that does what the first word of its prompt says, and processes that lie. Loaded by real workers."""

from __future__ import annotations

import ctypes
import io
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec
import numpy as np
from PIL import Image

from rushes.generators.base import (
    Footage,
    Frame,
    KeyframeRequest,
    MotionRequest,
    Unwatched,
    Watch,
    WordsRequest,
)
from rushes.generators.cards import Card
from rushes.stages.encode import Encoder
from rushes.worker.protocol import Film, read_request
from rushes_otio.errors import BadRequest

FOREVER = 3600


class Fake:
    """Well-behaved unless told otherwise: `misdeeds` by the prompt's first word, in `keyframe`, `motion` and
    `frames` alike."""

    def words(self, request: WordsRequest, watch: Watch) -> bytes:
        return request.prompt.encode()

    def device(self) -> str:
        asked = os.environ.get("RUSHES_DEVICE", "")
        return asked if asked.startswith("cuda") else ""

    def environment(self) -> Mapping[str, str]:
        return {"fake": "1"}

    def keyframe(self, request: KeyframeRequest, watch: Watch) -> bytes:
        misdeed = request.fields.prompt.partition(" ")[0]
        if misdeed == "huge":
            return png(request.seed) + bytes(64 << 20)
        if misdeed == "text":
            return b"not a picture"
        misbehave(misdeed, watch)
        return png(request.seed)

    def motion(self, request: MotionRequest, watch: Watch, footage: Footage | None = None) -> bytes:
        misdeed, _, later = request.fields.prompt.partition(" ")
        misbehave(misdeed, watch)
        frames = request.frames - 1 if misdeed == "short" else request.frames
        return json.dumps({"frames": frames, "seed": request.seed, "later": later}).encode()

    def length(self, motion: bytes) -> int:
        return int(json.loads(motion)["frames"])

    def frames(self, motion: bytes, size: tuple[int, int], card: Card | None, watch: Watch) -> Iterator[Frame]:
        told = json.loads(motion)
        count = told["frames"] - 2 if told["later"] == "fewer" else told["frames"]
        for n in range(count):
            if told["later"] == "slow":
                time.sleep(0.02)
            elif n == 3:
                misbehave(told["later"], Unwatched())
            yield np.full((size[1], size[0], 3), (told["seed"] + n) % 256, np.uint8)

    def picture(self, motion: bytes, frame: int, card: Card | None, watch: Watch) -> bytes:
        return png(json.loads(motion)["seed"] + frame)


def png(value: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), (value % 256, 0, 0)).save(out, "PNG")
    return out.getvalue()


def misbehave(misdeed: str, watch: Watch) -> None:
    match misdeed:
        case "raise":
            raise ValueError("\udcff\0nothing but trouble")
        case "refuse":
            raise BadRequest("the prompt is empty", remedy="write one")
        case "memory":
            raise MemoryError
        case "card":
            raise type("AcceleratorError", (RuntimeError,), {})(
                "CUDA error: an illegal memory access\nFor debugging …"
            )
        case "exit":
            sys.exit("a library that ends the program")
        case "abort":
            os.abort()
        case "segfault":
            ctypes.string_at(0)
        case "quit":
            os._exit(7)
        case "print":
            print("to Python's stdout")
            os.write(1, b'{"type": "done", "id": 1}\n')
            sys.stdout.flush()
        case "slow":
            for n in range(FOREVER * 100):
                time.sleep(0.01)
                watch.progress(n, FOREVER * 100)
        case "brief":
            time.sleep(0.15)
            watch.progress(1, 2)
        case "sleep":
            time.sleep(FOREVER)
        case "hold":  # the interpreter's lock is never given back: no thread of the worker runs again
            ctypes.PyDLL(None).sleep(FOREVER)


def lie(what: str) -> None:
    """A worker in name only: reads one request, and answers it with a lie."""

    def say(message: dict[str, object]) -> None:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()

    if what == "leaves":
        sys.exit("no such device")
    if what == "silent":
        time.sleep(FOREVER)
    say({"type": "ready", "pid": os.getpid(), "device": "auto", "environment": {}})
    raw = sys.stdin.readline()
    asked = json.loads(raw)
    out = Path(asked["out"])
    done = {"type": "done", "id": asked["id"], "digest": "0" * 64, "size": 8, "frames": 1, "seconds": 0.0}
    match what:
        case "garbage":
            sys.stdout.write("Loading checkpoint shards: 100%\n")
        case "endless line":
            sys.stdout.write("x" * (1 << 20))
        case "another id":
            say(done | {"id": 99})
        case "a future answer":
            say({"type": "telemetry", "id": asked["id"]})
        case "a loss":
            say({"type": "lost", "id": asked["id"], "why": "", "innocent": True})
        case "cancelled unasked":
            say({"type": "cancelled", "id": asked["id"]})
        case "another digest":
            out.write_bytes(bytes(8))
            say(done)
        case "no file":
            say(done)
        case "a link":
            out.with_name("target").write_bytes(bytes(8))
            out.symlink_to(out.with_name("target"))
            say(done)
        case "fewer frames":
            say(done | film(raw, frames=5))
        case "another key":
            say(done | film(raw, tags={"rushes_key": "f" * 64}))
        case "another rate":
            say(done | film(raw, rate="25/1"))
    sys.stdout.flush()
    time.sleep(FOREVER)


def film(raw: str, frames: int = 0, **changes: object) -> dict[str, object]:
    """A movie that is not quite the one asked for, and what an honest worker would say of the right one."""
    asked = read_request(raw.encode())
    assert isinstance(asked, Film)
    spec = msgspec.structs.replace(asked.encode, **changes)
    with Encoder(Path(asked.out), spec) as encoder:
        for n in range(frames or asked.frames):
            encoder.write(np.full((spec.size[1], spec.size[0], 3), n, np.uint8))
    return {"digest": encoder.digest, "size": Path(asked.out).stat().st_size, "frames": asked.frames}


if __name__ == "__main__":
    lie(sys.argv[1])
