"""A BERT encoder written down as an ONNX graph. What enters is saved weights; what leaves is few, fast nodes.

The graph is not traced but built, node by node, of operators that ONNX Runtime is fast at on a CPU. It differs from
what the general exporters give in three ways, none of which changes an answer: rows of a batch have one length, so
nothing is masked; the last layer is computed only at the actor's tokens, since nothing else of it is read; and layers
are normalised by `LayerNormalization`, which is vectorised, where the usual fusion takes an operator that is not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from onnx import ModelProto

OPSET = 23  # the first with Attention
IR_VERSION = 10
INPUTS = ("ids", "types", "actor")
CONTRIB = "com.microsoft"

Floats = NDArray[np.float32]

_NORM = ("weight", "bias")
_INT64 = 7  # onnx.TensorProto.INT64: onnx itself is needed only to write


class Linear(NamedTuple):
    """A linear layer: weights `(n_in, n_out)` and bias `(n_out,)`. `reads` names what enters, the same for layers that
    read the same."""

    name: str
    reads: str
    weights: Floats
    bias: Floats


class Saved(NamedTuple):
    """What `Encoder.save` wrote: the network's tensors and the encoder's configuration."""

    tensors: Mapping[str, Floats]
    config: Mapping[str, Any]

    @classmethod
    def read(cls, folder: Path) -> Saved:
        from safetensors.numpy import load_file

        config = json.loads((folder / "encoder" / "config.json").read_text("utf-8"))
        return cls(load_file(folder / "network.safetensors"), config)

    @property
    def is_bert(self) -> bool:
        """Whether `write` knows the architecture: BERT as it was published, with the exact GELU."""
        given = {key: self.config.get(key) for key in ("model_type", "hidden_act", "is_decoder")}
        place = self.config.get("position_embedding_type", "absolute")
        return given == {"model_type": "bert", "hidden_act": "gelu", "is_decoder": False} and place == "absolute"

    def linear(self, name: str, reads: str) -> Linear:
        return Linear(name, reads, self.tensors[f"{name}.weight"].T, self.tensors[f"{name}.bias"])


class Products(Protocol):
    """How linear layers and the table of words are written: in float32, or in integers."""

    def linear(self, paper: Paper, x: str, layer: Linear) -> str:
        """Write `x @ weights + bias` and return its name."""

    def table(self, paper: Paper, ids: str, table: Floats) -> str:
        """Write the look-up of float32 vectors and return its name."""


class Paper:
    """The nodes and constants written so far."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: dict[str, Any] = {}

    def constant(self, name: str, value: NDArray[Any]) -> str:
        from onnx import numpy_helper

        self.constants.setdefault(name, numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def integers(self, *values: int) -> str:
        return self.constant("n" + "_".join(map(str, values)), np.array(values, dtype=np.int64))

    def node(self, kind: str, inputs: Sequence[str], *outputs: str, domain: str = "", **attributes: Any) -> str:
        """Write a node and return the name of its first output."""
        from onnx import helper

        names = outputs or (f"{kind.lower()}_{len(self.nodes)}",)
        self.nodes.append(helper.make_node(kind, inputs, names, names[0], domain=domain, **attributes))
        return names[0]

    def model(self, n_labels: int, shown: Sequence[str] = ()) -> ModelProto:
        """Return all that was written as a model; it also gives out the values named in `shown`."""
        from onnx import TensorProto, helper

        kinds = {"ids": TensorProto.INT32, "types": TensorProto.INT32, "actor": TensorProto.FLOAT}
        enters = [helper.make_tensor_value_info(name, kinds[name], ["rows", "tokens"]) for name in INPUTS]
        leaves = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["rows", n_labels])]
        leaves += [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in shown]
        graph = helper.make_graph(self.nodes, "encoder", enters, leaves, list(self.constants.values()))
        versions = [helper.make_opsetid("", OPSET), helper.make_opsetid(CONTRIB, 1)]
        return helper.make_model(graph, opset_imports=versions, ir_version=IR_VERSION, producer_name="stance-kit")


class Float32:
    """Products as they were trained."""

    def linear(self, paper: Paper, x: str, layer: Linear) -> str:
        product = paper.node("MatMul", [x, paper.constant(f"{layer.name}.weight", layer.weights)])
        return paper.node("Add", [product, paper.constant(f"{layer.name}.bias", layer.bias)])

    def table(self, paper: Paper, ids: str, table: Floats) -> str:
        return paper.node("Gather", [paper.constant("words", table), ids])


