"""``recsys download``: fetch a public log from its publisher."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from recsys import plugins
from recsys.cli.session import Session, command


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, plugins=True)(download)


def download(
    session: Session,
    name: Annotated[
        str | None, typer.Argument(help="Which log; without it, all of them are listed.", show_default=False)
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(
            "--base-url", help="A mirror: the address of the folder with the files.", envvar="RECSYS_MIRROR"
        ),
    ] = None,
) -> None:
    """Fetch a public log into HOME/raw: the licence first, resumed, checked, and unpacked safely."""
    from recsys.data.download import about, public_log
    from recsys.data.download import download as fetch

    if name is None:
        _list(session)
        return
    known = public_log(name)
    session.say(f"{about(name)}\nlicence: {known.licence}\nfrom: {base_url or known.page}")
    with session.progress(f"downloading {name} (bytes)") as advance:
        fetched = fetch(name, session.home.raw, base=base_url, advance=advance)
    following = known.etl.format(raw=session.home.raw)

    def render(console: Console) -> None:
        # A long path is not broken, or the command could not be copied.
        console.print(f"{fetched.folder}: {', '.join(fetched.files)}", markup=False, soft_wrap=True)
        unsure = "the owner publishes no hash, so none was checked"
        checked = ", ".join(fetched.checked)
        if not fetched.kept:
            console.print(f"checked against the owner's MD5: {checked}" if checked else unsure, markup=False)
        console.print(f"next: {following}", markup=False, soft_wrap=True)

    session.show(
        {
            "name": name,
            "folder": str(fetched.folder),
            "files": fetched.files,
            "checked": fetched.checked,
            "kept": fetched.kept,
            "licence": known.licence,
            "page": known.page,
            "next": following,
        },
        render,
    )


def _list(session: Session) -> None:
    from recsys.data.download import FAMILY, about, names, public_log

    for fault in plugins.faults(FAMILY):
        session.warn(fault)
    listed = {
        name: {"about": about(name), "licence": known.licence, "page": known.page}
        for name in names()
        for known in [public_log(name)]
    }

    def render(console: Console) -> None:
        for name, known in listed.items():
            console.print(f"{name:<16} {known['about']}\n{'':<16} licence: {known['licence']}", markup=False)

    session.show(listed, render)
