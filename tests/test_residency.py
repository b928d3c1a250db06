"""Which weights are in memory, on a card and with models that are made up."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Collection, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("diffusers")

import torch

from fake_card import SIZES, FakeCard, FakeReader, Quiet
from rushes.generators.base import Cancelled, Watch
from rushes.generators.cards import Card
from rushes.generators.diffusers.devices import CpuDevice
from rushes.generators.diffusers.residency import Loaded, Residency
from rushes.generators.rungs import Rung
from rushes_otio.errors import BadRequest, FileFault


@pytest.fixture(scope="module", autouse=True)
def light_collections() -> Iterator[None]:
    """What the libraries keep for good need not be looked through each time."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def card(name: str, working: int = 0) -> Card:
    return Card(name, f"print-{name}", "/nowhere", "WanPipeline", working_mib=working)


def residency(device: FakeCard | CpuDevice, budget: int = 10_000, path: Path | None = None) -> Residency:
    return Residency(device, path, budget=budget, reader=FakeReader())


def reads(kept: Residency) -> list[str]:
    return kept._reader.reads  # type: ignore[attr-defined]


class Pipe:
    """As much of a pipeline as is placed."""

    model_cpu_offload_seq = "text_encoder->transformer->transformer_2->vae"


uses = st.lists(
    st.tuples(st.sampled_from("abc"), st.sets(st.sampled_from(sorted(SIZES)), min_size=1)), min_size=1, max_size=12
)


@given(uses, st.integers(0, 6000), st.sampled_from([800, 1300, 2600, 9000]))
def test_memory_stays_within_the_budget_and_the_card(sequence: list[Any], budget: int, size: int) -> None:
    device, reader, watch, most = FakeCard(size), FakeReader(), Quiet(), 0
    kept = Residency(device, budget=budget, reader=reader)
    for name, names in sequence:
        most = max(most, sum(SIZES[name] for name in names))
        with kept.using(card(name), sorted(names), watch) as loaded:
            loaded.place(Pipe())
            assert all(loaded.components[name] is not None for name in names)
            assert reader.alive - device.held() <= max(budget, most)
            assert device.held() <= size
    assert reader.alive - device.held() <= max(budget, most)


def test_the_least_recently_used_goes_first_and_two_that_fit_stay() -> None:
    kept, watch = residency(CpuDevice(), budget=2200), Quiet()
    names = ("transformer", "vae")
    for name in "abab":
        with kept.using(card(name), names, watch):
            pass
    assert reads(kept) == ["a.transformer", "a.vae", "b.transformer", "b.vae"]
    for name in "cba":
        with kept.using(card(name), names, watch):
            pass
    assert reads(kept)[4:] == ["c.transformer", "c.vae", "a.transformer", "a.vae"]


def test_what_gives_way_on_the_card_waits_in_main_memory() -> None:
    device, watch = FakeCard(1300), Quiet()
    kept = residency(device, budget=2200)
    for name in "ababab":
        with kept.using(card(name), ("transformer", "vae"), watch) as loaded:
            assert loaded.rung is Rung.WHOLE
            assert 1100 <= device.held() <= 1300
    assert len(reads(kept)) == 4


def test_text_encoders_are_dropped_when_their_words_are_made() -> None:
    kept, watch = residency(FakeCard(9000)), Quiet()
    with kept.using(card("a"), ("text_encoder", "vae"), watch):
        kept.drop(card("a"), ("text_encoder",))
        assert kept._reader.alive == 500  # type: ignore[attr-defined]  # in use: not yet
    assert kept._reader.alive == 100  # type: ignore[attr-defined]
    kept.drop(card("a"), ("vae", "text_encoder"))
    assert kept.device.held() == kept._reader.alive == 0  # type: ignore[attr-defined]


def test_what_is_in_use_is_never_evicted() -> None:
    kept, watch = residency(FakeCard(1150), budget=0), Quiet()
    with kept.using(card("a"), ("vae",), watch) as decoder:
        vae = decoder.components["vae"]
        for name in "bcb":
            with kept.using(card(name), ("transformer",), watch) as loaded:
                loaded.place(Pipe())
        assert decoder.components["vae"] is vae
        with kept.using(card("a"), ("vae",), watch) as again:
            assert again.components["vae"] is vae
    assert reads(kept).count("a.vae") == 1


