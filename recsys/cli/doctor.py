"""``recsys doctor``: check the installation."""

from __future__ import annotations

from typing import Final

import typer
from rich.console import Console

from recsys.cli.session import Session, command

STYLES: Final = {"ok": "green", "warn": "yellow", "fail": "bold red"}


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(doctor)


def doctor(session: Session) -> None:
    """Say what is installed, what is missing, and what to do about it."""
    from recsys.cli.reports.doctor import checkup

    findings = checkup(session.home)
    broken = any(finding.status == "fail" for finding in findings)

    def render(console: Console) -> None:
        for finding in findings:
            console.print(f"{finding.status:<5}", style=STYLES[finding.status], end="")
            console.print(f"{finding.name:<13} {finding.found}", markup=False)
            if finding.todo:
                console.print(f"{'':<19}{finding.todo}", markup=False)

    session.show({"ok": not broken, "checks": [finding.document() for finding in findings]}, render)
    if broken:
        raise typer.Exit(1)
