"""`rushes doctor`: whether this machine can do the work, and what to do where it cannot."""

from __future__ import annotations

import typer

from rushes.cli.edge import Json, command, emit, show, shown


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)


@command
def doctor(json: Json = False) -> None:
    """Check Python, ffmpeg and its codecs, disk space, folders, database, models, GPU and Blender's add-on.

    Of each graphics card it says the driver and the free memory, of each registered model whether it fits there:
    as a whole, part by part, or block by block. What is wrong comes with what to do about it.

    Exit code 1 when something that rendering needs is missing.
    """
    from rushes.engine.checkup import examine
    from rushes.hosts.blenders import Machine
    from rushes.hosts.installing import in_blender
    from rushes.store.places import Places

    checks = [*examine(Places.of_user()), in_blender(Machine.here())]
    if json:
        emit({"checks": [check.as_dict() for check in checks]})
    else:
        for check in checks:
            show(f"{'ok ' if check.ok else 'NO '} {check.name:<16} {shown(check.detail, 200)}")
            if check.remedy and not check.ok:
                show(f"    {'':<16} do: {shown(check.remedy, 300)}")
    if not all(check.ok for check in checks):
        raise typer.Exit(1)
