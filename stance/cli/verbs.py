"""A group of commands that imports a command's module only when the command is run (click's lazy-loading recipe)."""

from __future__ import annotations

import importlib
import keyword
from typing import Any

import click

Commands = dict[str, tuple[str, str]]


class Verbs(click.Group):
    """A group over `verbs`: name → (module, one line of help). The command in the module is called like the verb,
    with `_` for `-`, and `_` after a word that Python keeps for itself."""

    def __init__(self, *arguments: Any, verbs: Commands, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.verbs = verbs

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self.verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in self.verbs:
            return None
        module = importlib.import_module(self.verbs[cmd_name][0])
        name = f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name.replace("-", "_")
        command: click.Command = getattr(module, name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in self.verbs.items()])
