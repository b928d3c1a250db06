"""The wire: golden files of every message, a specification that names them all, nonsense that is refused."""

from __future__ import annotations

import json
import random
import re
import typing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes import protocol
from rushes.following import Following
from rushes.messages import commands, events
from rushes.messages.answers import State
from rushes.messages.base import Body
from rushes.protocol import Asked, Told
from rushes.server.post import Post
from source_tree import ROOT

GOLDEN = Path(__file__).parent / "data" / "protocol"
COMMANDS: dict[str, type[Body]] = {c.__struct_config__.tag: c for c in typing.get_args(commands.Commands)}
SAID: dict[str, type[Body]] = {c.__struct_config__.tag: c for c in typing.get_args(protocol.Said)}
FILES = sorted(GOLDEN.glob("v*/*.json"))

REFUSED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def read(raw: bytes) -> Asked | Told:
    tag = json.loads(raw)["body"]["type"]
    return protocol.read_asked(raw) if tag in COMMANDS else protocol.read_told(raw)


def test_every_message_has_a_golden_file() -> None:
    newest = GOLDEN / f"v{protocol.VERSION}"
    assert {file.stem for file in newest.glob("*.json")} == COMMANDS.keys() | SAID.keys()


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_golden_files_are_read_and_written_as_they_are(file: Path) -> None:
    raw = file.read_bytes()
    message = read(raw)
    assert type(message.body) is (COMMANDS | SAID)[file.stem]
    assert json.loads(protocol.encode(message)) == json.loads(raw)
    told = json.loads(raw)
    for field in msgspec.structs.fields(type(message.body)):
        assert field.encode_name in told["body"], "a golden file sets every field"
        if not field.required:
            less = json.loads(raw)
            del less["body"][field.encode_name]
            read(json.dumps(less).encode())  # an older one does not know the field
    told["body"]["from the future"] = told["from the future"] = [1]
    assert json.loads(protocol.encode(read(json.dumps(told).encode()))) == json.loads(raw)


def test_the_specification_names_every_message_and_field() -> None:
    spec = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z_]+)`", spec))
    fields = {f.encode_name for c in (COMMANDS | SAID).values() for f in msgspec.structs.fields(c)}
    envelope = {field.encode_name for field in msgspec.structs.fields(Asked)}
    assert (COMMANDS.keys() | SAID.keys() | fields | envelope) - named == set()
    again = dict(re.findall(r"^\| (`[^|]+) \| (yes|no) \|", spec, re.MULTILINE))
    said = {tag: word for tags, word in again.items() for tag in re.findall(r"`([a-z]+)`", tags)}
    assert said == {tag: "yes" if c.repeatable else "no" for tag, c in COMMANDS.items()}  # type: ignore[attr-defined]


@given(st.binary(max_size=300))
def test_bytes_that_mean_nothing_are_refused(raw: bytes) -> None:
    for reader in (protocol.read_asked, protocol.read_told, protocol.read_envelope):
        with pytest.raises(REFUSED):
            reader(raw)


def test_messages_that_were_damaged_are_refused_or_read() -> None:
    rng = random.Random(7)
    for file in FILES:
        for _ in range(60):
            raw = bytearray(file.read_bytes())
            for _ in range(rng.randrange(1, 4)):
                raw[rng.randrange(len(raw))] = rng.randrange(256)
            try:
                protocol.read_asked(bytes(raw))
            except REFUSED:
                continue


def shots(film: str, number: int) -> events.Shots:
    return events.Shots(film=film, rows=[{"number": number}])


@given(st.integers(0, 10_000))
def test_events_that_are_lost_doubled_and_mixed_up_arrive_once_in_order(seed: int) -> None:
    """A wire that loses, doubles and reorders; a client that asks for what it lacks. Then everything was heard
    once, or a state stands for what is too old."""
    rng = random.Random(seed)
    post, following, film = Post("daemon"), Following("/a.otio"), "/a.otio"
    heard: list[object] = []

    def snapshot() -> None:
        since = following.since("daemon")
        missed = post.missed(film, since) if since is not None and rng.random() < 0.9 else None
        state = State(film=film, seq=post.last(film), status=msgspec.Raw(b"{}"), missed=missed)
        told = Told(v=1, id="s", session="daemon", body=state)
        known = [protocol.read_told(raw) for raw in missed] if missed is not None else None
        heard.extend(following.caught_up(told, state.seq, known))

    snapshot()
    wire: list[Told] = []
    for number in range(40):
        post.tell(shots(film, number))
        wire += [protocol.read_told(letter.text) for letter in post.take()] * rng.choice([0, 1, 1, 1, 2])
        if len(wire) > 3 or rng.random() < 0.5:
            rng.shuffle(wire)
            for told in wire:
                heard.extend(following.next(told))
            wire = []
            if following.lacks:
                snapshot()
    if following.is_behind(post.last(film)) or following.lacks:
        snapshot()
    last = 0
    for told in heard:
        assert isinstance(told, Told)
        if isinstance(told.body, State):
            assert told.body.seq >= last
            last = told.body.seq
        else:
            assert told.seq == last + 1
            last = told.seq
    assert last == 40
    post.close()


def test_only_the_latest_of_progress_is_kept_for_who_is_slow() -> None:
    post = Post("daemon")
    common: dict[str, Any] = {"film": "/a.otio", "job": 1, "shot": "a", "name": "a", "stage": "motion", "total": 9}
    for done in range(9):
        post.tell(events.Progress(**common, done=done))
    post.tell(shots("/a.otio", 1))
    told = [protocol.read_told(letter.text) for letter in post.take()]
    assert [(t.seq, type(t.body).__name__) for t in told] == [(1, "Shots"), (0, "Progress")]
    assert isinstance(told[1].body, events.Progress) and told[1].body.done == 8
    post.close()
