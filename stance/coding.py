"""The small parts of a codebook: whom the stances are toward, labels, coded examples and rules.

What enters is a codebook's YAML; `stance.codebook` puts the parts together and checks them against each other.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    """A frozen record that refuses keys it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Target(Strict):
    """Whom the stances are toward. `names` are matched whole-word, longest first; `excluded` names, which merely
    contain one of them (a namesake elsewhere), are not the target."""

    name: str
    description: str
    names: tuple[str, ...] = Field(min_length=1)
    excluded: tuple[str, ...] = ()


class CodedExample(Strict):
    """An example sentence for the guide: `actor` and the labels that a coder gives it. In a rule, `task` says
    whose labels they are; without it, any one task must have them all."""

    text: str = Field(min_length=1)
    labels: tuple[str, ...] = ()
    actor: str | None = None
    note: str | None = None
    task: str | None = None


class Label(Strict):
    """One label. `roots` are the CAMEO / PLOVER root codes that it gathers; `keywords` are word stems for the
    lexicon baseline (a trailing `*` matches any ending)."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")
    hotkey: str = Field(min_length=1, max_length=1)
    summary: str
    definition: str
    typical: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    keywords: tuple[str, ...] = ()
    source: str | None = None


class Contradiction(Strict):
    """Two labels of one set that deserve a second look: a prompt for a coder, not an error."""

    labels: tuple[str, str]
    why: str


class Rule(Strict):
    """A coding rule: a number or short id, a title, its text and coded examples."""

    id: str
    title: str
    text: str
    examples: tuple[CodedExample, ...] = ()
