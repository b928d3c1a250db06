"""The daemon from the attacker's side: whoever has no key gets nothing, and who has one and talks nonsense costs
nobody else anything. Real sockets, real processes.
"""

from __future__ import annotations

import json
import os
import random
import socket
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
import zmq

import daemons
from rendering import shoot
from rushes import protocol
from rushes.client import Client
from rushes.connection import Connection, read_connection
from rushes.messages import commands
from rushes.protocol import Asked, new_id
from rushes.server.door import Door
from rushes.server.keys import user_keys
from rushes.store.places import Places
from rushes_otio.errors import RushesError, Unreachable

Peer = zmq.Socket[bytes]
Context = zmq.Context[Peer]


@pytest.fixture(params=["ipc", "tcp"])
def found(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connection]:
    """A daemon, over either transport."""
    monkeypatch.delenv("RUSHES_NO_DAEMON")
    with daemons.daemon(*(["--tcp"] if request.param == "tcp" else [])):
        yield read_connection(daemons.connection())


@pytest.fixture
def context() -> Iterator[Context]:
    made: Context = zmq.Context()
    yield made
    made.destroy(linger=0)


def message(body: commands.Commands, session: str = "attacker", id_: str = "") -> bytes:
    return protocol.encode(Asked(v=1, id=id_ or new_id(), session=session, body=body))


def knock(context: Context, endpoint: str, kind: int, **options: object) -> Peer:
    peer = context.socket(kind)
    peer.linger = 0
    for name, value in options.items():
        setattr(peer, name, value)
    peer.connect(endpoint)
    return peer


def insider(context: Context, found: Connection, kind: int = zmq.DEALER) -> Peer:
    """With the right keys, and in an attacker's hands."""
    endpoint = found.commands if kind == zmq.DEALER else found.events
    keys = {
        "curve_serverkey": found.server_key.encode(),
        "curve_publickey": found.client_key.encode(),
        "curve_secretkey": found.client_secret.encode(),
    }
    return knock(context, endpoint, kind, **keys)


def refused(kind: str = "") -> int:
    with daemons.client() as client:
        counts = client.ask(commands.Daemon(), timeout=10)["refused"]
    return int(counts.get(kind, 0)) if kind else sum(counts.values())


def others_are_served() -> None:
    began = time.monotonic()
    with daemons.client() as client:
        assert client.ask(commands.Daemon(), timeout=10)["pid"] == daemons.pid()
    assert time.monotonic() - began < 4.0


def logged(what: str) -> int:
    return (daemons.connection().parent / "rushes.log").read_text().count(what)


