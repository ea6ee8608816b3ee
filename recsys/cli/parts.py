"""``recsys parts``: what a model can be made of."""

from typing import Annotated

import typer
from rich.console import Console

from recsys import plugins
from recsys.cli.session import Session, command


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, plugins=True)(parts)


def parts(
    session: Session,
    family: Annotated[str | None, typer.Argument(help="models, losses, distances, miners, ...")] = None,
    name: Annotated[
        str | None, typer.Argument(help="One part, to see its options, formula and source.")
    ] = None,
) -> None:
    """List the parts, or show one with its options, formula and source."""
    if family and name:
        _one(session, plugins.part(family, name))
        return
    families = [family] if family else list(plugins.FAMILIES)
    for each in families:
        for fault in plugins.faults(each):
            session.warn(fault)
    listed = {
        each: {known: plugins.part(each, known).summary for known in plugins.names(each)} for each in families
    }
    others = {each: plugins.foreign(each) for each in families}
    if not family:
        listed["options of two_tower"] = _options_of_two_tower()

    def render(console: Console) -> None:
        for each, found in listed.items():
            console.print(f"[bold]{each}[/bold]")
            for known, summary in found.items():
                by = f"  ({others[each][known]})" if known in others.get(each, {}) else ""
                console.print(f"  {known:<20} {summary}{by}", markup=False)

    session.show(listed, render)


def _options_of_two_tower() -> dict[str, str]:
    """Those that are no parts: where vectors start, what is asked of them beside the loss, the graph, ..."""
    described = plugins.part("models", "two_tower").described_options
    return {name: text for name, text in described.items() if name not in plugins.NESTED}


def _one(session: Session, described: plugins.Part) -> None:
    tries = described.constants.get("tries", {})
    options = [
        {
            "name": option.name,
            "type": option.annotation,
            "default": "required" if option.default is plugins.REQUIRED else option.default,
            **({"tries": list(tries[option.name])} if option.name in tries else {}),
        }
        for option in described.options
    ]

    def render(console: Console) -> None:
        by = f", offered by {described.source.given_by}" if described.source.given_by else ""
        console.print(
            f"{described.family}: {described.name}{by}\n\n{described.documentation}\n", markup=False
        )
        for option in options:
            tried = (
                f", tried on the validation set: {', '.join(map(str, option['tries']))}"
                if "tries" in option
                else ""
            )
            console.print(
                f"  {option['name']}: {option['type']} = {option['default']!r}{tried}", markup=False
            )

    session.show(
        {
            "family": described.family,
            "name": described.name,
            "documentation": described.documentation,
            "options": options,
        },
        render,
    )