@pytest.mark.parametrize(
    ("size", "names", "rung"),
    [
        (2200, ("transformer", "transformer_2", "vae"), Rung.WHOLE),
        (1200, ("transformer", "transformer_2", "vae"), Rung.MODELS),
        (1000, ("transformer", "transformer_2", "vae"), Rung.GROUPS),
        (1000, ("transformer", "vae"), Rung.GROUPS),
        (10, ("transformer", "vae"), Rung.GROUPS),  # ours alone: tried before it is refused
    ],
)
def test_the_rung_is_chosen_from_free_memory(size: int, names: tuple[str, ...], rung: Rung) -> None:
    device, watch = FakeCard(size), Quiet()
    kept = residency(device)
    with suppress(BadRequest), kept.using(card("a"), names, watch) as loaded:
        assert loaded.rung is rung
        loaded.place(Pipe())
        assert device.held() == (sum(SIZES[name] for name in names) if rung is Rung.WHOLE else SIZES["vae"])


def test_running_out_of_memory_steps_down_once_and_is_remembered(tmp_path: Path) -> None:
    path, watch, tried = tmp_path / "rungs.json", Quiet(), []

    def do(loaded: Loaded) -> str:
        tried.append(loaded.rung)
        if loaded.rung is Rung.WHOLE:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return "made"

    names = ("transformer", "transformer_2", "vae")
    for _ in range(2):
        kept = residency(FakeCard(9000), path=path)
        assert kept.run(card("a"), names, watch, do, volume=1000) == "made"
    assert tried == [Rung.WHOLE, Rung.MODELS, Rung.MODELS]
    kept.run(card("a"), names, watch, do, volume=500_000)  # larger: the same rung
    assert tried[-1] is Rung.MODELS
    kept.run(card("a"), names, watch, do, volume=10)  # much smaller: the best rung is tried
    assert tried[-2:] == [Rung.WHOLE, Rung.MODELS]
    kept.run(card("b"), names, watch, do, volume=1000)  # another model
    assert tried[-2:] == [Rung.WHOLE, Rung.MODELS]


def test_it_is_tried_twice_and_no_more_and_asking_again_starts_lower(tmp_path: Path) -> None:
    device, watch, tried = FakeCard(9000), Quiet(), []
    kept = residency(device, path=tmp_path / "rungs.json")

    def do(loaded: Loaded) -> None:
        tried.append(loaded.rung)
        raise RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED")

    for _ in range(2):
        with pytest.raises(BadRequest, match=r"not enough memory on fake card: .* GiB are free") as refused:
            kept.run(card("a", working=1 << 10), ("transformer", "transformer_2", "vae"), watch, do)
        assert "smaller size" in refused.value.remedy
        assert device.held() == 0  # everything was put away
    assert tried == [Rung.GROUPS] * 4  # a forecast of 1 GiB beside the weights


def test_on_the_processor_what_is_not_in_use_is_forgotten_before_the_second_try() -> None:
    kept, watch, alive = residency(CpuDevice()), Quiet(), []

    def do(loaded: Loaded) -> None:
        alive.append(kept._reader.alive)  # type: ignore[attr-defined]
        assert loaded.rung is Rung.WHOLE
        if len(alive) < 2:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")

    with kept.using(card("b"), ("transformer",), watch):
        pass
    kept.run(card("a"), ("vae",), watch, do)
    assert alive == [1100, 100]


def test_memory_that_ran_out_is_free_before_the_second_try() -> None:
    """The exception holds the frames, and the frames hold the tensors."""
    kept, watch, alive = residency(FakeCard(9000)), Quiet(), []

    def do(loaded: Loaded) -> int:
        if alive:
            gc.collect()
            return sum(reference() is not None for reference in alive)
        work = torch.zeros(1000)
        alive.append(weakref.ref(work))
        raise torch.OutOfMemoryError("CUDA out of memory")

    assert kept.run(card("a"), ("transformer",), watch, do) == 0


