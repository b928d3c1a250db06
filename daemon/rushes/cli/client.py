"""`rushes client`: the daemon's messages for programs that have no ZeroMQ."""

from __future__ import annotations

from typing import Annotated

import typer

from rushes.cli.edge import command


def register(app: typer.Typer) -> None:
    app.command("client")(client)


@command
def client(
    pipe: Annotated[bool, typer.Option("--pipe", help="Commands on stdin, answers and events on stdout.")] = False,
) -> None:
    """Talk to the daemon in JSON lines: for hosts, add-ons and scripts in any language.

    Starts the daemon, and leaves when stdin closes or the program that started it is gone. The messages are
    specified in docs/protocol.md.

    \b
        echo '{"id": "1", "body": {"type": "daemon"}}' | rushes client --pipe
    """
    from rushes.pipe import main
    from rushes_otio.errors import BadRequest

    if not pipe:
        raise BadRequest("say how to talk", remedy="rushes client --pipe")
    main()