def memory() -> float:
    """Of the daemon, in MiB."""
    lines = Path(f"/proc/{daemons.pid()}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def hears(peer: Peer, milliseconds: int = 400) -> bool:
    return bool(peer.poll(milliseconds))


def test_who_has_no_key_gets_nothing(found: Connection, context: Context) -> None:
    stranger_public, stranger_secret = zmq.curve_keypair()
    other_server, _ = zmq.curve_keypair()
    right = {"curve_publickey": found.client_key.encode(), "curve_secretkey": found.client_secret.encode()}
    attempts = {
        "a key that nobody let in": {
            "curve_serverkey": found.server_key.encode(),
            "curve_publickey": stranger_public,
            "curve_secretkey": stranger_secret,
        },
        "the key of another server": {"curve_serverkey": other_server, **right},
        "no mechanism": {},
        "a password": {"plain_username": b"rushes", "plain_password": b"rushes"},
    }
    before = refused()
    for options in attempts.values():
        for _ in range(3):
            with closing(knock(context, found.commands, zmq.DEALER, **options)) as peer:
                peer.send(message(commands.Stop()))
                assert not hears(peer, 150)
            with closing(knock(context, found.events, zmq.SUB, subscribe=b"", **options)) as peer:
                assert not hears(peer, 50)
    others_are_served()
    assert refused() > before
    assert logged("at the handshake (key)") <= 1
    assert logged("at the handshake") <= 3


def test_nobody_gets_in_when_the_guard_is_gone(context: Context) -> None:
    """The ZAP handler dies: libzmq would let everybody in, were the domain not enforced."""
    places = Places.of_user()
    keys = user_keys(places)
    door = Door(places, keys, use_tcp=True)
    try:
        made = Connection(
            v=1, daemon="d", pid=os.getpid(), version="", commands=door.commands, events=door.events,
            server_key=keys.server_public, client_key=keys.client_public, client_secret=keys.client_secret,
        )  # fmt: skip
        with closing(insider(context, made)) as peer:
            peer.send(b"while it lives")
            assert _arrives(door)
        door._guard.stop()
        with closing(insider(context, made)) as peer, closing(knock(context, door.commands, zmq.DEALER)) as other:
            peer.send(b"now it is dead")
            other.send(b"now it is dead")
            assert not _arrives(door)
    finally:
        door.close()


def _arrives(door: Door) -> bool:
    deadline = time.monotonic() + 1.0
    while time.monotonic() < deadline:
        if list(door.arrivals()):
            return True
        time.sleep(0.01)
    return False


def test_a_web_page_and_raw_bytes_at_the_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """An HTTP POST whose path makes its beginning look like ZMTP 1.0, random bytes, half a handshake, nothing."""
    monkeypatch.delenv("RUSHES_NO_DAEMON")
    with daemons.daemon("--tcp"):
        found = read_connection(daemons.connection())
        port = int(found.commands.rpartition(":")[2])
        assert found.commands.startswith("tcp://127.0.0.1:")
        body = b'\x01\x00{"op":"regenerate"}'
        post = b"POST /" + b"~" * 77 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 21\r\n\r\n" + body
        rng = random.Random(3)
        shapes = [post, b"\xff" + bytes(8) + b"\x7f\x03\x00NULL", rng.randbytes(5000), b"\x01\x00", b""]
        kept = []
        for shape in shapes * 20:
            peer = socket.create_connection(("127.0.0.1", port), timeout=5)
            with suppress(OSError):  # refused before it had said all
                peer.sendall(shape)
            kept.append(peer)
        others_are_served()
        for peer in kept:
            peer.close()
        others_are_served()
        time.sleep(0.3)
        assert refused() > 0
        assert logged("a message that is no command") == 0  # nothing of it got that far


def test_what_is_sent_again_is_done_once(tmp_path: Path, found: Connection, context: Context) -> None:
    film = shoot(tmp_path, {"prompt": "the sea"})
    add = message(commands.Add(film=str(film.path), scene="BEACH", frames=8), id_="once")
    with closing(insider(context, found)) as peer:
        answers = []
        for _ in range(3):
            peer.send(add)
            while True:
                assert hears(peer, 5000)
                told = json.loads(peer.recv())
                if told["body"]["type"] == "answer":
                    answers.append(told)
                    break
    assert answers[0] == answers[1] == answers[2]
    assert len(film.film.shots) == 2
    assert refused("replay") == 2


def test_a_recorded_connection_delivers_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, context: Context
) -> None:
    """All bytes that a client sent, sent once more: CURVE's keys of the moment make them worthless."""
    monkeypatch.delenv("RUSHES_NO_DAEMON")
    film = shoot(tmp_path, {"prompt": "the sea"})
    with daemons.daemon("--tcp"):
        found = read_connection(daemons.connection())
        recorded, endpoint = _recording_proxy(int(found.commands.rpartition(":")[2]))
        with closing(insider(context, _at(found, endpoint))) as peer:
            peer.send(message(commands.Add(film=str(film.path), scene="BEACH", frames=8)))
            while hears(peer, 1000):
                peer.recv()
        assert len(film.film.shots) == 2 and len(recorded) > 300
        with socket.create_connection(("127.0.0.1", int(found.commands.rpartition(":")[2]))) as again:
            again.sendall(bytes(recorded))
            time.sleep(0.5)
        others_are_served()
        assert len(film.film.shots) == 2


def _at(found: Connection, endpoint: str) -> Connection:
    import msgspec

    return msgspec.structs.replace(found, commands=endpoint)


def _recording_proxy(port: int) -> tuple[bytearray, str]:
    """Passes one connection on to `port`, and keeps what the client says."""
    import threading

    recorded = bytearray()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listener, listener.accept()[0] as client, socket.create_connection(("127.0.0.1", port)) as server:
            back = threading.Thread(target=_pump, args=(server, client, bytearray()), daemon=True)
            back.start()
            _pump(client, server, recorded)
            server.shutdown(socket.SHUT_RDWR)
            back.join(2)

    threading.Thread(target=serve, daemon=True).start()
    return recorded, f"tcp://127.0.0.1:{listener.getsockname()[1]}"


def _pump(source: socket.socket, target: socket.socket, kept: bytearray) -> None:
    try:
        while data := source.recv(4096):
            kept += data
            target.sendall(data)
    except OSError:
        return


NONSENSE = [
    b"",
    b"\x00" * 100,
    b"\xff\xfe nonsense",
    b"[" * 100_000,
    b'{"v": 1}',
    b'{"v": 1, "id": "1", "session": "s", "body": {"type": "no such thing"}}',
    b'{"v": 1, "id": "", "session": "s", "body": {"type": "daemon"}}',
    b'{"v": 1, "id": "1\\u0000", "session": "s", "body": {"type": "daemon"}}',
    b'{"v": 1, "id": "1", "session": "s", "body": {"type": "render", "film": "/x", "another": 100000}}',
    b'{"v": 1, "id": "1", "session": "s", "body": {"type": "jobs", "jobs": [1e99]}}',
    b'{"v": 1, "id": "1", "session": "s", "body": {"type": "jobs", "jobs": [1267650600228229401496703205376]}}',
    b'{"v": 1, "id": "1", "session": "s", "body": {"type": "status", "film": 5}}',
]


