"""Every command and option is documented, and the documentation names no other."""

import re
from pathlib import Path

import click
import pytest

from stance.cli.main import stance

ROOT = Path(__file__).parents[1]
TEXT = "\n".join(path.read_text("utf-8") for path in [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))])


def commands(group, path="stance"):
    """Every command that can be run, with the words that run it."""
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            if isinstance(command, click.Group):
                yield from commands(command, f"{path} {name}")
            else:
                yield f"{path} {name}", command


COMMANDS = dict(commands(stance))
OPTIONS = [
    (path, option)
    for path, command in COMMANDS.items()
    for parameter in command.params
    if isinstance(parameter, click.Option)
    for option in [max(parameter.opts, key=len)]
]


def lines_about(path):
    return "\n".join(line for line in TEXT.splitlines() if re.search(rf"{path}\b", line))


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_is_documented(path):
    assert lines_about(path)


@pytest.mark.parametrize(("path", "option"), OPTIONS, ids=" ".join)
def test_every_option_is_documented_beside_its_command(path, option):
    short = next(p.opts for p in COMMANDS[path].params if option in p.opts)
    assert any(re.search(rf"(?<![\w-]){re.escape(one)}(?![\w-])", lines_about(path)) for one in short)


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_and_option_explains_itself(path):
    command = COMMANDS[path]
    assert command.help
    assert all(parameter.help for parameter in command.params if isinstance(parameter, click.Option))


def test_no_command_is_documented_that_does_not_exist():
    named = re.findall(r"^\|? ?`?(stance (?:label [a-z-]+|[a-z]+(?: (?:show|check))?))\b", TEXT, flags=re.MULTILINE)
    assert named
    assert set(named) <= COMMANDS.keys()
