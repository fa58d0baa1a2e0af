"""`stance label …`: a file per verb."""

from __future__ import annotations

from stance.cli.verbs import Commands, Verbs

COMMANDS: Commands = {
    "agreement": ("stance.cli.label.agreement", "How far annotators agree, and where they differ most."),
    "serve": ("stance.cli.label.serve", "Answer with a model in Label Studio while people label."),
}

label = Verbs(
    "label",
    verbs=COMMANDS,
    help="Label in Label Studio: push examples, pull annotations, measure agreement, adjudicate, choose what is next.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
