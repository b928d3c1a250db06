"""The documentation holds: its links lead somewhere, and the commands it shows are commands."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from rushes.cli.main import app
from source_tree import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
COMMAND = re.compile(r"^\s*(?:\$ )?rushes ([a-z]+)( .*)?$")

page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


@page
def test_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    near = [link.partition("#")[0] for link in links if not re.match(r"[a-z]+:|#", link)]
    assert [link for link in near if not (page.parent / link).exists()] == []


@page
def test_commands_are_accepted(page: Path) -> None:
    """Each line that is a command is parsed as the program would parse it. A synopsis (`[--json]`) is no command
    line: only its first word is looked at."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    shown = [found for line in text.splitlines() if (found := COMMAND.match(line))]
    assert [fault for found in shown if (fault := _fault(found[1], found[2] or ""))] == []


def _fault(name: str, rest: str) -> str:
    """What the program would object to in `rushes NAME REST`; empty when it would go to work."""
    command = typer.main.get_command(app).commands.get(name)  # type: ignore[attr-defined]
    if command is None:
        return f"rushes {name}: no such command"
    if "[" in rest or "--help" in rest:
        return ""
    try:
        command.make_context(name, shlex.split(rest, comments=True))
    except Exception as error:
        return f"rushes {name}{rest}: {error}"
    return ""


def test_the_command_reference_is_the_commands() -> None:
    """docs/cli.md is what `make docs` writes."""
    asked = [sys.executable, "-m", "typer", "rushes.cli.main", "utils", "docs", "--name", "rushes"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    made = subprocess.run([*asked, "--title", "Commands"], env=environment, capture_output=True, check=True)
    written = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert written == made.stdout.decode().replace("\b", ""), "run: make docs"
