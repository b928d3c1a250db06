"""How many frames a take has, at the film's rate and at its model's, whatever the two are."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from rushes.engine.lengths import Layout, Lengths, Span, native_frame
from rushes.generators.models import Model
from rushes.stages.finish import finished_length
from rushes_otio.errors import ShotFault

RATES = st.sampled_from(
    ["7/1", "8/1", "16/1", "24000/1001", "24/1", "25/1", "30000/1001", "50/1", "60/1", "120/1"]
)
FRAMES = st.integers(1, 400)
MODELS = st.none() | st.builds(
    lambda rule, overlap, most: Model("diffusers", rule=rule, overlap=overlap, max_frames=most),
    st.integers(1, 9),
    st.integers(0, 20),
    st.integers(1, 100),
)


@given(RATES, RATES, FRAMES)
def test_the_fewest_native_frames_that_are_enough(film: str, native: str, frames: int) -> None:
    lengths = Lengths(film, native)
    natives = lengths.native_for(frames)
    assert lengths.film_for(natives) >= frames
    assert natives == 1 or lengths.film_for(natives - 1) < frames
    assert lengths.film_for(natives) <= finished_length(natives, native, film), "and no picture stands still"


@given(RATES, RATES, FRAMES)
def test_what_goes_on_shows_no_picture_twice_and_finds_its_frame(film: str, native: str, natives: int) -> None:
    frames = Lengths(film, native).film_for(natives)
    start = native_frame(frames - 1, film, native)
    assert start < natives, "an edge to any frame of a take is one of its native frames"
    assert Fraction(start) / Fraction(native) >= Fraction(frames - 1) / Fraction(film)


@given(RATES, RATES, MODELS, FRAMES, FRAMES)
def test_pieces_obey_the_model_and_an_extension_keeps_them(
    film: str, native: str, model: Model | None, frames: int, more: int
) -> None:
    lengths = Lengths(film, native, model)
    kept: Layout = []
    for wanted in (frames, frames + more):
        try:
            layout = lengths.layout(wanted, kept)
        except ShotFault:
            assert model is not None and not 0 < model.overlap < model.max_frames
            return
        assert list(layout[: len(kept)]) == list(kept)
        assert [span.ends for span in layout[len(kept) :]] == [False] * (len(layout) - len(kept) - 1) + [True] * (
            len(layout) > len(kept)
        )
        _check(layout, model)
        assert lengths.film_for(sum(span.frames for span in layout)) >= wanted
        kept = layout


def _check(layout: Layout, model: Model | None) -> None:
    at = before = 0
    for span in layout:
        assert span.begins == at and span.frames > 0
        assert span.overlap <= before, "what is gone over once more must be there"
        assert bool(span.overlap) == bool(model and at)
        made = span.frames + span.overlap
        assert model is None or ((made - 1) % model.rule == 0 and made <= model.max_frames)
        at, before = at + span.frames, span.frames


def test_a_piece_that_is_there_keeps_its_overlap_when_the_model_gets_another() -> None:
    model = Model("diffusers", rule=4, overlap=5, max_frames=17)
    kept = Lengths("24/1", "24/1", model).layout(29)
    assert kept == [Span(0, 17, 0, ends=False), Span(17, 12, 5)]
    other = Model("diffusers", rule=4, overlap=9, max_frames=17)
    assert Lengths("24/1", "24/1", other).layout(30, kept) == [*kept, Span(29, 4, 9)]


def test_a_take_that_ended_with_a_few_frames_goes_on_from_those() -> None:
    lengths = Lengths("24/1", "24/1", Model("diffusers", rule=4, overlap=5, max_frames=17))
    kept = lengths.layout(21)
    assert kept == [Span(0, 17, ends=False), Span(17, 4, 5)]
    assert lengths.layout(22, kept) == [*kept, Span(21, 4, 1)]
