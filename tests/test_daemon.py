"""The daemon as its users meet it: commands and clients beside each other, real processes, real sockets."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

import daemons
from daemons import cli, is_ready, wait, workers
from rendering import Shoot, shoot
from rushes.messages import answers, commands, events
from rushes.store.takes import scan
from rushes_otio.errors import BadRequest, FileFault, Unreachable

SEA, STORM = {"prompt": "the sea"}, {"prompt": "a storm"}


@pytest.fixture(autouse=True)
def with_daemon(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("RUSHES_NO_DAEMON")
    yield
    daemons.stop()


def done(process: subprocess.Popen[str], code: int = 0) -> str:
    out, err = process.communicate(timeout=120)
    assert process.returncode == code, (out, err)
    return out


def takes(film: Shoot) -> list[tuple[str, str]]:
    return [(take.shot, take.take) for take in scan(film.desk.places.takes)]


def test_commands_go_through_one_daemon(tmp_path: Path) -> None:
    """new, add, set, render, undo in processes of their own: the shapes of before, one daemon, started once."""
    path = tmp_path / "film.otio"
    first = cli("new", path, "--json")
    out, err = first.communicate(timeout=60)
    assert (first.returncode, "starting the daemon" in err) == (0, True), err
    assert json.loads(out).keys() == {"film", "scenes", "shots", "external"}
    done(cli("set", path, "--film", "delivery.size=64x64"))
    for prompt in ("the sea", "the land"):
        done(cli("add", path, "--scene", "BEACH", "--frames", "6", f"prompt={prompt}"))
    pid = daemons.pid()
    outcome = json.loads(done(cli("render", path, "--json")))
    assert [row["name"] for row in outcome["rendered"]] == ["SC010_SH010", "SC010_SH020"]
    assert all(Path(row["path"]).is_file() for row in outcome["rendered"])
    assert outcome["rendered"][0]["stages"]["encode"] == "ran"
    changed = json.loads(done(cli("set", path, "SH010", "prompt=a storm", "--json")))
    assert (changed["changed"][0]["now"], changed["stale"]) == ("a storm", 1)
    status = json.loads(done(cli("status", path, "--json")))
    assert [row["state"] for row in status["shots"]] == ["stale", "fresh"]
    described = json.loads(done(cli("daemon", "status", "--json")))
    assert (described["pid"], [f["film"] for f in described["films"]]) == (pid, [str(path)])
    assert described.keys() >= {"pid", "version", "films", "queue"}


def test_a_cut_is_conformed_while_the_daemon_has_the_film_open(tmp_path: Path) -> None:
    """The film in its memory is the one on disk: status and undo after it are those of the new cut."""
    film = shoot(tmp_path, SEA, STORM)
    path = film.desk.places.film
    done(cli("render", path))
    done(cli("export", path, tmp_path / "cut.edl"))
    text = (tmp_path / "cut.edl").read_text().split("\n002 ")[0] + "\n"
    (tmp_path / "back.edl").write_text(text)
    result = json.loads(done(cli("conform", path, tmp_path / "back.edl", "--json")))
    assert (len(result["matched"]), len(result["omitted"])) == (1, 1)
    assert json.loads(done(cli("status", path, "--json")))["counts"] == {"fresh": 1}
    done(cli("undo", path))
    assert json.loads(done(cli("status", path, "--json")))["counts"] == {"fresh": 2}


def test_a_second_daemon_is_refused_with_the_pid_of_the_first(tmp_path: Path) -> None:
    with daemons.daemon() as first:
        second = subprocess.run(
            [*first.args], env={**os.environ, "PYTHONPATH": os.pathsep.join(__import__("sys").path)},
            capture_output=True, text=True, timeout=30,
        )  # fmt: skip
        assert second.returncode != 0
        assert str(first.pid) in second.stderr
        assert daemons.pid() == first.pid
        refused = cli("daemon", "start")
        _, err = refused.communicate(timeout=30)
        assert (refused.returncode, str(first.pid) in err) == (2, True)


def test_the_folder_the_sockets_and_the_keys_are_closed_to_others(tmp_path: Path) -> None:
    with daemons.daemon():
        run = Path(os.environ["XDG_RUNTIME_DIR"]) / "rushes"
        state = daemons.connection().parent
        assert run.stat().st_mode & 0o777 == 0o700
        assert daemons.connection().stat().st_mode & 0o777 == 0o600
        assert all(key.stat().st_mode & 0o077 == 0 for key in (state / "keys").iterdir())
        assert state.joinpath("rushes.log").stat().st_mode & 0o077 == 0
    assert not daemons.connection().exists()


def test_two_terminals(tmp_path: Path) -> None:
    """`rushes watch` in one, `rushes set` and a text editor in the other; a take chosen by hand stays."""
    film = shoot(tmp_path, SEA, {"prompt": "the land"})
    watching = cli("watch", film.path, "--json")
    try:
        with daemons.client() as client:
            client.follow(str(film.path))
            wait(client, lambda _: _fresh(film))
            assert len(takes(film)) == 2
            done(cli("set", film.path, "SH010", "prompt=a storm"))
            ready = [b for b in wait(client, is_ready("SH010")) if isinstance(b, events.Ready)][-1]
            assert (ready.take, ready.chosen, ready.rate, ready.size) == ("t002", True, "24/1", (64, 64))
            assert (ready.timecode, ready.frames) == ("01:00:00:00", 6 + 4)
            assert Path(ready.path).is_file() and ready.uses
            _edit(film.path, "the land", "a mountain")
            heard = wait(client, is_ready("SH020"))
            stale = [row for b in heard if isinstance(b, events.Shots) for row in b.rows]
            assert any(row["reasons"] and row["reasons"][0]["now"] == "a mountain" for row in stale)
            done(cli("takes", film.path, "SH020", "--choose", "t001"))
            _edit(film.path, "a mountain", "a lake")
            ready = [b for b in wait(client, is_ready("SH020")) if isinstance(b, events.Ready)][-1]
            assert (ready.chosen, ready.waiting) == (False, True)
            assert film.chosen("SH020").take == "t001"
    finally:
        watching.send_signal(signal.SIGINT)
        out, err = watching.communicate(timeout=30)
    assert watching.returncode == 0, err
    whole = [line for line in out.splitlines(keepends=True) if line.endswith("\n")]  # Ctrl-C cuts what it cuts
    kinds = {json.loads(line)["body"]["type"] for line in whole}
    assert {"state", "queued", "ready", "shots", "watched"} <= kinds
    with daemons.client() as client:
        time.sleep(0.5)
        film.set("prompt=nobody renders this", shot="SH010")
        time.sleep(1.0)
        assert json.loads(done(cli("status", film.path, "--json")))["counts"] == {"stale": 2}
        assert client.ask(commands.Queue())["jobs"] == []


def _fresh(film: Shoot) -> bool:
    return set(film.states().values()) == {"fresh"}


def _edit(path: Path, old: str, new: str) -> None:
    """As text editors save: a new file renamed over the old one."""
    text = path.read_text()
    assert old in text
    beside = path.with_suffix(".otio~")
    beside.write_text(text.replace(f'"prompt": "{old}"', f'"prompt": "{new}"'))
    beside.replace(path)


def test_kill_9_in_mid_render(tmp_path: Path) -> None:
    """The queue is there, the render goes on, nothing finished is made twice, no worker is left behind."""
    film = shoot(tmp_path, *[{"prompt": f"wave {n}"} for n in range(6)], frames=24)
    film.set("delivery.size=640x360")
    rendering = cli("render", film.path, "--json")
    deadline = time.monotonic() + 60
    while not takes(film) and time.monotonic() < deadline:
        time.sleep(0.02)
    before, made = daemons.pid(), set(takes(film))
    os.kill(before, signal.SIGKILL)
    states = {row["state"] for row in json.loads(done(cli("status", film.path, "--json")))["shots"]}
    assert states & {"queued", "rendering"}
    outcome = json.loads(done(rendering))
    assert daemons.pid() != before
    assert len(outcome["rendered"]) == 6 and not outcome["failed"]
    assert _fresh(film)
    assert made <= set(takes(film)) and len(takes(film)) == 6
    daemons.stop()
    assert not workers()


def test_the_latest_edit_wins_over_a_running_older_one(tmp_path: Path) -> None:
    film = shoot(tmp_path, SEA, frames=240)
    film.set("delivery.size=1280x720")
    with daemons.daemon(), daemons.client() as client:
        client.follow(str(film.path))
        client.ask(commands.Render(film=str(film.path)))
        wait(client, lambda b: isinstance(b, events.Progress) and b.stage == "encode" and b.done > 0)
        client.ask(commands.Set(film=str(film.path), shots=["SH010"], assignments=["prompt=a storm"]))
        heard = wait(client, is_ready())
        previews = [b.jpeg for b in heard if isinstance(b, events.Preview)]
        assert previews and all(jpeg.startswith(b"\xff\xd8") and len(jpeg) < 65536 for jpeg in previews)
        assert film.chosen("SH010").recipe["prompt"] == "a storm"
        assert len(takes(film)) == 1
        assert _fresh(film)


def test_queue_pause_order_cancel_retry(tmp_path: Path) -> None:
    film = shoot(tmp_path, *[{"prompt": f"wave {n}"} for n in range(4)])
    path = str(film.path)
    with daemons.daemon(), daemons.client() as client:
        client.follow(path)
        client.ask(commands.Pause())
        jobs = [row["job"] for row in client.ask(commands.Render(film=path))["jobs"]]
        time.sleep(0.3)
        assert not takes(film)
        client.ask(commands.Cancel(film=path, jobs=[jobs[1]]))
        daemons.stop()
        daemons.start()
        rows = client.ask(commands.Queue(film=path))
        assert rows["paused"] and [row["job"] for row in rows["jobs"]] == [jobs[0], jobs[2], jobs[3]]
        wait(client, lambda b: isinstance(b, answers.State))
        client.ask(commands.Reorder(film=path, jobs=[jobs[3]]))
        shots = [s.block.shot for s in film.film.shots.values()]
        client.ask(commands.Focus(film=path, playhead=[shots[2]]))
        client.ask(commands.Resume())
        order: list[str] = []
        while len(order) < 3:
            order += [b.name[-5:] for b in wait(client, is_ready()) if isinstance(b, events.Ready)]
        assert sorted(order) == ["SH010", "SH030", "SH040"]
        client.ask(commands.Retry(film=path, jobs=[jobs[1]]))
        wait(client, is_ready("SH020"))
        assert _fresh(film)


def test_two_films_share_the_run_of_one_stage(tmp_path: Path) -> None:
    """A copy of a film beside it, both rendered at once: each picture is made once."""
    film = shoot(tmp_path, SEA, {"prompt": "the land"}, frames=12)
    copied = tmp_path / "other"
    copied.mkdir()
    other = Shoot(Path(shutil.copy(film.path, copied / "copy.otio")))
    with daemons.daemon(), daemons.client() as client:
        client.ask(commands.Pause())
        jobs = []
        for each in (film, other):
            client.follow(str(each.path))
            jobs += [row["job"] for row in client.ask(commands.Render(film=str(each.path)))["jobs"]]
        client.ask(commands.Resume())
        made = client.ask(commands.Jobs(jobs=jobs))["jobs"]
        while any(row["state"] in ("queued", "running") for row in made):  # longer than a film is not fresh
            time.sleep(0.05)
            made = client.ask(commands.Jobs(jobs=jobs))["jobs"]
    for stage in ("keyframe", "motion"):
        assert [row["stages"][stage] for row in made].count("ran") == 2


def test_errors_are_those_of_the_engine(tmp_path: Path) -> None:
    film = shoot(tmp_path, SEA)
    with daemons.daemon(), daemons.client() as client:
        with pytest.raises(BadRequest, match="SH090"):
            client.ask(commands.Takes(film=str(film.path), shot="SH090"))
        with pytest.raises(FileFault, match="no such file"):
            client.ask(commands.Status(film=str(tmp_path / "nothing.otio")))
        with pytest.raises(BadRequest, match="nothing to set"):
            client.ask(commands.Set(film=str(film.path), shots=["SH010"]))


def test_a_client_hears_every_event_once_also_across_a_restart(tmp_path: Path) -> None:
    film = shoot(tmp_path, SEA)
    with daemons.daemon() as first, daemons.client() as client:
        client.follow(str(film.path))
        wait(client, lambda b: isinstance(b, answers.State))
        client.ask(commands.Set(film=str(film.path), shots=["SH010"], assignments=["prompt=one"]))
        assert [b for b in wait(client, lambda b: isinstance(b, events.Shots)) if isinstance(b, events.Shots)]
        first.kill()
        first.wait()
        second = daemons.start()
        heard = wait(client, lambda b: isinstance(b, answers.State))
        kinds = [type(b).__name__ for b in heard]
        assert kinds.index("Linked") < kinds.index("State")
        assert [b.again for b in heard if isinstance(b, events.Linked)] == [True]
        client.ask(commands.Set(film=str(film.path), shots=["SH010"], assignments=["prompt=two"]))
        heard = wait(client, lambda b: isinstance(b, events.Shots))
        assert [b for b in heard if isinstance(b, events.Shots)]
        second.kill()
        second.wait()
        with pytest.raises(Unreachable):
            client.ask(commands.Daemon(), timeout=8.0)


def test_a_copy_without_its_takes_is_rendered_from_the_cache(tmp_path: Path) -> None:
    film = shoot(tmp_path, SEA)
    film.render()
    other = Shoot(Path(shutil.copy(film.path, tmp_path / "copy.otio")))
    other.set("delivery.size=96x96")
    with daemons.daemon(), daemons.client() as client:
        client.follow(str(other.path))
        (job,) = client.ask(commands.Render(film=str(other.path)))["jobs"]
        heard = wait(client, is_ready())
        assert any(isinstance(b, events.Warned) and "not in the folder" in b.text for b in heard)
        (row,) = client.ask(commands.Jobs(jobs=[job["job"]]))["jobs"]
    assert (row["stages"]["motion"], row["stages"]["encode"]) == ("cached", "ran")


def test_the_registry_and_the_settings_are_watched(tmp_path: Path) -> None:
    film = shoot(tmp_path, SEA)
    config = Path(os.environ["XDG_CONFIG_HOME"]) / "rushes"
    config.mkdir(parents=True)
    with daemons.daemon(), daemons.client() as client:
        client.follow(str(film.path))
        client.ask(commands.Set(film=str(film.path), shots=["SH010"], assignments=["model=wan"]))
        wait(client, lambda b: isinstance(b, events.Shots) and b.rows[0]["state"] == "invalid")
        (config / "models.toml").write_text('[models.wan]\ngenerator = "animatic"\n')
        wait(client, lambda b: isinstance(b, events.Shots) and b.rows[0]["state"] == "missing")
        (config / "settings.toml").write_text("this = [is no TOML")
        (config / "models.toml").write_text("nor is = this]")
        time.sleep(1.0)
        status = client.ask(commands.Status(film=str(film.path)))
        assert [row["state"] for row in status["shots"]] == ["missing"]
    log = (daemons.connection().parent / "rushes.log").read_text()
    assert log.count("what was known before stays") >= 2


def test_a_picture_that_is_painted_over_makes_its_shot_stale(tmp_path: Path) -> None:
    film = shoot(tmp_path, SEA)
    picture = tmp_path / "mara.png"
    picture.write_bytes(b"one")
    film.set('references=[{"image": "mara.png", "as": "face"}]', shot="SH010")
    with daemons.daemon(), daemons.client() as client:
        client.follow(str(film.path))
        client.ask(commands.Render(film=str(film.path)))
        wait(client, is_ready())
        picture.write_bytes(b"another")
        heard = wait(client, lambda b: isinstance(b, events.Shots) and b.rows[0]["state"] == "stale")
        (row,) = [b for b in heard if isinstance(b, events.Shots)][-1].rows
        assert row["reasons"][0]["input"].startswith("references")


def test_it_leaves_when_nobody_needs_it(tmp_path: Path) -> None:
    config = Path(os.environ["XDG_CONFIG_HOME"]) / "rushes"
    config.mkdir(parents=True)
    (config / "settings.toml").write_text("idle_s = 1\n")
    with daemons.daemon() as process:
        assert process.wait(timeout=60) == 0
    assert not daemons.connection().exists()
