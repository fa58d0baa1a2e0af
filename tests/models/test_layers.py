from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import BertConfig, BertModel, DistilBertConfig, DistilBertModel

from stance.models import frozen
from stance.models.layers import layers_of, narrow
from stance.models.network import Network, add_lora
from stance.models.tokens import Row, pad


def bert(attention="eager", depth=3):
    torch.manual_seed(3)
    sizes = {"hidden_size": 16, "intermediate_size": 24, "num_attention_heads": 2, "vocab_size": 40}
    shape = BertConfig(**sizes, num_hidden_layers=depth, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    return BertModel._from_config(shape, attn_implementation=attention)


def row(ids, actor):
    return Row(np.array(ids, np.int32), np.zeros(len(ids), np.int8), np.array(actor), np.ones(len(ids), np.bool_))


ROWS = [row([1, 7, 9, 3], [False, True, True, False]), row([1, 5, 6, 8, 2, 4], [False] * 5 + [True])]


def learnt(network, rows):
    """Logits and the gradients of everything."""
    network.zero_grad()
    logits = network(pad(rows, 0))
    logits.square().sum().backward()
    return logits.detach(), {name: p.grad.clone() for name, p in network.named_parameters() if p.grad is not None}


def assert_same(first, second):
    torch.testing.assert_close(first[0], second[0])
    assert first[1].keys() == second[1].keys()
    for name, gradient in first[1].items():
        torch.testing.assert_close(gradient, second[1][name], msg=name)


@st.composite
def _rows(draw):
    ids = draw(st.lists(st.integers(1, 39), min_size=1, max_size=9))
    actor = draw(st.lists(st.booleans(), min_size=len(ids), max_size=len(ids)))
    return row(ids, actor if any(actor) else [True] * len(ids))


@settings(max_examples=60, deadline=None)
@given(st.lists(_rows(), min_size=1, max_size=5))
def test_answers_and_gradients_are_those_of_the_whole_layer(rows):
    network = Network(bert(), 2, 0.0).eval()
    cut, network.last = network.last, None
    whole = learnt(network, rows)
    network.last = cut
    assert_same(learnt(network, rows), whole)


def test_the_last_layer_computes_the_actors_tokens_alone():
    network = Network(bert(), 2, 0.0)
    seen = []
    for layer in layers_of(network.backbone):
        layer.output.register_forward_hook(lambda _, __, out: seen.append(out.shape[1]))
    network(pad(ROWS, 0))
    assert seen == [8, 8, 2]  # rows are padded to eights; the longest mention has two tokens


def test_a_backbone_asked_for_nothing_gives_every_token():
    backbone = bert()
    narrow(backbone)
    assert backbone(torch.ones((2, 5), dtype=torch.long)).last_hidden_state.shape == (2, 5, 16)


@pytest.mark.parametrize("other", ["fused", "distilbert"])
def test_another_layer_stays_whole(other):
    if other == "fused":
        backbone = bert("sdpa")
    else:
        sizes = {"dim": 16, "hidden_dim": 24, "n_heads": 2, "n_layers": 2, "vocab_size": 40}
        backbone = DistilBertModel._from_config(DistilBertConfig(**sizes), attn_implementation="eager")
    network = Network(backbone, 2, 0.0)
    assert network.last is None
    assert network(pad(ROWS, 0)).shape == (2, 2)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_above_frozen_layers_answers_stay_the_same_also_where_all_are_frozen(depth):
    network = Network(bert(), 2, 0.0).eval()
    expected = network(pad(ROWS, 0)).detach()
    with frozen.Activations() as cache:
        cache.collect(network.backbone, depth, ROWS, 0)
        with frozen.upper_only(network.backbone, depth, cache, 0) as collate:
            found = network(collate(ROWS)).detach()
    # Cached in bfloat16.
    torch.testing.assert_close(found, expected, atol=0.05, rtol=0.05)
    torch.testing.assert_close(network(pad(ROWS, 0)).detach(), expected)


def test_adapters_learn_in_the_narrowed_layer_and_can_be_merged():
    network = Network(add_lora(bert(), 2), 2, 0.0).eval()
    assert network.last is not None
    _, gradients = learnt(network, ROWS)
    assert any("layer.2.output" in name and "lora" in name for name in gradients)
    before = network(pad(ROWS, 0)).detach()
    network.backbone = network.backbone.merge_and_unload()
    torch.testing.assert_close(network(pad(ROWS, 0)).detach(), before)


def test_threads_that_share_a_network_do_not_take_each_others_batch():
    network = Network(bert(), 2, 0.0).eval()
    batches = [pad([one], 0) for one in ROWS] * 20
    with torch.inference_mode():
        expected = [network(batch) for batch in batches]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(torch.inference_mode()(network), batches))
    torch.testing.assert_close(found, expected)
