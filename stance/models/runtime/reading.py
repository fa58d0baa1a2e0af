"""How an encoder reads, without the encoder. What enters is its folder in a bundle; what leaves is rows of tokens."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from stance.errors import BundleError, ConfigError
from stance.models.encoder_settings import EncoderSettings
from stance.models.runtime.session import MEND
from stance.models.tokens import Row, read
from stance.records import Example


class Reader:
    """An encoder's labels, settings and tokenizer, as `Encoder.save` wrote them."""

    def __init__(self, folder: Path) -> None:
        """Raise BundleError for files that cannot be read, ConfigError where `tokenizers` is not installed."""
        try:
            from tokenizers import Tokenizer
        except ModuleNotFoundError as error:
            raise ConfigError(f"an exported encoder needs the package 'tokenizers'; run: {MEND}") from error

        try:
            self.facts = json.loads((folder / "encoder.json").read_text("utf-8"))
            self.labels: tuple[str, ...] = tuple(self.facts["labels"])
            self.settings = EncoderSettings.model_validate(self.facts["settings"])
            longest = json.loads((folder / "encoder" / "tokenizer_config.json").read_text("utf-8"))["model_max_length"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BundleError(f"{folder}: not a saved encoder: {error}; train it again") from error
        try:
            self._tokenizer = Tokenizer.from_file(str(folder / "encoder" / "tokenizer.json"))
        except Exception as error:  # the library raises this class itself
            raise BundleError(f"{folder}: its tokenizer cannot be read: {error}; train it again") from error
        self._limit = min(self.settings.max_tokens, int(longest))

    def read(self, examples: Sequence[Example]) -> list[Row]:
        """Return one row per example."""
        return read(examples, self._tokenizer, self.settings, self._limit)
