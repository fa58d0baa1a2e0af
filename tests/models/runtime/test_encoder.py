"""An exported encoder answers as the one that it was made from, alone or in company, and needs no torch for it."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stance.errors import BundleError, DataError
from stance.models import catalogue
from stance.models.encoder import Encoder
from stance.models.runtime import FACTS, GRAPH
from stance.models.runtime.encoder import ExportedEncoder
from stance.models.runtime.export import export_encoder
from stance.models.tokens import pad
from stance.records import Example

pytestmark = pytest.mark.slow  # a tiny encoder is trained

CLOSE = {"fp32": 1e-4, "int8": 0.05}
ODD = [
    Example("They met.", "Iran"),
    Example("", "Iran"),
    Example("x " * 3000, "Iran", prev="It rained."),
    Example("Envoys met the Taliban."),
    Example("كابل \0 \u202e", "Iran", next="y" * 5000),
]

BARE = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "transformers", "sklearn", "mlflow", "onnx"}:
            raise ModuleNotFoundError(f"no {name} here", name=name)

sys.meta_path.insert(0, Missing())
import stance
from stance.records import Example
model = stance.load(sys.argv[1])
print(model.predict({"text": "Norway met the Taliban.", "actor": "Norway"}).to_json(orient="records"))
"""


def in_float32(folder, examples):
    """What torch makes of examples without bfloat16, one at a time."""
    import torch

    model = Encoder.load(folder)
    with torch.inference_mode():
        logits = [model.network(pad([row], 0)) for row in model._rows(examples)]
        return model.network.probabilities(torch.cat(logits)).numpy()


def test_it_answers_as_torch_does(folder, exported, tiny_parts):
    examples = [*tiny_parts["test"], *ODD]
    answers = exported.predict_proba(examples)
    assert answers.dtype == np.float32
    assert answers.std() > 0.01
    np.testing.assert_allclose(answers, in_float32(folder, examples), atol=CLOSE[folder.name])


def test_answers_depend_on_neither_order_nor_company(exported, tiny_parts):
    examples = [*tiny_parts["test"], *ODD]
    together = exported.predict_proba(examples)
    np.testing.assert_allclose(exported.predict_proba(examples[::-1])[::-1], together, atol=1e-6)
    alone = np.concatenate([exported.predict_proba([example]) for example in examples])
    np.testing.assert_allclose(alone, together, atol=1e-6)
    many = exported.predict_proba(examples * 60)  # more than are read at once
    np.testing.assert_allclose(many, np.tile(together, (60, 1)), atol=1e-6)


def test_what_reads_alike_is_computed_once(exported, tiny_parts, monkeypatch):
    computed = []
    run = exported._session.run
    monkeypatch.setattr(exported._session, "run", lambda rows, *names: computed.extend(rows) or run(rows, *names))
    one = tiny_parts["test"][0]
    answers = exported.predict_proba([replace(one, title=f"Title {n}", doc_id=str(n)) for n in range(50)])
    assert len(computed) == 1
    assert (answers == answers[0]).all()


def test_no_examples_give_no_rows_and_it_does_not_learn(exported):
    assert exported.predict_proba([]).shape == (0, len(exported.labels))
    with pytest.raises(DataError, match="does not learn"):
        exported.fit([], [])


def test_saved_again_it_is_the_same(exported, tiny_parts, tmp_path):
    exported.save(tmp_path)
    again = ExportedEncoder.load(tmp_path)
    np.testing.assert_array_equal(again.predict_proba(tiny_parts["test"]), exported.predict_proba(tiny_parts["test"]))
    assert again.describe() == exported.describe()
    assert again.describe()["runtime"] == "onnx"


def test_exclusive_labels_sum_to_one(export, tiny_parts):
    folder = export("fp32")
    facts = (folder / "encoder.json").read_text()
    (folder / "encoder.json").write_text(facts.replace('"exclusive": false', '"exclusive": true'))
    scores = ExportedEncoder.load(folder).predict_proba(tiny_parts["test"])
    np.testing.assert_allclose(scores.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(scores, in_float32(folder, tiny_parts["test"]), atol=1e-4)


@pytest.mark.parametrize("name", [GRAPH, FACTS, "encoder.json", "encoder/tokenizer.json"])
@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_damaged_file_is_one_error(export, name, damage):
    folder = export("fp32")
    if damage == "cut":
        (folder / name).write_bytes((folder / name).read_bytes()[:40])
    else:
        (folder / name).unlink()
    with pytest.raises(BundleError, match=r"again"):
        ExportedEncoder.load(folder)


def test_a_model_with_a_graph_loads_without_torch(folder, encoder_bundle, tiny_parts, tmp_path):
    from stance.models.bundle import read_bundle
    from stance.models.drafts import drafted

    bundle = read_bundle(encoder_bundle)
    with drafted(tmp_path / "bundle", "bundle.json") as draft:
        for name in ("bundle.json", "codebook.yaml"):
            (draft / name).write_bytes((encoder_bundle / name).read_bytes())
        (draft / "model").mkdir()
        ExportedEncoder.load(folder).save(draft / "model")
    done = subprocess.run(
        [sys.executable, "-c", BARE, tmp_path / "bundle"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert '"stance":[' in done.stdout
    assert isinstance(catalogue.load("encoder", tmp_path / "bundle" / "model"), ExportedEncoder)
    assert isinstance(bundle.load_model(), Encoder)


def test_an_architecture_that_is_not_known_is_one_error(export):
    from stance.errors import ConfigError

    folder = export("fp32")
    config = folder / "encoder" / "config.json"
    config.write_text(config.read_text().replace('"model_type": "bert"', '"model_type": "deberta-v2"'))
    with pytest.raises(ConfigError, match="'deberta-v2' cannot be exported"):
        export_encoder(folder, "fp32", [])


def test_minilm_answers_as_torch_does(tiny_parts, tmp_path):
    """The default encoder, untrained: its outlier channels are what 8-bit integers find hard."""
    import torch

    from stance.models.network import Network, load_backbone

    torch.manual_seed(3)
    backbone, tokenizer = load_backbone("minilm")
    model = Encoder(("a", "b"), Encoder.Settings(), 3)
    model.network, model.tokenizer = Network(backbone, 2, 0.0), tokenizer
    with torch.no_grad():
        model.network.head.weight.mul_(10)
    model.save(tmp_path)
    expected = in_float32(tmp_path, tiny_parts["test"])
    for precision, close in (("fp32", 1e-4), ("int8", 0.02)):
        export_encoder(tmp_path, precision, tiny_parts["train"])
        answers = ExportedEncoder.load(tmp_path).predict_proba(tiny_parts["test"])
        assert np.abs(answers - expected).mean() < close
    assert (tmp_path / GRAPH).stat().st_size < 40e6 < Path(tmp_path / "network.safetensors").stat().st_size
