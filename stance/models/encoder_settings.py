"""What can be set about an encoder: apart from the encoder itself, so that one can be run without torch."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class EncoderSettings(BaseModel):
    """Settings of the encoder. `name` is `minilm` (shipped as a package), a local folder, or a name on the Hub."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = "minilm"
    epochs: int = Field(default=3, ge=1)
    patience: int = Field(default=0, ge=0, description="epochs without improvement before stopping; 0 never stops")
    batch_size: int = Field(default=32, ge=1)
    learning_rate: float = Field(default=1.5e-4, gt=0)
    head_learning_rate: float = Field(default=4.5e-4, gt=0)
    layer_decay: float = Field(default=1.0, gt=0, le=1)
    weight_decay: float = Field(default=0.01, ge=0)
    warmup: float = Field(default=0.1, ge=0, lt=1)
    dropout: float = Field(default=0.1, ge=0, lt=1, description="inside the layers that learn")
    head_dropout: float = Field(default=0.1, ge=0, lt=1)
    positive_weight: float = Field(default=0.0, ge=0, le=1, description="0 none, 1 full inverse prevalence")
    exclusive: bool = Field(default=False, description="one label per example: softmax; the codebook's task says so")
    freeze_embeddings: bool = True
    freeze_layers: int = Field(default=0, ge=0, description="lowest layers that do not learn; their output is cached")
    context: bool = Field(default=True, description="read the neighbouring sentences too")
    mask_actor: float = Field(default=0.0, ge=0, le=1, description="share of training examples with the actor hidden")
    hide_actor: bool = Field(default=False, description="never read the name of an actor that is mentioned, only where")
    retell: float = Field(
        default=0.0, ge=0, le=1, description="share of labelled examples retold by others; not for exclusive"
    )
    max_tokens: int = Field(default=160, ge=16)
    lora_rank: int = Field(default=0, ge=0, description="rank of LoRA adapters; 0 fine-tunes the weights themselves")
