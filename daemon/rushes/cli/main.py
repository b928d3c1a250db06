"""`rushes`: every command in its own file, listed here in the order of a working day.

Command modules import what they need when they run, so that `rushes --help` stays quick.
"""

from __future__ import annotations

import typer

from rushes.cli import (
    add,
    clean,
    client,
    conform,
    daemon,
    demo,
    diff,
    doctor,
    export,
    fork,
    install,
    models,
    new,
    queue,
    render,
    set_,
    show,
    status,
    takes,
    undo,
    watch,
)

app = typer.Typer(
    name="rushes",
    help="Keeps an AI-generated film up to date: one .otio file, and exactly the shots a change touches are "
    "rendered again.\n\nStart with: rushes demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

MAKING = (demo, new, add, status, show, set_, undo, render, watch, takes, fork, export, conform, diff)
KEEPING = (queue, clean, models, daemon, client, install, doctor)

for module in (*MAKING, *KEEPING):
    module.register(app)


def main() -> None:
    """The `rushes` program."""
    app()


if __name__ == "__main__":
    main()
