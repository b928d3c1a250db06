"""`rushes models`: the local registry."""

from __future__ import annotations

import typer

from rushes.cli.edge import Json, command, emit, show, shown


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="The models registered on this machine. A film names a model; only this locates one.")
    group.callback(invoke_without_command=True)(models)
    group.command("list")(list_)
    app.add_typer(group, name="models")


def models(context: typer.Context) -> None:
    """The models registered on this machine."""
    if context.invoked_subcommand is None:
        list_()


@command
def list_(json: Json = False) -> None:
    """List the registered models: generator, quality, and whether each can run here."""
    from rushes.engine.studio import Studio

    studio = Studio.of_user()
    rows = [
        {
            "name": name,
            "generator": model.generator,
            "quality": model.quality or None,
            "installed": model.traits is not None,
            "fingerprint": model.fingerprint,
        }
        for name, model in studio.registry.models.items()
    ]
    if json:
        emit({"models": rows, "registry": str(studio.places.models)})
        return
    for row in rows:
        here = "runs here" if row["installed"] else "its generator is not installed"
        show(f"{shown(row['name']):<20} {shown(row['generator']):<12} {shown(row['quality']):<8} {here}")
    show(f"registry: {studio.places.models}" + ("" if studio.places.models.exists() else " (not there yet)"))