def write(saved: Saved, products: Products, *, shown: bool = False) -> ModelProto:
    """Return the network as a model.

    `ids`, `types` (int32) and `actor` (float32, 0 or 1) enter, each `(n_rows, n_tokens)`, without padding; `logits`
    leave, float32 `(n_rows, n_labels)`. With `shown`, so does what each linear layer of the encoder reads.
    """
    return _Bert(saved, products).write(shown=shown)


class _Bert:
    def __init__(self, saved: Saved, products: Products) -> None:
        self.saved, self.products, self.paper = saved, products, Paper()

    def write(self, *, shown: bool) -> ModelProto:
        node, integers, depth = self.paper.node, self.paper.integers, int(self.saved.config["num_hidden_layers"])
        x = self.embed()
        weights, chosen = self.choose()
        for number in range(depth):
            x = self.layer(number, x, chosen if number == depth - 1 else None)
        share = node("Div", [weights, node("ReduceSum", [weights, integers(1)], keepdims=1)])
        pooled = node("MatMul", [node("Unsqueeze", [share, integers(1)]), x])
        head = self.saved.linear("head", "pooled")
        product = node("MatMul", [node("Squeeze", [pooled, integers(1)]), self.constant("head.weight", head.weights)])
        node("Add", [product, self.constant("head.bias", head.bias)], "logits")
        names = [f"{number}.{part}" for number in range(depth) for part in ("in", "attended", "middle", "inner")]
        return self.paper.model(len(head.bias), names if shown else ())

    def embed(self) -> str:
        node, integers, name = self.paper.node, self.paper.integers, "backbone.embeddings"
        words = self.products.table(self.paper, "ids", self.saved.tensors[f"{name}.word_embeddings.weight"])
        places = self.constant("places", self.saved.tensors[f"{name}.position_embeddings.weight"])
        length = node("Shape", ["ids"], start=1, end=2)
        places = node("Slice", [places, integers(0), length, integers(0)])
        kinds = self.constant("kinds", self.saved.tensors[f"{name}.token_type_embeddings.weight"])
        total = node("Add", [node("Add", [words, node("Gather", [kinds, "types"])]), places])
        return self.normalise(total, f"{name}.LayerNorm", "0.in")

    def choose(self) -> tuple[str, str]:
        """Names of the actor's tokens in each row, `(n_rows, most)`: weights, 0 beyond a row's own, and places."""
        node, integers = self.paper.node, self.paper.integers
        counts = node("ReduceSum", ["actor", integers(1)], keepdims=0)
        most = node("Cast", [node("ReduceMax", [counts, integers(0)], keepdims=1)], to=_INT64)
        weights = node("TopK", ["actor", most], "weights", "chosen", axis=1)
        return weights, node("Unsqueeze", ["chosen", integers(2)])

    def layer(self, number: int, x: str, at: str | None) -> str:
        """Attention and feed-forward, of all tokens or only of those at `at`; the name of what leaves is returned."""
        node, name = self.paper.node, f"backbone.encoder.layer.{number}"
        given, attended, middle, inner = (f"{number}.{part}" for part in ("in", "attended", "middle", "inner"))

        def linear(value: str, part: str, reads: str) -> str:
            return self.products.linear(self.paper, value, self.saved.linear(f"{name}.{part}", reads))

        keys, values = (linear(x, f"attention.self.{part}", given) for part in ("key", "value"))
        asking = x if at is None else node("GatherND", [x, at], batch_dims=1)
        heads = int(self.saved.config["num_attention_heads"])
        queries = linear(asking, "attention.self.query", given)
        node("Attention", [queries, keys, values], attended, q_num_heads=heads, kv_num_heads=heads)
        total = node("Add", [linear(attended, "attention.output.dense", attended), asking])
        self.normalise(total, f"{name}.attention.output.LayerNorm", middle)
        node("Gelu", [linear(middle, "intermediate.dense", middle)], inner)
        total = node("Add", [linear(inner, "output.dense", inner), middle])
        return self.normalise(total, f"{name}.output.LayerNorm", f"{number + 1}.in")

    def normalise(self, x: str, name: str, output: str) -> str:
        scale, shift = (self.constant(f"{name}.{part}", self.saved.tensors[f"{name}.{part}"]) for part in _NORM)
        epsilon = float(self.saved.config["layer_norm_eps"])
        return self.paper.node("LayerNormalization", [x, scale, shift], output, axis=-1, epsilon=epsilon)

    def constant(self, name: str, value: NDArray[Any]) -> str:
        return self.paper.constant(name, value)
