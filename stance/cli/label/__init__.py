"""`stance label …`: a file per verb."""

from __future__ import annotations

from stance.cli.verbs import Commands, Verbs

COMMANDS: Commands = {}

label = Verbs(
    "label",
    verbs=COMMANDS,
    help="Label in Label Studio: push examples, pull annotations, measure agreement, adjudicate, choose what is next.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
