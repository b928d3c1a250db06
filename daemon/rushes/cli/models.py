"""`rushes models`: the local registry."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from rushes.cli.edge import Json, command, emit, say, show, shown

if TYPE_CHECKING:
    from rushes.engine.modelchecks import Row
    from rushes.engine.models import Added, Tell

SECONDS_BETWEEN_LINES = 5.0

Name = Annotated[str, typer.Argument(metavar="NAME", help="A registered model.", show_default=False)]


def register(app: typer.Typer) -> None:
    group = typer.Typer()
    group.callback(invoke_without_command=True)(models)
    for name, run in (("list", list_), ("known", known), ("add", add), ("accept", accept)):
        group.command(name)(run)
    for name, run in (("check", check), ("remove", remove)):
        group.command(name)(run)
    app.add_typer(group, name="models")


def models(context: typer.Context) -> None:
    """The models registered on this machine. A film names a model; only this locates one.

    Rushes ships no weights. Get a model in diffusers' form, register it, and name it in a film, or let Rushes
    choose the cheapest that can do what a shot needs. A usual pair: an image model for stills, and one that moves
    them. Without a subcommand, the list.

    \b
        rushes models known
        rushes models add ~/models/stable-diffusion-xl-base-1.0 --name sdxl --accept-licence
        rushes models add ~/models/Wan2.1-I2V-14B-480P-Diffusers --name wan
        rushes models list
        rushes set film.otio --film model=wan
    """
    if context.invoked_subcommand is None:
        list_()


@command
def list_(json: Json = False) -> None:
    """List the registered models: what each can do, where it is, and whether it can be used here.

    t2i: a still from words. t2v: motion from words. i2v: motion from a picture; last: ending on one too. v2v: a
    plate made anew; mask: only inside a mask. references: looks like pictures. lora: takes LoRAs.
    """
    from rushes.engine.modelchecks import rows
    from rushes.engine.studio import Studio

    studio = Studio.of_user()
    found = rows(studio)
    if json:
        emit({"models": [row.as_dict() for row in found], "registry": str(studio.places.models)})
        return
    for row in found:
        _show_row(row)
    show(f"registry: {studio.places.models}" + ("" if studio.places.models.exists() else " (not there yet)"))
    if len(found) == 1:
        show("next: rushes models known, then: rushes models add FOLDER")


def _show_row(row: Row) -> None:
    can = ", ".join(row.can) or "draws everything, without weights"
    size = f"{row.gib:.1f} GiB" if row.gib is not None else ""
    quality = row.quality or "draft, final"
    show(f"{shown(row.name):<24} {quality:<13} {size:>10}  {shown(can, 80)}")
    if row.source:
        show(f"{'':<24} {shown(row.source, 200)}")
    if row.fault:
        show(f"{'':<24} NOT USABLE: {shown(row.fault['text'], 300)}")
        show(f"{'':<24} do: {shown(row.fault['remedy'], 300)}")


@command
def known(json: Json = False) -> None:
    """List the models that Rushes knows how to run, and where each is had from.

    A folder of the same kind, such as a finetune, is recognised as well. What the words after
    "can" mean: rushes models list --help.
    """
    from rushes.engine.modelchecks import known_models

    found = known_models()
    if json:
        emit({"templates": [row.as_dict() for row in found]})
        return
    for row in found:
        show(f"{row.template:<26} {row.title}; licence: {row.licence}")
        show(f"{'':<26} {row.repository}; can: {', '.join(row.can)}")


@command
def add(
    source: Annotated[
        str, typer.Argument(metavar="PATH|HUB-ID", help="A diffusers folder, or a repository on the Hub.")
    ],
    name: Annotated[str, typer.Option(help="What films call it; else named after the folder.")] = "",
    template: Annotated[
        str, typer.Option(help="The known model that it is, where it is not recognised: rushes models known.")
    ] = "",
    revision: Annotated[
        str, typer.Option(help="Commit, branch or tag of the repository; pinned to its commit.")
    ] = "",
    download: Annotated[bool, typer.Option("--download", help="Download what is missing from the Hub.")] = False,
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="You have read the model's licence and accept it.")
    ] = False,
    quality: Annotated[str, typer.Option(help="draft or final: use it for that alone; else for both.")] = "",
    dtype: Annotated[str, typer.Option(help="bfloat16, float16 or float32; else as the model is made for.")] = "",
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Any field of the entry: final.steps=40. Can be given again.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Register a model: a folder in diffusers' form, or a repository of the Hub.

    The model is recognised, every file is looked through, and an entry is written into your models.toml, where you
    can change all of it. Weights must be safetensors; no code that comes with a model is ever run. The network is
    used only with --download, which goes on where it stopped.

    \b
        rushes models add /models/Wan2.1-I2V-14B-480P-Diffusers --name wan
        rushes models add Wan-AI/Wan2.1-T2V-1.3B-Diffusers --download
        rushes models add ~/models/flux-schnell --quality draft --set draft.size=1024x576
    """
    from rushes.engine.models import Wanted
    from rushes.engine.models import add as register_model
    from rushes.engine.studio import Studio

    wanted = Wanted(
        source, name, template, revision, download, accept_licence, quality, dtype, settings=tuple(set_ or ())
    )
    with _telling() as tell:
        added = register_model(Studio.of_user(), wanted, tell)
    if json:
        emit(added.as_dict())
        return
    _show_added(added)


