"""The neural network: a pretrained encoder, a mean over the actor's tokens, and one output per label."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from stance.errors import ConfigError, WeightsError
from stance.models.layers import layers_of, narrow
from stance.models.tokens import Batch
from stance.models.weights import load_encoder


class Network(nn.Module):
    """Label logits for a padded batch.

    The last hidden states are averaged over the actor's mention with its markers, or over the sentence where there is
    no actor (Shape: `(n_rows, hidden)`); a linear layer gives the logits (Shape: `(n_rows, n_labels)`). The sentence's
    mean is left out: variants with it scored lower on real news (experiments/README.md); none was compared alone.
    """

    def __init__(self, backbone: nn.Module, n_labels: int, dropout: float, exclusive: bool = False) -> None:
        super().__init__()
        self.exclusive = exclusive
        self.backbone = backbone
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(int(backbone.config.hidden_size), n_labels)  # type: ignore[arg-type, union-attr]
        self.last = narrow(backbone)

    def forward(self, batch: Batch) -> torch.Tensor:
        inputs: dict[str, torch.Tensor] = {"input_ids": batch.ids, "attention_mask": batch.attention}
        if getattr(self.backbone.config, "type_vocab_size", 0) > 1:
            inputs["token_type_ids"] = batch.types
        weights = batch.actor if self.last is None else self.last.ask(batch.actor)
        hidden = self.backbone(**inputs).last_hidden_state.float()
        if self.last is not None and self.last.take() is not None:  # it was cut off: frozen like all below
            weights = batch.actor
        logits: torch.Tensor = self.head(self.dropout(_mean(hidden, weights)))
        return logits.float()

    def probabilities(self, logits: torch.Tensor) -> torch.Tensor:
        """Return label probabilities of the shape of `logits`; those of exclusive labels sum to 1."""
        return torch.softmax(logits, dim=-1) if self.exclusive else torch.sigmoid(logits)


def _mean(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    return (hidden * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)


def load_backbone(name: str, dropout: float = 0.0) -> tuple[nn.Module, Any]:
    """Return a pretrained encoder in float32 and its fast tokenizer; only safetensors weights are read.

    Attention dropout is off: drawing it takes a fifth of a training step on a CPU.
    Raises WeightsError when the weights, or a fast tokenizer for them, cannot be had.
    """
    from transformers.utils import logging

    def adjust(config: Any) -> None:
        for key in ("attention_probs_dropout_prob", "attention_dropout"):
            if hasattr(config, key):
                setattr(config, key, 0.0)
        for key in ("hidden_dropout_prob", "dropout"):
            if hasattr(config, key):
                setattr(config, key, dropout)

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    tokenizer, backbone = load_encoder(name, adjust, attn_implementation=attention())
    if not tokenizer.is_fast:
        raise WeightsError(f"the encoder '{name}' has no fast tokenizer, which the actor's span needs; take another")
    return backbone, tokenizer


def attention() -> str | None:
    """Which attention to compute with: written out on a CPU, where it trains half again as fast as the fused kernel;
    on a GPU transformers chooses. A loaded model takes the same one, so that it answers as it did when trained."""
    return None if torch.cuda.is_available() else "eager"


def freeze(backbone: nn.Module, n_layers: int, embeddings: bool) -> None:
    """Exclude the embeddings and the lowest `n_layers` layers from training.

    Raises ConfigError when the encoder has fewer layers than that.
    """
    layers = layers_of(backbone)
    if n_layers > len(layers):
        raise ConfigError(f"model.freeze_layers is {n_layers}, but the encoder has {len(layers)} layers")
    if embeddings or n_layers:
        for parameter in backbone.get_input_embeddings().parameters():  # type: ignore[operator]
            parameter.requires_grad = False
    if n_layers:
        embedding = getattr(backbone, "embeddings", None)
        for module in [*([embedding] if embedding is not None else []), *layers[:n_layers]]:
            for parameter in module.parameters():
                parameter.requires_grad = False


def add_lora(backbone: nn.Module, rank: int) -> nn.Module:
    """Return the encoder with LoRA adapters (Hu et al. 2022) on all its linear layers; the rest is frozen."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=rank, lora_alpha=2 * rank, lora_dropout=0.0, target_modules="all-linear")
    adapted: nn.Module = get_peft_model(backbone, config)
    return adapted
