"""Films rendered by real pipelines of tiny random models, the engine and the worker's lanes in this process."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("diffusers", reason="the extra diffusers is not installed")

import torch
from PIL import Image

from modelled import register
from rendering import Shoot, nobody, rendered, shoot
from rushes.engine.alone import Alone
from rushes.engine.bringing import bring
from rushes.engine.choosing import list_takes
from rushes.engine.looking import show
from rushes.engine.outcome import Outcome
from rushes.engine.rendering import render_film
from rushes.engine.statusing import film_status
from rushes.engine.verifying import verify
from rushes.engine.wishes import Wishes
from rushes.media.frames import frames_digest, iter_frames
from rushes.media.probe import probe
from rushes.messages import commands
from rushes.stages.encode import Encoder, EncodeSpec
from rushes.worker.inline import InlineWorkers
from rushes.worker.loading import BUILT_IN, Generators
from rushes_otio.setting import Level
from tiny import TinyModels, lora

ALL = ("text", "keyframe", "motion", "finish", "encode")


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> TinyModels:
    torch.set_num_threads(1)
    return TinyModels(tmp_path_factory.mktemp("models"))


def stages(film: Shoot, *shots: str) -> dict[str, dict[str, str]]:
    """What ran, by shot."""
    outcome = film.render(*shots)
    assert not outcome.failed, outcome.failed
    return {row.name[-5:]: dict(row.stages) for row in outcome.rendered}


def ran(film: Shoot) -> dict[str, list[str]]:
    return {name: [s for s, how in found.items() if how == "ran"] for name, found in stages(film).items()}


def wished(film: Shoot, wishes: Wishes) -> Outcome:
    outcome = render_film(film.desk, wishes, nobody, InlineWorkers(Generators(BUILT_IN)))
    assert not outcome.failed, outcome.failed
    return outcome


def shown(film: Shoot, shot: str = "SH010") -> dict[str, object]:
    answer = show(film.desk, commands.Show(film=str(film.path), shot=film.block(shot).shot))
    routing: dict[str, object] = answer["routing"]
    return routing


def fault(film: Shoot, shot: str = "SH010") -> str:
    found = film.desk.plan(film.film).shots[film.block(shot).shot].fault
    return f"{found.text}; {found.remedy}" if found else ""


def movie(path: Path, frames: int, size: tuple[int, int], codec: str = "prores") -> Path:
    """A bright square that moves over a slope, two pixels a frame."""
    width, height = size
    slope = np.linspace(20, 200, width)[None, :, None].repeat(height, 0).repeat(3, 2).astype(np.uint8)
    with Encoder(path, EncodeSpec(size, "24/1", codec, "00:00:00:00", "A001", {})) as encoder:
        for n in range(frames):
            frame = slope.copy()
            frame[8:24, 2 * n : 2 * n + 16] = (250, 40, 40)
            encoder.write(frame)
    return path


def test_a_change_runs_what_it_touches(tmp_path: Path, models: TinyModels) -> None:
    register(models, "wan-i2v", "sdxl")
    film = shoot(
        tmp_path, {"prompt": "a harbour at dusk"}, {"prompt": "@mara waits"}, mara="a woman in a red coat"
    )
    assert stages(film) == dict.fromkeys(("SH010", "SH020"), dict.fromkeys(ALL, "ran"))
    assert stages(film) == {}
    film.set("prompt=a harbour at dawn", shot="SH010")
    assert ran(film) == {"SH010": list(ALL)}
    film.set("seed=7", shot="SH010")
    assert stages(film) == {"SH010": dict.fromkeys(ALL, "ran") | {"text": "cached"}}
    film.set("steps=2", shot="SH010")
    assert ran(film) == {"SH010": ["keyframe", "motion", "finish", "encode"]}
    film.set("delivery.size=96x64")
    assert ran(film) == {name: ["finish", "encode"] for name in ("SH010", "SH020")}
    film.set("delivery.codec=h264")
    assert ran(film) == {name: ["finish", "encode"] for name in ("SH010", "SH020")}
    file = lora(models.folder("wan_i2v"), tmp_path / "mara.safetensors", seed=3)
    film.set(f'loras=[{{"file": "{file.name}", "weight": "0.8"}}]', level=Level("character", "mara"))
    assert ran(film) == {"SH020": ["motion", "finish", "encode"]}, "made for the motion model: the still stands"


def test_a_model_that_starts_from_words_needs_no_still(tmp_path: Path, models: TinyModels) -> None:
    register(models, "wan")
    film = shoot(tmp_path, {"prompt": "a harbour", "action": "a boat passes", "camera": "pan left"}, frames=12)
    assert stages(film) == {"SH010": dict.fromkeys(("text", "motion", "finish", "encode"), "ran")}
    take = probe(film.movie("SH010"))
    # 16 frames at 24 begin up to 10/16 s: 11 native frames, 13 by the frame rule, which last for 19.
    assert (take.frames, take.rate) == (19, "24/1")
    film.set("camera=push in", shot="SH010")
    assert ran(film) == {"SH010": ["text", "motion", "finish", "encode"]}


def test_a_long_shot_and_an_extension_are_exact_and_keep_what_is_there(tmp_path: Path, models: TinyModels) -> None:
    register(models, "vace", rate="24/1")
    film = shoot(tmp_path, {"prompt": "a harbour"}, frames=34)
    film.render()
    before = film.movie("SH010")
    assert probe(before).frames == 41  # 17, then twice 12 more: 17 that overlap by 5
    old = frames_digest(before)
    film.length("SH010", 45)
    assert film.states() == {"SH010": "stale"}
    assert ran(film) == {"SH010": ["motion", "finish", "encode"]}
    after = film.movie("SH010")
    assert after != before and probe(after).frames >= 45 + 4
    assert frames_digest(after, 0, 41) == old


def test_the_next_shot_starts_where_the_cut_leaves_this_one(tmp_path: Path, models: TinyModels) -> None:
    register(models, "wan-i2v", "sdxl", "wan")
    film = shoot(tmp_path, {"prompt": "a harbour"}, {"prompt": "a beach"})
    use = film.desk.plan(film.film).shots[film.block("SH010").shot].uses[0]
    film.set(f'first_frame={{"from": "{use}"}}', shot="SH020")
    assert rendered(film.render()) == ["SH010", "SH020"]
    assert film.chosen("SH020").recipe["first_frame"]["frame"] == 4, "frame 6 at 24 is frame 4 at 16"
    assert film.chosen("SH020").recipe["model"]["name"] == "wan-i2v"
    assert film.states() == {"SH010": "fresh", "SH020": "fresh"}
    film.set("delivery.codec=h264")
    assert ran(film) == {"SH010": ["finish", "encode"], "SH020": ["finish", "encode"]}
    film.set("seed=9", shot="SH010")
    assert film.states() == {"SH010": "stale", "SH020": "stale"}


def test_inside_a_mask_the_plate_is_made_anew_and_nothing_outside_it_moves(
    tmp_path: Path, models: TinyModels
) -> None:
    register(models, "vace", "wan")
    film = shoot(tmp_path, {"prompt": "a lighthouse"}, frames=12)
    movie(tmp_path / "plate.mov", 20, (128, 96))
    mask = np.zeros((96, 128), np.uint8)
    mask[32:64, 64:112] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    film.set("delivery.size=128x96")
    film.set(f"plate={tmp_path / 'plate.mov'}", f"mask={tmp_path / 'mask.png'}", shot="SH010")
    assert ran(film) == {"SH010": ["text", "motion", "finish", "encode"]}
    made, plate = (list(iter_frames(p)) for p in (film.movie("SH010"), tmp_path / "plate.mov"))
    for ours, theirs in zip(made[:12], plate, strict=False):
        off = np.abs(ours.astype(int) - theirs)
        around = np.concatenate([off[:30].ravel(), off[66:].ravel(), off[:, :62].ravel()])
        assert around.max() <= 20 and around.mean() < 1, "but for ProRes once more"
        assert off[36:60, 70:106].mean() > 10
    film.set("prompt=a tower", shot="SH010")
    assert ran(film) == {"SH010": ["text", "motion", "finish", "encode"]}
    film.set("mask=", "strength=0.7", shot="SH010")
    assert film.desk.plan(film.film).shots[film.block("SH010").shot].recipe["model"]["name"] == "wan"  # type: ignore[index]
    assert ran(film) == {"SH010": ["text", "motion", "finish", "encode"]}
    assert np.abs(next(iter_frames(film.movie("SH010"))).astype(int) - plate[0])[:30].mean() > 6
    film.length("SH010", 30)
    assert "20 frames" in film.render().failed[0].text


def test_stills_first_then_the_one_that_is_chosen_moves(tmp_path: Path, models: TinyModels) -> None:
    register(models, "wan-i2v", "wan", "flux")
    film = shoot(tmp_path, {"prompt": "a harbour"})
    shot = film.block("SH010").shot

    def stills(another: int, model: str = "") -> list[str]:
        outcome = wished(film, Wishes((shot,), another, until="keyframe", model=model))
        return [row.take for row in outcome.rendered]

    assert stills(0) == ["k001"]
    assert stills(2) == ["k002", "k003"]
    pictures = [found.movie.read_bytes() for found in film.desk.shelf().takes(shot)]
    assert len(set(pictures)) == 3
    film.decide("SH010", choose="k002")
    assert [row["take"] for row in list_takes(film.desk, film.film, shot)[1] if row["chosen"]] == ["k002"]
    assert stills(1) == ["k004"], "a variation is made from the words, whatever was chosen"
    assert ran(film) == {"SH010": ["text", "keyframe", "motion", "finish", "encode"]}
    assert film.chosen("SH010").recipe["model"]["name"] == "wan-i2v", "words alone would not start from it"
    film.set("prompt=a harbour by night", shot="SH010")
    assert ran(film) == {"SH010": ["text", "motion", "finish", "encode"]}, "the chosen still stands"


def test_who_makes_a_shot_and_why(tmp_path: Path, models: TinyModels) -> None:
    register(models, "wan-i2v", "wan", "vace", "sdxl")
    film = shoot(tmp_path, {"prompt": "a harbour"})
    assert shown(film)["model"] == "wan"
    assert dict(shown(film)["others"]) == {
        "wan-i2v": "it costs more",
        "vace": "it costs more",
        "sdxl": "it makes stills only",
    }  # type: ignore[call-overload]
    film.render()
    Image.new("RGB", (64, 64), "red").save(tmp_path / "mara.png")
    film.set('references=[{"image": "mara.png", "as": "character"}]', shot="SH010")
    assert shown(film)["model"] == "vace"
    assert "references" in str(shown(film)["why"]) or "reference" in str(shown(film)["why"])
    register(models, "wan-i2v", "wan", "sdxl")
    again = Shoot(film.path)
    assert "look like reference pictures" in fault(again) and "animatic" in fault(again)
    again.set("model=wan", shot="SH010")
    assert "the model 'wan' cannot look like reference pictures" in fault(again)
    again.set("references=", "model=wan-i2v", shot="SH010")
    assert shown(again) == {"model": "wan-i2v", "still": "sdxl", "why": "it was asked for by name", "others": {}}


def test_a_draft_never_does_for_a_final(tmp_path: Path, models: TinyModels) -> None:
    register(models, "wan")
    film = shoot(tmp_path, {"prompt": "a harbour", "model": "draft"})
    film.render()
    draft = film.chosen("SH010")
    film.set("model=final", shot="SH010")
    assert film.states() == {"SH010": "stale"}
    assert ran(film) == {"SH010": ["motion", "finish", "encode"]}
    final = film.chosen("SH010")
    assert final.motion != draft.motion
    assert final.recipe["model"]["name"] == draft.recipe["model"]["name"] == "wan"
    register(models, "wan", quality="draft")
    again = Shoot(film.path)
    assert "registered for draft only" in fault(again)
    again.set("model=draft", shot="SH010")
    assert again.states() == {"SH010": "stale"}


def test_who_asks_for_a_draft_at_the_render_gets_one(tmp_path: Path, models: TinyModels) -> None:
    register(models, "wan")
    film = shoot(tmp_path, {"prompt": "a harbour"})
    wished(film, Wishes(model="draft"))
    draft = film.chosen("SH010")
    assert film.states() == {"SH010": "fresh"}
    film.set("model=final")
    assert ran(film) == {"SH010": ["motion", "finish", "encode"]}
    wished(film, Wishes((film.block("SH010").shot,), model="draft"))
    assert film.chosen("SH010").motion == draft.motion
    assert film.states() == {"SH010": "stale"}, "a draft is no final, whoever asked for it"


def test_stills_by_the_model_that_is_named_and_none_for_what_continues(tmp_path: Path, models: TinyModels) -> None:
    register(models, "wan", "wan-i2v", "sdxl", "flux")
    film = shoot(tmp_path, {"prompt": "a harbour"}, {"prompt": "a beach"})
    use = film.desk.plan(film.film).shots[film.block("SH010").shot].uses[0]
    film.set(f'first_frame={{"from": "{use}"}}', shot="SH020")
    outcome = wished(film, Wishes(until="keyframe"))
    assert [row.name[-5:] for row in outcome.rendered] == ["SH010"]
    assert "has no still" in outcome.skipped[0].text
    shot = film.block("SH010")
    wished(film, Wishes((shot.shot,), until="keyframe", model="flux"))
    made = [film.desk.shelf().record(shot, take).recipe["keyframe"] for take in ("k001", "k002")]
    assert [still["model"]["name"] for still in made] == ["sdxl", "flux"]  # type: ignore[index]


def test_a_take_stands_while_its_model_changes_or_goes(tmp_path: Path, models: TinyModels) -> None:
    register(models, "vace", rate="24/1")
    film = shoot(tmp_path, {"prompt": "a harbour", "last_frame": {"image": "end.png"}}, frames=16)
    Image.new("RGB", (64, 64), "red").save(tmp_path / "end.png")
    film.render()
    first, frames = film.chosen("SH010").motion, probe(film.movie("SH010")).frames
    assert frames == 21, "17, and 4 more that go over 5 once more"
    register(models, "vace", rate="24/1", overlap=9)
    film = Shoot(film.path)
    film.length("SH010", frames + 1)
    assert ran(film) == {"SH010": ["motion", "finish", "encode"]}
    assert film.chosen("SH010").motion.startswith(first + "+"), "the next piece goes on from what is seen"
    with Alone(film.studio, InlineWorkers(Generators(BUILT_IN)), nobody) as alone:
        assert verify(film.desk, film.block("SH010").shot, "", alone).same
    register(models, "sdxl")
    film = Shoot(film.path)
    assert film.states() == {"SH010": "fresh"}
    film.set("delivery.codec=h264")
    assert "'vace', which the shot was rendered with, is not registered here" in film.render().failed[0].text


def test_an_edge_to_a_comp_counts_in_the_frames_of_the_comp(tmp_path: Path, models: TinyModels) -> None:
    register(models, "wan-i2v", "sdxl", "wan")
    film = shoot(tmp_path, {"prompt": "a harbour"}, {"prompt": "a beach"})
    use = film.desk.plan(film.film).shots[film.block("SH010").shot].uses[0]
    film.set(f'first_frame={{"from": "{use}"}}', shot="SH020")
    film.render()
    with Alone(film.studio, InlineWorkers(Generators(BUILT_IN)), nobody) as alone:
        bring(film.desk, film.block("SH010").shot, movie(tmp_path / "comp.mov", 10, (64, 48)), alone)
    assert rendered(film.render()) == ["SH020"]
    assert film.chosen("SH020").recipe["first_frame"]["frame"] == 6, "not frame 4 of 16 a second"
    film.set("delivery.codec=h264")
    assert rendered(film.render()) == ["SH010", "SH020"]
    assert film.states() == {"SH010": "fresh", "SH020": "fresh"}


def test_what_cannot_be_used_is_said_before_anything_is_rendered(tmp_path: Path, models: TinyModels) -> None:
    register(models, "wan", accepted=False, licence="a-licence")
    film = shoot(tmp_path, {"prompt": "a harbour"})
    assert "a-licence" in fault(film) and "rushes models accept wan" in fault(film)
    register(models, "wan", working_mib=900_000)
    assert "does not fit" in fault(Shoot(film.path))
    register(models, "wan")
    film = Shoot(film.path)
    film.set("params.size=100x100", shot="SH010")
    assert "multiples of 16" in film.render().failed[0].text
    assert list(film_status(film.desk).states.values()) == ["failed"]
    assert "multiples of 16" in film_status(film.desk).shape("")["shots"][0]["fault"]["text"]
    film.set("params.size=", shot="SH010")
    assert list(film_status(film.desk).states.values()) == ["missing"], "this has not been tried"
    film.set("params.size=", "params.wibble=3", shot="SH010")
    assert "wibble" in film.render().failed[0].text
    film.set("params.wibble=", shot="SH010")
    sdxl = lora(models.folder("sdxl"), tmp_path / "other.safetensors", seed=1)
    film.set(f'loras=[{{"file": "{sdxl.name}", "weight": "1"}}]')
    assert "another kind of model" in film.render().failed[0].text
