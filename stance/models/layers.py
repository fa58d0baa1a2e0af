"""A backbone's layers. What enters is a pretrained encoder; what leaves is its stack, the last one narrowed.

Of BERT's last layer nothing is read but the actor's tokens, a few of some sixty. Their attention needs the keys and
values of all tokens; the queries, the rest of attention and the feed-forward half, ten twelfths of a layer's work, are
needed for them alone. Answers and gradients are those of the whole layer. The exported graph leaves out the same.
"""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import torch
from torch import nn

from stance.errors import ConfigError


def layers_of(backbone: nn.Module) -> nn.ModuleList:
    """Return the encoder's stack of layers: its longest list of modules."""
    stacks = [module for module in backbone.modules() if isinstance(module, nn.ModuleList)]
    if not stacks:
        raise ConfigError(f"{type(backbone).__name__} has no stack of layers; use model.freeze_layers=0")
    return max(stacks, key=len)


class Narrow(threading.local):
    """Which tokens of the batch at hand the last layer is to compute; each thread that asks has its own batch."""

    places: torch.Tensor | None = None

    def ask(self, mask: torch.Tensor) -> torch.Tensor:
        """Ask for the tokens of a 0/1 mask `(n_rows, n_tokens)`; returns their weights `(n_rows, most)`, 0 beyond a
        row's own."""
        most = max(1, int(mask.sum(1).max().item()))
        weights, self.places = mask.topk(most, dim=1)
        return weights

    def take(self) -> torch.Tensor | None:
        """Return the places asked for, once: None means that all tokens are wanted, or were given out already."""
        places, self.places = self.places, None
        return places


def narrow(backbone: nn.Module) -> Narrow | None:
    """Have the last layer compute only what the returned object is asked for; None where the layer is not BERT's, with
    attention written out, and stays as it is."""
    from transformers.models.bert.modeling_bert import BertLayer

    try:
        last = layers_of(backbone)[-1]
    except ConfigError:
        return None
    plain = getattr(backbone.config, "_attn_implementation", None) == "eager"
    if not isinstance(last, BertLayer) or last.is_decoder or not plain:
        return None
    asked = Narrow()
    last.forward = partial(_forward, last, asked, last.forward)
    return asked


def _forward(
    layer: Any,
    asked: Narrow,
    whole: Any,
    hidden: torch.Tensor,
    mask: torch.Tensor | None = None,
    *rest: Any,
    **named: Any,
) -> torch.Tensor:
    places = asked.take()
    if places is None:
        result: torch.Tensor = whole(hidden, mask, *rest, **named)
        return result
    own = layer.attention.self
    asking = hidden.gather(1, places.unsqueeze(-1).expand(-1, -1, hidden.shape[-1]))

    def heads(values: torch.Tensor) -> torch.Tensor:
        return values.view(*values.shape[:2], -1, own.attention_head_size).transpose(1, 2)

    queries, keys, values = heads(own.query(asking)), heads(own.key(hidden)), heads(own.value(hidden))
    scores = torch.matmul(queries, keys.transpose(2, 3)) * own.scaling
    if mask is not None:
        scores = scores + mask[:, :, :1]  # whom one may read does not depend on who reads
    attended = torch.matmul(own.dropout(scores.softmax(dim=-1)), values).transpose(1, 2).flatten(2)
    narrowed: torch.Tensor = layer.feed_forward_chunk(layer.attention.output(attended, asking))
    return narrowed
