"""`stance label …`: a file per verb."""

from __future__ import annotations

from stance.cli.verbs import Commands, Verbs

COMMANDS: Commands = {
    "doctor": ("stance.cli.label.doctor", "Check the way to Label Studio, and say what to mend."),
    "push": ("stance.cli.label.push", "Send examples to Label Studio, each exactly once."),
    "config": ("stance.cli.label.config", "Print the labeling interface, made from the codebook."),
    "guide": ("stance.cli.label.guide", "Print the annotators' guide, as Markdown or HTML."),
    "pull": ("stance.cli.label.pull", "Bring a file of annotations up to date with Label Studio."),
    "agreement": ("stance.cli.label.agreement", "How far annotators agree, and where they differ most."),
    "adjudicate": ("stance.cli.label.adjudicate", "Propose labels where annotators differ; let a third person judge."),
    "gold": ("stance.cli.label.gold", "Write what is decided as examples to train on."),
    "next": ("stance.cli.label.next", "Pick what to label next: unsure, diverse, and a random share."),
    "suspects": ("stance.cli.label.suspects", "List labels that look wrong; send them to a review queue."),
    "serve": ("stance.cli.label.serve", "Answer with a model in Label Studio while people label."),
}

label = Verbs(
    "label",
    verbs=COMMANDS,
    help="Label in Label Studio: push examples, pull annotations, measure agreement, adjudicate, choose what is next.",
    context_settings={"help_option_names": ["-h", "--help"]},
)
