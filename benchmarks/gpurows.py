"""Rows about one model at one size on one device."""

from __future__ import annotations

import argparse
import platform
from collections.abc import Iterator
from pathlib import Path

import torch

from benchmarks.bigmodels import built
from benchmarks.direct import Shot, Work
from benchmarks.measure import Row
from benchmarks.oncard import Ours, Smaller, Subject, directly, forget, made, timed
from benchmarks.shooting import Shooter
from benchmarks.watching import Watched
from rushes.generators.base import WordsRequest
from rushes.generators.cards import Card
from rushes.generators.diffusers import Diffusers
from rushes.generators.diffusers.devices import CpuDevice, best
from rushes.generators.diffusers.residency import Residency
from rushes.generators.rungs import needed

GIB = 1 << 30
MARGIN = GIB // 4
STOPS = (("denoising", 0.02), ("denoising", 0.3), ("denoising", 0.6), ("decoding", 0.5))


def machine() -> dict[str, str]:
    """What it was measured on."""
    return {"platform": platform.platform(), "torch": torch.__version__, **best().describe()}


def subject_of(model: str, size: str, frames: int, asked: argparse.Namespace, scratch: Path) -> Subject:
    """Its folder is written where it is not there."""
    folder = built(scratch, model, asked.text_encoder)
    width, _, height = size.partition("x")
    dtype = "float32" if asked.tiny else "bfloat16"
    card = Card(folder.name, f"random-{folder.name}", str(folder), "WanPipeline", dtype, working_mib=8192)
    return Subject(card, Work((int(width), int(height)), frames, asked.steps), asked.shots, scratch)


def rows(subject: Subject, *, ladder: bool, words: bool) -> Iterator[Row]:
    """Everything, each as soon as it is known, in an order in which one measurement leaves nothing to the next."""
    subject.write_words()
    loading, call = directly(subject)
    generator = Diffusers(Residency(best()))
    if words:
        yield from _of_words(generator, subject)
    first = made(generator, subject, 0)
    shots = [made(generator, subject, seed) for seed in range(1, subject.shots + 1)]
    quickest = min(shots, key=lambda shot: shot.seconds)
    cold = first.seconds / (loading.seconds + call.seconds)
    said = (
        f"{quickest.seconds:.2f} s, {quickest.decoding.seconds:.2f} of it decoding; directly {call.seconds:.2f} s"
    )
    loads = sum(shot.watch.doings.count("loading") for shot in shots)
    yield Row("loading and a first shot, against directly", None, cold, detail=f"{first.seconds:.1f} s")
    yield Row("a shot, warm, against directly", None, quickest.seconds / call.seconds, 1.02, detail=said)
    yield Row("times that weights were loaded for later shots", None, loads, 0, "")
    yield Row("most memory on the card, denoising", None, quickest.motion.peak / GIB, unit="GiB")
    yield Row("most memory on the card, decoding", None, quickest.decoding.peak / GIB, unit="GiB")
    yield _previewed(generator, subject)
    yield from _stopped(generator, subject, quickest)
    del generator
    forget()
    yield _idle(subject)
    if ladder and not isinstance(best(), CpuDevice):
        yield from _rungs(subject)


def _of_words(generator: Diffusers, subject: Subject) -> Iterator[Row]:
    request = WordsRequest(subject.run(), "a red fox in the snow, " * 8, "blurry")
    for told in ("text encoder, loading and a first text", "text encoder, a text"):
        with timed() as encoding:
            generator.words(request, Watched())
        yield Row(told, None, encoding.seconds, unit="s", detail=f"most memory {encoding.peak / GIB:.1f} GiB")


def _previewed(generator: Diffusers, subject: Subject) -> Row:
    watch = Watched(previews=1.0)
    shot = made(generator, subject, 1, watch)
    each = sum(watch.took) / max(len(watch.took), 1)
    said = f"{each * 1000:.1f} ms each; {len(watch.took)} in a shot of {shot.seconds:.1f} s"
    return Row("previews, one a second, share of the time", None, each, 0.02, detail=said)


def _stopped(generator: Diffusers, subject: Subject, plain: Ours) -> Iterator[Row]:
    """From being told to stop until the card is idle; then two runs, which must be as the ones before."""
    for where, share in STOPS:
        whole = plain.decoding.seconds if where == "decoding" else plain.motion.seconds
        watch = Watched(stop_in=where, stop_after=share * whole)
        with watch.stopping():
            made(generator, subject, 1, watch)
        yield Row(f"stopped at {share:.0%} of {where}", None, watch.latency * 1000, unit="ms")
    digests = {made(generator, subject, 1).digest for _ in range(2)}
    yield Row("different motions of one seed after that", None, len(digests) - 1, 0, "")


def _idle(subject: Subject) -> Row:
    """By a worker process, as films are rendered."""
    device = "cpu" if isinstance(best(), CpuDevice) else "cuda:0"
    shots = [
        Shot(subject.card.folder, "", seed, str(subject.scratch / f"{subject.card.name}-{seed}.mov"))
        for seed in range(subject.shots + 2)
    ]
    with Shooter(subject.scratch / "state", device, subject.card, subject.words) as shooter:
        shooter.shoot(shots[:2], subject.work)
        found = shooter.shoot(shots[2:], subject.work)
    return Row("idle between motions in a worker, share of the time", None, found.idle, 0.02)


def _rungs(subject: Subject) -> Iterator[Row]:
    """The same shot on cards that are just large enough for each rung."""
    parts = ((path.name, path) for path in Path(subject.card.folder).iterdir() if path.is_dir())
    sizes = {name: sum(file.stat().st_size for file in path.glob("*.safetensors")) for name, path in parts}
    sizes.pop("text_encoder", None)
    for rung, bytes_ in needed(sizes, subject.card.working_mib << 20).items():
        generator = Diffusers(Residency(Smaller(bytes_ + MARGIN)))
        made(generator, subject, 0)
        shot = made(generator, subject, 1)
        said = f"with {(bytes_ + MARGIN) / GIB:.1f} GiB; it used at most {shot.peak / GIB:.1f}"
        yield Row(f"a shot on the rung {rung.value!r}", None, shot.seconds, unit="s", detail=said)
        del generator
        forget()
