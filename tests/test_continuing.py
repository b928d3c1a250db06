"""Shots in pieces: a model fitted to a movement goes on from frames that are there, and nobody sees the seam."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("diffusers")

from diffusers import (  # noqa: E402
    FlowMatchEulerDiscreteScheduler,
    LTXConditionPipeline,
    LTXImageToVideoPipeline,
    WanImageToVideoPipeline,
    WanVACEPipeline,
    WanVideoToVideoPipeline,
)
from PIL import Image  # noqa: E402

import moving  # noqa: E402
from generating import CASES, Bench, Following, frames_of  # noqa: E402
from rushes.generators.diffusers import seams  # noqa: E402
from rushes.generators.diffusers.calls import Given  # noqa: E402
from rushes.generators.diffusers.continuing import History  # noqa: E402
from rushes.generators.diffusers.layout import plain  # noqa: E402
from rushes.generators.diffusers.tap import Tap  # noqa: E402
from rushes_otio.errors import BadRequest  # noqa: E402
from tiny import ltx, wan_vace  # noqa: E402

OVERLAP, TOTAL = 9, moving.FRAMES
NEW = TOTAL - OVERLAP
WHITE = 65535


class Quiet:
    def progress(self, done, total):
        pass


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def pipe():
    return moving.pipeline()


def ran(pipe, seed, past=None, total=TOTAL, **more):
    """The latents of one run of a Wan-shaped pipeline, on from `past`."""
    given = {} if past is None else past.arguments(type(pipe), total, {})
    steer = None if past is None else past.held(pipe, total, seed)
    words = {"prompt_embeds": moving.WORDS, "height": moving.HEIGHT, "width": moving.WIDTH, "guidance_scale": 1.0}
    settings = {
        "num_inference_steps": 40,
        "generator": torch.Generator().manual_seed(seed),
        "output_type": "latent",
    }
    with Tap(pipe, Quiet(), None, steer):
        return pipe(**(words | settings | given | more), num_frames=total).frames


def decoded(pipe, latents):
    sizes = torch.tensor(pipe.vae.config.latents_std).view(1, -1, 1, 1, 1)
    with torch.no_grad():
        return moving.pictures(pipe.vae.decode(latents * sizes).sample)


def pieces_of(pipe, first, more, seed):
    """The pieces of a shot whose first is there."""
    shot = [first]
    for piece in range(more):
        past = History(shot[-1][-OVERLAP:])
        made = decoded(pipe, ran(pipe, seed + piece, past))
        shot.append(np.stack(list(seams.mended(iter(made), OVERLAP, seams.measured(past.frames)))))
    return shot


def steps_of(shot):
    """How much each frame of a shot differs from the one before it, 1 being the median of the shot."""
    frames = np.concatenate(shot).astype(np.float64)
    steps = np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2, 3))
    return steps / np.median(steps)


def seams_of(shot):
    """Those steps that lie between two pieces."""
    return steps_of(shot)[np.cumsum([len(piece) for piece in shot[:-1]]) - 1]


def turns_of(shot):
    """By how much of their length the stripes move from each frame to the next; the sign is the direction."""
    rows = np.concatenate(shot).astype(np.float64).mean(axis=(1, 3))
    waves = np.fft.fft(rows, axis=1)[:, moving.WIDTH // 16]
    return np.angle(waves[:-1] / waves[1:]) / (2 * np.pi)


def existing(seed):
    """A take that is there: a clip of the pattern."""
    return moving.pictures(moving.some(1, TOTAL, torch.Generator().manual_seed(seed)))


def test_a_take_goes_on_as_it_moved(pipe):
    """Two pieces more, for stripes of any place, direction and ground: the count is exact, no frame is repeated,
    no seam stands out, and they drift on at one pixel a frame."""
    at_seams = []
    for seed in range(4):
        shot = pieces_of(pipe, existing(seed), 2, seed)
        assert [len(piece) for piece in shot] == [TOTAL, NEW, NEW]
        drift = turns_of(shot)
        assert np.abs(drift - drift[0]).max() < 0.4 / 16
        assert steps_of(shot).min() > 0.6
        at_seams.extend(seams_of(shot))
    print("steps at seams, of the median step:", np.round(at_seams, 2))
    assert np.median(at_seams) < 1.05
    assert np.max(at_seams) < 1.3


def test_without_its_past_a_piece_jumps(pipe):
    """The control: frames made without the past, or with its last picture alone, do not go on from it."""
    shots = [[existing(seed), decoded(pipe, ran(pipe, seed))] for seed in range(4)]
    for seed in range(4):
        past = History(existing(seed)[-1:])
        shots.append([existing(seed), decoded(pipe, ran(pipe, seed, past))[1:]])
    off = [np.abs(turns_of(shot) - turns_of(shot)[0]).max() * 16 for shot in shots]
    assert np.median(off) > 1


def test_a_shot_in_pieces_is_the_same_each_time(pipe):
    one, again, other = (pieces_of(pipe, existing(5), 1, seed)[1] for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("schedule", [None, FlowMatchEulerDiscreteScheduler(shift=3.0)])
def test_known_frames_come_out_as_they_went_in(schedule):
    """With a scheduler that remembers earlier steps and one that does not. Frames beyond the last whole latent
    frame are not held, and do no harm."""
    pipe = moving.pipeline(schedule)
    known = existing(7)[:OVERLAP]
    made = decoded(pipe, ran(pipe, 0, History(known)))
    assert np.abs(made[:OVERLAP].astype(int) - known).max() <= 2
    odd = decoded(pipe, ran(pipe, 0, History(known[:7])))
    assert np.abs(odd[:5].astype(int) - known[:5]).max() <= 2


@pytest.mark.parametrize("cast", [0.05, -0.05])
def test_colours_stay_those_of_the_first_piece(pipe, cast):
    """A model that makes all it makes redder, or less red: of that nothing is left in three pieces more."""

    def biased(module, arguments, output):
        off = torch.zeros(1, 7, 1, 1, 1)
        off[:, 0] = 2 * cast / pipe.vae.config.latents_std[0]
        return (output[0] - off,)

    plain = decoded(pipe, ran(pipe, 3))
    hook = pipe.transformer.register_forward_hook(biased)
    off = decoded(pipe, ran(pipe, 3)).mean(axis=(0, 1, 2)) - plain.mean(axis=(0, 1, 2))
    shot = pieces_of(pipe, existing(3), 3, 3)
    hook.remove()
    drift = [np.abs(piece.mean(axis=(0, 1, 2)) - shot[0].mean(axis=(0, 1, 2))).max() / WHITE for piece in shot]
    print("cast of a piece alone:", np.round(off / WHITE, 3), "drift of four pieces:", np.round(drift, 4))
    assert np.sign(off[0]) == np.sign(cast) and abs(off[0]) / WHITE > 0.02
    assert max(drift) < 0.004


def scene(frames, rng, *, pan=0.0):
    """Blurred noise, of which a pan shows more."""
    field = np.cumsum(rng.normal(size=(40, 400, 3)), axis=1)
    field = 0.3 + 0.4 * (field - field.min()) / np.ptp(field)
    return np.stack([field[:, int(pan * n) : int(pan * n) + 96] for n in range(frames)])


def whole(values):
    return np.rint(np.clip(values, 0, 1) * WHITE).astype(np.uint16)


@pytest.mark.parametrize("pan", [0.0, 2.0])
def test_what_the_vae_does_to_colours_is_undone(pan):
    """A gain, an offset and an uneven veil in all that is decoded are gone from the first new frame on, moving or
    not; the veil, which is no tone, comes back slowly and no faster."""
    true = scene(40, np.random.default_rng(1), pan=pan)
    veil = 0.03 * np.linspace(-1, 1, 96)[None, None, :, None]
    off = true * 0.93 + np.array([0.02, 0, -0.02]) + veil
    new = np.stack(list(seams.mended(iter(whole(off)), OVERLAP, seams.measured(whole(true[:OVERLAP])))))
    error = np.abs(new / WHITE - true[OVERLAP:]).mean(axis=(1, 2, 3))
    plain = np.abs(off - true)[OVERLAP:].mean(axis=(1, 2, 3))
    assert len(new) == 40 - OVERLAP
    print("off by", np.round(error, 4), "of", np.round(plain[0], 4))
    assert error[0] < plain[0] / 6
    assert np.diff(error).max() < plain[0] / 6


@pytest.mark.parametrize("pan", [0.0, 2.0])
@pytest.mark.parametrize("comes_in", [1, 4, 8])
def test_a_cast_that_comes_in_at_the_seam_goes_out(pan, comes_in):
    """All at once, or over the frames in which a decoder looks back."""
    true = scene(40, np.random.default_rng(4), pan=pan)
    grown = np.clip((np.arange(40) - OVERLAP + 1) / comes_in, 0, 1)[:, None, None, None]
    off = true + grown * np.array([0.04, -0.03, 0])
    new = np.stack(list(seams.mended(iter(whole(off)), OVERLAP, seams.measured(whole(true[:OVERLAP])))))
    assert np.abs((new / WHITE - true[OVERLAP:]).mean(axis=(1, 2))).max() < 0.008


@pytest.mark.parametrize(
    "light", [lambda n: 0.002 * n, lambda n: 0.05 * (-1) ** n, lambda n: 0.04 * np.sin(n / 3)]
)
def test_light_that_changes_is_let_be(light):
    """A slow dawn, a flicker, a pulse: what the scene itself does is no cast of the model."""
    true = scene(30, np.random.default_rng(2)) + np.array([light(n) for n in range(30)])[:, None, None, None]
    new = np.stack(list(seams.mended(iter(whole(true)), OVERLAP, seams.measured(whole(true[:OVERLAP])))))
    assert np.abs(new / WHITE - true[OVERLAP:]).max() < 0.02


def test_pieces_of_any_length_are_mended():
    for overlap in (1, 2, 9):
        for new in (0, 1, 3, 5, 20):
            frames = whole(scene(overlap + new, np.random.default_rng(3)))
            kept = seams.measured(frames[:overlap])
            made = list(seams.mended(iter(frames), overlap, kept))
            assert len(made) == new
            assert all(np.abs(a.astype(int) - b).max() <= 8 for a, b in zip(made, frames[overlap:], strict=True))


def test_each_pipeline_is_told_in_its_own_words():
    """Known frames lie over what it is given for the first frames, and nothing else changes."""
    past = History(existing(1)[:5])
    ends = Image.new("RGB", (64, 16), "red")
    picture = np.asarray(past.arguments(WanImageToVideoPipeline, 9, {"last_image": ends})["image"])
    assert np.abs(picture.astype(int) - past.frames[0] // 257).max() <= 1
    told = past.arguments(LTXConditionPipeline, 9, {"conditions": ["plate"]})["conditions"]
    assert told[0] == "plate" and len(told[1].video) == 5 and told[1].frame_index == 0
    plate = past.arguments(WanVideoToVideoPipeline, 9, {"video": [ends] * 9})["video"]
    assert plate[5:] == [ends] * 4 and ends not in plate[:5]
    free = past.arguments(WanVACEPipeline, 9, {})
    assert [mask.getextrema() for mask in free["mask"]] == [(0, 0)] * 5 + [(255, 255)] * 4
    assert len(free["video"]) == 9
    comp = past.arguments(WanVACEPipeline, 9, {"video": [ends] * 9, "mask": [Image.new("L", (64, 16), 9)] * 9})
    assert comp["video"][5:] == [ends] * 4 and comp["mask"][8].getextrema() == (9, 9)
    with pytest.raises(BadRequest):
        past.arguments(WanVideoToVideoPipeline, 9, {})
    with pytest.raises(BadRequest):
        past.arguments(WanVACEPipeline, 5, {})


@pytest.mark.parametrize("name", ["wan_vace", "ltx", "ltx_i2v"])
def test_every_layout_of_latents_is_held(name):
    """VACE with a reference before the frames, LTX that packs its latents, and LTX whose first frame is a picture:
    the known frames are the same with any seed, the new ones are not. A given picture is the pipeline's own."""
    pipe = wan_vace() if name == "wan_vace" else ltx()
    if name == "ltx_i2v":
        pipe = LTXImageToVideoPipeline(**pipe.components)
    pipe.set_progress_bar_config(disable=True)
    frames = np.random.default_rng(1).integers(0, WHITE, (OVERLAP, 64, 64, 3)).astype(np.uint16)
    more = {"reference_images": [Image.new("RGB", (64, 64), "red")]} if name == "wan_vace" else {}
    one, other = (untold(pipe, History(frames), seed, more) for seed in (1, 2))
    held = 1 + (OVERLAP - 1) // (8 if "ltx" in name else 4)
    first = 1 if name == "ltx_i2v" else 0
    assert torch.allclose(one[:, :, first:held], other[:, :, first:held], atol=1e-4)
    assert not torch.allclose(one[:, :, held:], other[:, :, held:], atol=1e-2)


