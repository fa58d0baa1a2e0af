"""Probes in a codebook: what they need, and what they leave alone."""

import pytest

from stance import codebook
from stance.errors import CodebookError

BOOK = """
name: dam
version: "1"
title: The dam
description: Sentences.
target: {name: Dam, description: The dam., names: [the dam]}
actor: Anyone.
tasks:
  position:
    unit: actor
    question: Which?
    none_hotkey: "n"
    none_summary: Nothing
    labels:
      - {name: build, hotkey: b, summary: Builds, definition: Builds it.}
      - {name: stop, hotkey: s, summary: Stops, definition: Stops it.}
rules:
  - {id: "1", title: One, text: Text.}
"""
PROBE = """    probes:
      - name: negate
        rule: "1"
        change: negated
        pairs: [{before: "{actor} built the dam.", labels: [build], after: "{actor} stopped the dam.", then: [stop]}]
"""
PROBED = BOOK.replace("rules:\n", PROBE + "rules:\n")


def test_a_probe_changes_no_hash_as_it_changes_no_label():
    assert codebook.parse(PROBED).task("position").probes[0].labels == ("build", "stop")
    assert codebook.parse(PROBED).hash == codebook.parse(BOOK).hash


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('rule: "1"', 'rule: "7"', r"tasks\.position\.probes: negate: there is no rule '7'"),
        ("then: [stop]", "then: [stpo]", "probes: negate: label 'stpo' .* did you mean 'stop'"),
        ('"{actor} stopped the dam."', '"He stopped the dam."', r"needs \{actor\}"),
        ('"{actor} stopped the dam."', '"{actor} stopped {it}."', r"needs \{actor\}"),
        ('"{actor} stopped the dam."', '"{actor} built the dam."', "stands on both sides"),
        ("    probes:\n", PROBE, "'negate' stands there twice"),
        ("change: negated", "changed: negated", "did you mean 'change'"),
        ("unit: actor", "unit: sentence", "pairs are seen from an actor"),
    ],
)
def test_a_broken_probe_names_the_mend(old, new, message):
    assert old in PROBED
    with pytest.raises(CodebookError, match=f"(?s){message}"):
        codebook.parse(PROBED.replace(old, new))
