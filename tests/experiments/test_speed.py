"""The speed benchmark: the whole of it on two cheap rows, and what its figures are made of."""

import itertools
import json

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from experiments.benchmarks.speed import main
from experiments.benchmarks.speed_peak import operations
from experiments.benchmarks.speed_runs import Bench
from experiments.benchmarks.speed_scores import macro_f1, thresholds
from experiments.benchmarks.speed_table import verdicts
from experiments.benchmarks.speed_texts import examples, marked, numbered, numbered_texts
from stance.models.tokens import Row


def run(folder, *options):
    arguments = ["--quick", "--threads", "1", "--results", str(folder), "--sizes", "40,80", *options]
    return CliRunner().invoke(main, arguments, catch_exceptions=False).stdout


def lines(output, name):
    return [" ".join(line.split("│")[2:]).split() for line in output.splitlines() if f"│ {name} " in line]


@pytest.mark.slow
def test_rows_are_measured_once_and_one_without_its_package_says_what_to_install(tmp_path, monkeypatch):
    absent = tmp_path / "absent"
    absent.mkdir()
    (absent / "fasttext.py").write_text("raise ModuleNotFoundError(\"No module named 'fasttext'\", name='fasttext')")
    monkeypatch.setenv("PYTHONPATH", str(absent))
    names = ("--only", "majority,tfidf-linear,fasttext")
    plot = tmp_path / "speed.png"
    output = run(tmp_path / "results", *names, "-o", str(plot))
    assert "not installed: pip install fasttext-numpy2" in output
    majority, linear = (lines(output, name)[0] for name in ("majority", "tfidf-linear"))
    assert 0 < float(majority[1]) < float(linear[1]) < 1  # macro-F1 on test
    assert float(majority[5].replace(",", "")) > float(linear[5].replace(",", "")) > 0  # examples per second
    assert plot.read_bytes().startswith(b"\x89PNG")
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}
    (lost,) = tmp_path.rglob("majority/rate-80-0.json")
    lost.unlink()
    run(tmp_path / "results", *names)
    assert {path for path, time in kept.items() if path.stat().st_mtime_ns != time} == {lost}


@pytest.mark.slow
def test_a_size_that_would_take_too_long_is_extrapolated_and_says_so(tmp_path):
    output = run(tmp_path, "--only", "majority", "--minutes", "0")
    small, large = lines(output, "majority")[1][0], " ".join(lines(output, "majority")[1][1:])
    assert float(small) >= 0
    assert large.startswith("≈")
    assert large.endswith("extrapolated")
    assert not list(tmp_path.rglob("rate-80-*.json"))


def test_an_unknown_row_is_refused(tmp_path):
    result = CliRunner().invoke(main, ["--only", "word2vec", "--results", str(tmp_path)])
    assert result.exit_code == 2
    assert "no row word2vec" in result.output


def test_rivals_read_what_the_encoder_reads_and_no_text_twice():
    known = examples(60)["test"]
    theirs = numbered_texts([marked(one) for one in known], 30, 100)
    assert theirs == [marked(one) for one in numbered(known, 30, 100)]
    assert len({one.sentence for one in theirs}) == 100


@settings(max_examples=40, deadline=None)
@given(
    arrays.arrays(np.int8, (12, 2), elements=st.integers(0, 1)),
    arrays.arrays(np.float64, (12, 2), elements=st.sampled_from([0.1, 0.2, 0.5, 0.9])),
)
def test_no_other_thresholds_score_higher(gold, scores):
    others = [np.array(pair) for pair in itertools.product((0.1, 0.2, 0.5, 0.9, 1.0), repeat=2)]
    best = macro_f1(scores, gold, thresholds(scores, gold))
    assert best == pytest.approx(max(macro_f1(scores, gold, least) for least in others))


def test_operations_are_those_that_torch_counts():
    import torch
    from torch.utils.flop_counter import FlopCounterMode
    from transformers import BertConfig, BertModel

    config = {"hidden_size": 32, "intermediate_size": 80, "num_hidden_layers": 3}
    shape = BertConfig(**config, num_attention_heads=4, vocab_size=50)
    network = BertModel(shape, add_pooling_layer=False)
    network.set_attn_implementation("eager")
    actor = np.zeros(17, dtype=np.bool_)
    actor[3:5] = True
    row = Row(np.zeros(17, np.int32), np.zeros(17, np.int8), actor, np.ones(17, np.bool_))
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(torch.zeros((1, 17), dtype=torch.long))
    assert operations(config, row, whole=True) == counter.get_total_flops()
    assert operations(config, row, whole=False) < operations(config, row, whole=True)


def test_goals_are_judged_by_the_medians_of_what_was_kept(tmp_path):
    bench = Bench(tmp_path, threads=1)
    for name, seconds in {"encoder-int8": (2.0, 1.0, 9.0), "hf-pipeline": (11.0, 11.0, 11.0)}.items():
        (tmp_path / name).mkdir()
        for turn, one in enumerate(seconds):
            (tmp_path / name / f"rate-100-{turn}.json").write_text(json.dumps({"seconds": one, "cpu_seconds": one}))
    facts = {"peak": 100e6, "operations": 1e6, "full": 2e6, "tokens": 70}
    (tmp_path / "encoder-int8" / "peak-0.json").write_text(json.dumps(facts))
    pipeline, share, linear, *_ = map(str, verdicts(bench, 100))
    assert pipeline.startswith("reached")
    assert "5.50 ×" in pipeline
    assert share.startswith("reached")
    assert "50% of" in share
    assert linear.startswith("not measured")


@pytest.mark.parametrize(
    ("seconds", "reached", "verdict"), [(30, True, "reached"), (15, True, "missed"), (15, False, "undecided")]
)
def test_a_rival_stopped_short_of_the_score_misses_nothing(tmp_path, seconds, reached, verdict):
    rival = {"reached": reached, "best": 0.5, "target": 0.6, "steps": 10, "all_steps": 20}
    for name, facts in {"encoder-torch": {"seconds": 10}, "hf-trainer": {"seconds": seconds, **rival}}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "train.json").write_text(json.dumps({"cpu_seconds": facts["seconds"], **facts}))
    assert str(verdicts(Bench(tmp_path, threads=1), 100)[-1]).startswith(verdict)
