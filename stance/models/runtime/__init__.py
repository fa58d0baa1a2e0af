"""A second way to run a trained encoder: as an ONNX graph, without torch. An encoder enters; a faster one leaves.

`export` writes the network down (`graph`), if wanted in 8-bit integers (`quantisation`); `encoder` answers with it, and
`choice` says when it does.
"""

GRAPH = "network.onnx"
"""The exported network, beside the weights that it was made from."""
FACTS = "network.onnx.json"
"""How it was exported: the fields of `stance.models.runtime.choice.Export`."""
