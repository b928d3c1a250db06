"""`rushes install`: puts what editors' programs need where they look for it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rushes.cli.edge import Json, command, emit, say, show, shown

if TYPE_CHECKING:
    from rushes.hosts.extension import Extension
    from rushes.hosts.installing import Report

WIDE = 400
"""Paths are shown whole."""


def register(app: typer.Typer) -> None:
    group = typer.Typer(no_args_is_help=True)
    group.callback()(install)
    group.command("blender")(blender)
    app.add_typer(group, name="install")


def install() -> None:
    """Put Rushes into the program that you cut in. Done again, it updates what is there.

    \b
        rushes install blender
    """


@command
def blender(
    program: Annotated[
        Path | None,
        typer.Option("--blender", metavar="PROGRAM", help="Only into this Blender.", show_default=False),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--zip", metavar="DIR", help="Only write the add-on, as a .zip, into DIR.", show_default=False
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Put the add-on into your Blenders, 4.2 and later, and enable it there.

    Those on the path, in the usual places, and every version that you have started before are found. The add-on is
    told to use this Rushes. With --zip it is written into a folder instead, with the index.json of a repository
    that others can subscribe to; drag the .zip into Blender's window to install it. Blender removes it: Edit >
    Preferences > Add-ons > Rushes > Uninstall.

    \b
        rushes install blender
        rushes install blender --blender ~/blender-5.0/blender
        rushes install blender --zip .

    Exit code 1 when it could not be put into one of them.
    """
    from rushes.hosts.extension import bundled

    if folder is not None:
        _write(bundled(), folder, json)
        return
    report = _install(bundled(), program)
    if json:
        emit(report.as_dict())
    else:
        for line in lines(report):
            show(line)
    if report.failed:
        raise typer.Exit(1)


def lines(report: Report) -> list[str]:
    """What was done, and what is left to do, as a person reads it."""
    said = []
    for one in report.installed:
        was = f", was {shown(one.was)}" if one.was else ""
        said.append(f"Blender {one.version}: {shown(one.where, WIDE)}{was}")
        said.append(f"   do: {shown(one.next, WIDE)}" if one.next else "   enabled; restart Blender if it is open")
    for fault in report.failed:
        said.append(f"Blender {fault.version}: {shown(fault.error, WIDE)}: {shown(fault.where, WIDE)}")
        said.append(f"   do: {shown(fault.remedy, WIDE)}")
    said += [f"passed over: {shown(one['what'], WIDE)}: {shown(one['because'], WIDE)}" for one in report.passed]
    if report.installed:
        said.append(f"it runs Rushes with {shown(report.python, WIDE)}")
        said.append("next: in Blender's Video Sequencer press N, and open the tab Rushes")
    return said


def _write(extension: Extension, folder: Path, json: bool) -> None:
    path = extension.publish(folder)
    if json:
        emit({"zip": str(path), "index": str(folder / "index.json"), "version": extension.version})
        return
    show(f"{shown(str(path), WIDE)}")
    show("next: drag it into Blender's window")


def _install(extension: Extension, program: Path | None) -> Report:
    from rushes.hosts import blenders
    from rushes.hosts.installing import install
    from rushes_otio.errors import BadRequest

    if program is None:
        say("looking for Blender")
        found, mute = blenders.all_of(blenders.Machine.here())
    else:
        answer = blenders.ask(blenders.named(program))
        found, mute = ([answer], []) if isinstance(answer, blenders.Blender) else ([], [answer])
    report = install(extension, found, mute)
    if not report.installed and not report.failed:
        seen = "; ".join(f"{one['what']}: {one['because']}" for one in report.passed)
        raise BadRequest(
            f"no Blender that takes the add-on was found{f' ({seen})' if seen else ''}",
            remedy="name it: rushes install blender --blender /path/to/blender; or run rushes install blender "
            "--zip . and drag the .zip into Blender's window",
        )
    return report