def untold(pipe, past, seed, more):
    """The latents of a run of a pipeline with random weights, in the one layout."""
    given = past.arguments(type(pipe), 17, {}) | more
    settings = {
        "num_inference_steps": 4,
        "generator": torch.Generator().manual_seed(seed),
        "output_type": "latent",
    }
    with Tap(pipe, Quiet(), None, past.held(pipe, 17, seed)):
        made = pipe(prompt="stripes", height=64, width=64, num_frames=17, **settings, **given).frames
    return plain(pipe, made, Given(size=(64, 64), frames=17))


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Bench(tmp_path_factory.mktemp("continuing"))


WAYS = ["wan", "two experts", "ti2v from words", "i2v", "vace from words", "vace in a mask", "plate", "ltx"]


@pytest.mark.parametrize("name", WAYS)
def test_a_stored_piece_goes_on(name, bench, tmp_path):
    """Through the generator: the stored form of a piece is all that the next one needs."""
    case, card = CASES[name], bench.models.card(CASES[name].model)
    overlap, frames = (9, 8) if name == "ltx" else (5, 4)
    before = tmp_path / "before"
    before.write_bytes(bench.generator.motion(bench.request(case), Following(), case.footage()))
    on = {"after": str(before), "first_frame": None, "overlap": overlap, "frames": frames}
    request = bench.request(case, **on)
    motion = bench.generator.motion(request, Following(), case.footage())
    assert bench.generator.motion(request, Following(), case.footage()) == motion
    assert bench.generator.motion(bench.request(case, **on, seed=8), Following(), case.footage()) != motion
    assert bench.generator.length(motion) == frames == len(frames_of(bench.generator, motion, card))