def test_a_card_that_another_program_fills_is_said_and_not_remembered(tmp_path: Path) -> None:
    device, watch, path = FakeCard(3 << 30), Quiet(), tmp_path / "rungs.json"
    kept = residency(device, path=path)
    device.others = 2 << 30
    with pytest.raises(BadRequest) as refused, kept.using(card("a", working=2048), ("transformer",), watch):
        pass
    assert refused.value.text == (
        "there is not enough memory on fake card: 1.0 GiB are free and about 2.0 GiB are needed"
    )
    assert refused.value.remedy.startswith("close the other programs that use it (they hold 2.0 GiB)")

    def do(loaded: Loaded) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(BadRequest):
        kept.run(card("a"), ("transformer", "transformer_2"), watch, do)
    assert not path.exists()
    device.others = 0
    with kept.using(card("a", working=2048), ("transformer",), watch) as loaded:
        assert loaded.rung is Rung.WHOLE


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a": 5}', b'{"fake": {"x": "whole", "1": "stairs"}}'])
def test_a_damaged_memory_of_rungs_is_forgotten(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rungs.json"
    path.write_bytes(content)
    kept = residency(FakeCard(9000), path=path)
    with kept.using(card("a"), ("transformer",), Quiet()) as loaded:
        assert loaded.rung is Rung.WHOLE


def test_one_hundred_alternating_uses_leave_nothing_behind() -> None:
    kept, watch, most = residency(FakeCard(1300), budget=1000), Quiet(), 0
    for turn in range(100):
        with kept.using(card("ab"[turn % 2]), ("transformer", "vae"), watch) as loaded:
            loaded.place(Pipe())
        if turn == 3:
            gc.collect()
            most = len(gc.get_objects())
    gc.collect()
    assert len(gc.get_objects()) < most + 500
    assert kept._reader.alive <= 2300  # type: ignore[attr-defined]


def test_a_decode_that_does_not_fit_beside_the_denoising_waits_for_its_end() -> None:
    device, order, inside = FakeCard(4 << 30), [], threading.Event()
    kept = residency(device)
    asked = card("a", working=3000)

    def encode() -> None:
        inside.wait(5)
        with kept.using(card("b", working=3000), ("vae",), Quiet()):
            order.append("decoded")

    lane = threading.Thread(target=encode)
    lane.start()
    with kept.using(asked, ("transformer",), Quiet()) as loaded:
        inside.set()
        lane.join(0.3)
        assert lane.is_alive()
        with kept.using(asked, ("vae",), Quiet()):  # the same lane does not wait for itself
            assert loaded.rung is Rung.WHOLE
        order.append("denoised")
    lane.join(5)
    assert order == ["denoised", "decoded"]


def test_who_waits_can_be_cancelled() -> None:
    kept, watch = residency(FakeCard(4 << 30)), Quiet()
    ended = threading.Event()

    def encode() -> None:
        with suppress(Cancelled), kept.using(card("b", working=3000), ("vae",), watch):
            return
        ended.set()

    with kept.using(card("a", working=3000), ("transformer",), Quiet()):
        lane = threading.Thread(target=encode)
        lane.start()
        watch.wanted = False
        assert ended.wait(5)
    lane.join(5)


def test_two_lanes_at_once() -> None:
    """One runs whole models in turn, the other borrows decoders, of the same models and of another."""
    device = FakeCard(2400)
    kept, failed = residency(device, budget=1500), []

    def lane(names: tuple[str, ...], sequence: str) -> None:
        try:
            for name in sequence:
                with kept.using(card(name), names, Quiet()) as loaded:
                    loaded.place(Pipe())
                    held = [weakref.ref(module) for module in loaded.components.values()]
                    assert all(module() is not None for module in held)
                    assert device.held() <= device.size
        except BaseException as error:
            failed.append(error)

    lanes = [
        threading.Thread(target=lane, args=(("transformer", "vae"), "ab" * 30)),
        threading.Thread(target=lane, args=(("vae",), "acb" * 30)),
    ]
    for thread in lanes:
        thread.start()
    for thread in lanes:
        thread.join(30)
    assert failed == []
    assert device.most <= device.size


def test_what_cannot_be_read_leaves_nothing_in_use() -> None:
    class Broken(FakeReader):
        def read(self, card: Card, names: Collection[str], watch: Watch) -> dict[str, Any]:
            if "vae" in names:
                raise FileFault("the weights are cut short")
            return super().read(card, names, watch)

    kept = Residency(FakeCard(9000), budget=1000, reader=Broken())
    with kept.using(card("a"), ("transformer",), Quiet()):
        pass
    with pytest.raises(FileFault), kept.using(card("a"), ("transformer", "vae"), Quiet()):
        pass
    kept.drop(card("a"), ("transformer",))
    assert kept._reader.alive == 0  # type: ignore[attr-defined]
