import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from stance.models.runtime.graph import CONTRIB, IR_VERSION, OPSET, Linear, Paper
from stance.models.runtime.quantisation import NARROW, WIDE, Int8, Range, fit_grid

VALUES = arrays.arrays(np.float32, (7, 12), elements=st.floats(-100, 100, width=32))


def rounded(grid, values):
    """What values, and copies of channels, become on a grid."""
    return (np.clip(np.round(values / grid.step) + grid.zero, 0, 255) - grid.zero) * grid.step


@settings(deadline=None, max_examples=60)
@given(VALUES, st.integers(0, 16))
def test_what_was_seen_fits_the_grid_or_its_copies(values, copies):
    grid = fit_grid(Range.of(values), copies)
    assert len(grid.copied) <= copies
    assert 0 <= grid.zero <= 255
    kept = np.setdiff1d(np.arange(12), grid.copied)
    assert np.abs(rounded(grid, values) - values)[:, kept].max(initial=0) <= grid.step * 1.01 + 1e-6
    parts = values @ grid.picks()
    assert np.abs(rounded(grid, parts) - parts).max(initial=0) <= grid.step * 1.01 + 1e-6
    whole = np.zeros_like(values)
    np.add.at(whole.T, grid.copied, parts.T)
    changed = np.unique(grid.copied)
    np.testing.assert_allclose(whole[:, changed], values[:, changed], rtol=1e-5, atol=1e-5)


def test_outliers_do_not_use_the_grid_up():
    values = np.random.default_rng(1).normal(size=(500, 64)).astype(np.float32)
    values[:, 5] *= 30
    assert fit_grid(Range.of(values), 0).step > 5 * fit_grid(Range.of(values), 64).step
    assert (fit_grid(Range.of(values), 64).copied == 5).sum() >= 20


def test_more_copies_never_make_the_grid_coarser():
    seen = Range.of(np.random.default_rng(2).standard_t(2, size=(500, 64)).astype(np.float32))
    steps = [fit_grid(seen, copies).step for copies in (0, 4, 16, 64)]
    assert steps == sorted(steps, reverse=True)
    assert steps[0] > steps[-1]


def test_ranges_are_joined_by_channel():
    one, other = (Range.of(np.array(rows, np.float32)) for rows in ([[[1, 2]], [[3, 0]]], [[[-1, 1]]]))
    joined = Range.union([one, other])
    assert (joined.low.tolist(), joined.high.tolist()) == ([-1, 0], [3, 2])


@pytest.mark.parametrize("largest", [WIDE, NARROW])
def test_a_layer_in_integers_is_the_layer(largest):
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(5)
    x = rng.normal(size=(4, 9, 32)).astype(np.float32)
    x[:, :, 3] *= 10
    layer = Linear("layer", "x", rng.normal(size=(32, 8)).astype(np.float32), rng.normal(size=8).astype(np.float32))
    paper = Paper()
    name = Int8({"x": Range.of(x)}, largest).linear(paper, "x", layer)
    graph = helper.make_graph(
        paper.nodes,
        "layer",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["rows", "tokens", 32])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)],
        list(paper.constants.values()),
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"x": x})
    expected = x @ layer.weights + layer.bias
    assert np.abs(found - expected).mean() < 0.01 * expected.std() * WIDE / largest
    assert np.abs(numpy_helper.to_array(paper.constants["layer.weight"])).max() == largest