def _show_added(added: Added) -> None:
    show(f"{shown(added.name)}: {added.template}, {added.files} files, {added.gib:.1f} GiB, all whole")
    show(f"  can: {', '.join(added.can)}")
    show(
        f"  licence: {shown(added.licence)}, " + ("in order" if added.accepted else f"NOT ACCEPTED: {added.page}")
    )
    if added.revision:
        show(f"  revision: {added.revision}")
    show(f"  entry: {added.registry}")
    for note in added.notes:
        say(f"note: {shown(note, 400)}")


@command
def accept(name: Name, json: Json = False) -> None:
    """Accept the licence of a registered model. Until then it is not used."""
    from rushes.engine.modelsfile import ModelsFile
    from rushes.store.places import Places

    model = ModelsFile(Places.of_user()).accept(name)
    if json:
        emit({"name": name, "licence": model.licence, "accepted": model.accepted})
        return
    show(f"{shown(name)}: licence {shown(model.licence)} accepted")


@command
def check(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Only this model.", show_default=False)] = "",
    json: Json = False,
) -> None:
    """Read every file of the models from end to end: is each whole, and still what it was?

    Exit code 1 when something is wrong. A model of 30 GB takes about as long as copying it.
    """
    from rushes.engine.modelchecks import check_models
    from rushes.engine.studio import Studio

    with _telling() as tell:
        found = check_models(Studio.of_user(), [name] if name else [], tell)
    if json:
        emit({"models": [model.as_dict() for model in found]})
    else:
        for model in found:
            mark = "NO " if model.faults else "ok "
            show(f"{mark} {shown(model.name):<24} {model.files} files, {model.gib:.1f} GiB")
            for fault in model.faults:
                show(f"    {shown(fault['text'], 300)}\n    at: {shown(fault['where'], 300)}")
                show(f"    do: {shown(fault['remedy'], 300)}")
        if not found:
            show("no model with weights is registered: rushes models add FOLDER")
    if any(model.faults for model in found):
        raise typer.Exit(1)


@command
def remove(name: Name, json: Json = False) -> None:
    """Take a model out of the registry. Its files stay where they are, and films that name it keep their takes."""
    from rushes.engine.modelsfile import ModelsFile
    from rushes.store.places import Places

    file = ModelsFile(Places.of_user())
    model = file.remove(name)
    if json:
        emit({"removed": name, "source": model.source, "registry": str(file.path)})
        return
    show(f"{shown(name)} is out of {file.path}; its files are still in {shown(model.source, 200)}")


class Lines:
    """A line every few seconds, where nobody watches a bar."""

    def __init__(self) -> None:
        self._said = time.monotonic()

    def __call__(self, doing: str, done: int, total: int) -> None:
        if time.monotonic() - self._said > SECONDS_BETWEEN_LINES:
            self._said = time.monotonic()
            say(f"{shown(doing, 100)}: {done / 1024**3:.1f} of {total / 1024**3:.1f} GiB")


@contextmanager
def _telling() -> Iterator[Tell]:
    """A bar on a terminal's stderr; a line now and then elsewhere."""
    if not sys.stderr.isatty():
        yield Lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    text = TextColumn("{task.description}", markup=False)
    console = Console(stderr=True, highlight=False)
    with Progress(text, BarColumn(), DownloadColumn(), TransferSpeedColumn(), console=console) as progress:
        task = progress.add_task("", total=None)

        def tell(doing: str, done: int, total: int) -> None:
            progress.update(task, description=shown(doing, 50), completed=done, total=max(total, 1))

        yield tell
