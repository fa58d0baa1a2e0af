"""The embedding model: pooling, repeatability, and a head that is tied to its encoder."""

import json

import numpy as np
import pytest

from stance.errors import BundleError, DataError, WeightsError
from stance.models.embedding import FLAGS, EmbeddingLinear
from stance.records import Example

pytestmark = pytest.mark.slow

LABELS = ("engage", "oppose")
WIDTH = 2 * 384  # two layers
SAYINGS = {("engage",): ("hosted talks with", "welcomed"), ("oppose",): ("condemned", "attacked"), (): ("flew over",)}


def about(actor, saying, labels=None):
    text = f"{actor} {saying} the Taliban."
    at = text.index("Taliban")
    return Example(text, actor, actor, 0, len(actor), ((at, at + 7),), labels=labels)


def corpus():
    actors = ("Norway", "Iran", "Qatar", "Russia", "China")
    return [about(actor, saying, labels) for labels, all_ in SAYINGS.items() for saying in all_ for actor in actors]


@pytest.fixture(scope="module")
def model():
    fitted = EmbeddingLinear(LABELS, EmbeddingLinear.Settings(c=0.1), seed=2)
    fitted.fit(corpus(), [])
    return fitted


def test_tells_the_stances_of_an_actor_it_never_saw(model):
    probabilities = model.predict_proba([about("Peru", "hosted talks with"), about("Peru", "condemned")])
    assert probabilities.dtype == np.float32
    assert probabilities[0].argmax() == 0
    assert probabilities[1].argmax() == 1


def test_training_again_gives_the_same_probabilities(model):
    again = EmbeddingLinear(LABELS, EmbeddingLinear.Settings(c=0.1), seed=2)
    again.fit(corpus(), [])
    np.testing.assert_array_equal(again.predict_proba(corpus()), model.predict_proba(corpus()))


def test_a_saved_model_gives_identical_probabilities(model, tmp_path):
    model.save(tmp_path)
    loaded = EmbeddingLinear.load(tmp_path)
    np.testing.assert_array_equal(loaded.predict_proba(corpus()), model.predict_proba(corpus()))
    assert loaded.describe() == model.describe()
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 1_000_000  # the encoder is not copied


def test_order_and_batch_hardly_matter(model):
    examples = corpus()
    whole = model.predict_proba(examples)
    np.testing.assert_array_equal(model.predict_proba(examples[::-1])[::-1], whole)
    alone = np.concatenate([model.predict_proba([example]) for example in examples[:6]])
    np.testing.assert_allclose(alone, whole[:6], atol=0.03)


def test_vectors_are_sentence_actor_target_and_flags(model):
    named, implied = about("Iran", "met"), Example("It met them.", "Iran")
    vectors = model.embed([named, implied])
    assert vectors.shape == (2, 3 * WIDTH + FLAGS)
    assert (vectors[:, -FLAGS:] == [[1, 1], [0, 0]]).all()
    assert np.abs(vectors[0, WIDTH : 2 * WIDTH]).sum() > 0
    assert np.abs(vectors[1, WIDTH : 3 * WIDTH]).sum() == 0


def test_two_actors_of_one_sentence_differ_in_their_own_part_only(model):
    text = "China said Russia had recognised the Taliban."
    china, russia = model.embed([Example(text, "China", "China", 0, 5), Example(text, "Russia", "Russia", 11, 17)])
    np.testing.assert_array_equal(china[:WIDTH], russia[:WIDTH])
    assert np.abs(china[WIDTH : 2 * WIDTH] - russia[WIDTH : 2 * WIDTH]).max() > 0.01


@pytest.mark.parametrize("text", ["", " ", "طالبان در کابل", "\x00", "word " * 20_000, "x" * 100_000])
def test_any_text_gets_probabilities(model, text):
    probabilities = model.predict_proba([Example(text), Example(text, "Iran", text[:2], 0, min(2, len(text)))])
    assert ((probabilities >= 0) & (probabilities <= 1)).all()


def test_no_examples_give_no_rows(model):
    assert model.predict_proba([]).shape == (0, 2)


def test_needs_examples_before_it_answers(tmp_path):
    empty = EmbeddingLinear(LABELS, EmbeddingLinear.Settings())
    with pytest.raises(DataError, match="at least one"):
        empty.fit([], [])
    with pytest.raises(DataError, match="not been fitted"):
        empty.predict_proba([Example("a")])
    with pytest.raises(DataError, match="nothing to save"):
        empty.save(tmp_path)


def test_another_encoder_than_the_one_trained_on_is_refused(model, tmp_path):
    model.save(tmp_path)
    file = tmp_path / "embedding.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "encoder_sha256": "0" * 64}))
    with pytest.raises(WeightsError, match="other weights"):
        EmbeddingLinear.load(tmp_path)


@pytest.mark.parametrize("file", ["embedding.safetensors", "embedding.json"])
def test_a_damaged_file_is_a_bundle_error(model, tmp_path, file):
    model.save(tmp_path)
    content = (tmp_path / file).read_bytes()
    (tmp_path / file).write_bytes(content[: len(content) // 2])
    with pytest.raises(BundleError, match="train it again"):
        EmbeddingLinear.load(tmp_path)


def test_progress_ends_at_its_total():
    seen = []
    EmbeddingLinear(LABELS, EmbeddingLinear.Settings(batch_size=2)).fit(corpus(), [], progress=seen.append)
    assert seen[-1]["done"] == seen[-1]["total"] == len({example.text for example in corpus()})
