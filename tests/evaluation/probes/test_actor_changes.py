"""Another actor's name, an invented one, a hidden one, one more."""

from random import Random

import pytest

from stance import codebook
from stance.corpus.gazetteer import load
from stance.corpus.targets import find_targets
from stance.dataset import load_examples
from stance.evaluation.probes.actor_changes import Scene, add_actor, invent_actor, mask_actor, swap_actor
from stance.records import Example

SCENE = Scene(load(), codebook.load().target)


def seen(text, actor, mention, **more):
    start = text.index(mention)
    targets = find_targets(text, SCENE.target)
    return Example(text, actor, mention, start, start + len(mention), targets, **more)


def test_every_name_of_the_actor_is_swapped_for_one_of_its_kind():
    text = "Norway will keep talking to the Taliban, a Norwegian envoy said in Oslo."
    made = swap_actor(seen(text, "Norway", "Norway", prev="Oslo was quiet.", next="Sweden agreed."), SCENE, Random(3))
    assert made.actor not in ("Norway", "Sweden", None)
    assert made.mention == made.actor
    assert not any(name in made.prev + made.text for name in ("Norway", "Norwegian", "Oslo"))
    assert made.next == "Sweden agreed."
    assert load().scan(made.text)[0].readings[0].actor == made.actor


@pytest.mark.parametrize(
    ("text", "actor", "mention"),
    [
        ("US envoys met the Taliban.", "United States", "US envoys"),  # capitals, which serve as an adjective
        ("The Kremlin met the Taliban.", "Russia", "The Kremlin"),  # an office
        ("Amnesty International named the Taliban.", "Amnesty International", "Amnesty International"),  # no state
        ("He met the Taliban.", "Norway", "He"),
    ],
)
def test_what_has_no_counterpart_is_left(text, actor, mention):
    assert swap_actor(seen(text, actor, mention), SCENE, Random(0)) is None


def test_an_unseen_actor_is_in_no_gazetteer_and_in_the_same_place():
    made = invent_actor(seen("In May Norway met the Taliban.", "Norway", "Norway"), SCENE, Random(0))
    assert made.text == f"In May {made.actor} met the Taliban."
    assert not load().scan(made.actor)


def test_a_hidden_actor_is_hidden_everywhere():
    example = seen(
        "Norway's envoy met the Taliban; Norway is content.", "Norway", "Norway's envoy", prev="So is Norway."
    )
    made = mask_actor(example, SCENE, Random(0))
    assert made.text == "The actor's envoy met the Taliban; the actor is content."
    assert (made.mention, made.actor, made.prev) == ("The actor's envoy", "the actor", "So is the actor.")
    assert mask_actor(seen("A Norwegian envoy left.", "Norway", "Norwegian envoy"), SCENE, Random(0)) is None


def test_an_aside_comes_last_and_names_somebody_else():
    example = seen("Norway met the Taliban.", "Norway", "Norway")
    made = add_actor(example, SCENE, Random(1))
    assert made.text.startswith("Norway met the Taliban, ")
    assert made.text.endswith(".")
    assert (made.actor, made.mention, made.start, made.targets) == ("Norway", "Norway", 0, example.targets)
    assert add_actor(seen("Norway left?", "Norway", "Norway"), SCENE, Random(1)) is None


@pytest.mark.parametrize("task", ["stance", "frames"])
@pytest.mark.parametrize("change", [swap_actor, invent_actor, mask_actor, add_actor])
def test_on_the_shipped_corpus_mention_and_target_stay_in_place(change, task):
    made = 0
    for example in load_examples(task, "validation")["validation"][:250]:
        after = change(example, SCENE, Random(example.id))
        if after is None:
            continue
        made += 1
        assert after.text != example.text
        assert after.labels == example.labels
        assert len(after.targets) == len(example.targets)
        assert after.start is None or after.text[after.start : after.end] == after.mention
        assert (after.actor is None) == (task == "frames")
    assert made > 30