def test_an_insider_who_talks_nonsense(tmp_path: Path, found: Connection, context: Context) -> None:
    film = shoot(tmp_path, {"prompt": "the sea"})
    os.mkfifo(tmp_path / "pipe.otio")
    (tmp_path / "loop.otio").symlink_to("loop.otio")
    (tmp_path / "empty.otio").touch()
    odd = [tmp_path, tmp_path / "pipe.otio", tmp_path / "loop.otio", tmp_path / "empty.otio", "/dev/zero", "/"]
    odd += [tmp_path / ("x" * 300), "/" + "y/" * 2000, "relative.otio", "\x00", "/nul\x00.otio"]
    with closing(insider(context, found)) as peer:
        for raw in NONSENSE:
            peer.send(raw)
        others_are_served()
        for path in odd:
            peer.send(message(commands.Status(film=str(path))))
            peer.send(message(commands.Render(film=str(path))))
        long = ["prompt=" + "x" * 900_000]
        peer.send(message(commands.Set(film=str(film.path), shots=["SH010"], assignments=long)))
        others_are_served()
        answered = 0
        while hears(peer, 1500):
            told = json.loads(peer.recv())
            answered += told["body"]["type"] in ("error", "answer")
        assert answered >= len(NONSENSE) + 2 * len(odd)
    assert refused("message") >= len(NONSENSE)
    assert logged("a message that is no command") == 1
    with daemons.client() as client:
        assert client.ask(commands.Status(film=str(film.path)), timeout=20)["counts"] == {"missing": 1}


def test_frames_that_are_too_many_or_too_large(found: Connection, context: Context) -> None:
    others_are_served()
    before = memory()
    with closing(insider(context, found)) as peer:
        peer.send_multipart([b"x"] * 200_000)
        peer.send(message(commands.Daemon()))
        assert hears(peer, 20_000)
    others_are_served()
    with closing(insider(context, found)) as peer:
        peer.send(bytes(1 << 30), copy=False)
        time.sleep(1.0)
    others_are_served()
    assert refused("frames") == 1
    assert memory() - before < 200


def test_a_client_that_never_reads(tmp_path: Path, found: Connection, context: Context) -> None:
    film = shoot(tmp_path, *[{"prompt": f"wave {n}"} for n in range(20)])
    others_are_served()
    before = memory()
    with closing(insider(context, found)) as peer, closing(insider(context, found, zmq.SUB)) as subscriber:
        subscriber.subscribe(b"")
        peer.rcvhwm = 1
        for _ in range(20_000):
            try:
                peer.send(message(commands.Status(film=str(film.path))), zmq.NOBLOCK)
            except zmq.Again:
                time.sleep(0.001)
        others_are_served()
        with daemons.client() as client:
            for number in range(30):
                client.ask(commands.Set(film=str(film.path), shots=["SH010"], assignments=[f"prompt={number}"]))
        others_are_served()
    assert memory() - before < 300


@pytest.mark.parametrize("damage", ["link", "mode", "cut"])
def test_a_connection_file_that_cannot_be_trusted(tmp_path: Path, damage: str) -> None:
    with daemons.daemon():
        path = daemons.connection()
        whole = path.read_bytes()
        pid = daemons.pid()
        if damage == "link":
            moved = path.with_name("moved.json")
            path.rename(moved)
            path.symlink_to(moved)
        elif damage == "mode":
            path.chmod(0o644)
        for length in range(len(whole)) if damage == "cut" else [0]:
            if damage == "cut":
                path.write_bytes(whole[:length])
            with pytest.raises(Unreachable) as refusal:
                Client(path, "test")
            assert refusal.value.remedy
        path.unlink()
        path.write_bytes(whole)
        path.chmod(0o600)
        assert daemons.pid() == pid


def test_it_starts_over_what_a_dead_one_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection file of a dead process or of somebody else's PID, socket files, damaged keys."""
    monkeypatch.delenv("RUSHES_NO_DAEMON")
    with daemons.daemon() as first:
        published = daemons.connection().read_bytes()
        first.kill()
        first.wait()
    for pid in (first.pid, os.getpid()):
        fields = json.loads(published) | {"pid": pid}
        daemons.connection().write_bytes(json.dumps(fields).encode())
        daemons.connection().chmod(0o600)
        keys = daemons.connection().parent / "keys"
        (keys / "server.json").write_bytes(b"damaged")
        with daemons.daemon() as again:
            assert daemons.pid() == again.pid
            others_are_served()


def test_deadlines_are_not_taken_from_a_clock_that_can_go_back() -> None:
    package = Path(str(protocol.__file__)).parent
    sources = [*package.glob("server/*.py"), package / "client.py", package / "following.py", package / "pipe.py"]
    assert [file.name for file in sources if "time.time(" in file.read_text()] == []


def test_errors_of_a_daemon_are_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUSHES_NO_DAEMON")
    with daemons.daemon(), daemons.client() as client:
        for command in (commands.Show(film="/nothing.otio", shot="x"), commands.Undo(film=str(tmp_path))):
            with pytest.raises(RushesError) as refusal:
                client.ask(command)
            assert refusal.value.remedy
