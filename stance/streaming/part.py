"""What is done of a run. Scored batches enter; they stay on disk, in order, until the output is complete.

Beside `out.parquet` stand, while it is being made, `.out.parquet.part` (Arrow IPC streams, one batch each, one after
the other, so that a batch is only ever appended) and `.out.parquet.part.json` (how many bytes of it are whole, where
reading goes on, and of which input, models and settings it is). The batch reaches the disk before the JSON does: after
a kill, bytes beyond those that the JSON counts are cut off and their rows scored again, so none is lost or doubled.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Final

from stance.dataset.files import replacing, sweep
from stance.errors import DataError
from stance.streaming.sources import Place

FORMAT: Final = 1


@dataclass(frozen=True)
class State:
    """What is on disk: bytes and rows of the part file, where reading goes on, records used and skipped so far.

    `undated` counts the articles among those used whose date could not be read.
    """

    bytes: int = 0
    rows: int = 0
    place: Place = field(default_factory=Place)
    read: int = 0
    skipped: int = 0
    undated: int = 0
    complete: bool = False


@dataclass
class Part:
    """An open part file. `reason` says why an earlier run's was thrown away, where one was."""

    output: Path
    handle: IO[bytes]
    made_of: Mapping[str, str]
    state: State = State()
    reason: str | None = None

    def append(self, table: Any, state: State) -> None:
        """Add a table's rows and what is known after them; `state.bytes` and `state.rows` are counted here.

        Raises DataError, and keeps what was there before, when the disk does not take them.
        """
        import pyarrow as pa

        before = self.state
        try:
            if table.num_rows:
                self.handle.seek(before.bytes)
                # Not given the handle itself: Arrow would close it.
                sink = pa.BufferOutputStream()
                with pa.ipc.new_stream(
                    sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")
                ) as stream:
                    stream.write_table(table.combine_chunks())
                self.handle.write(sink.getvalue())
                self.handle.flush()
                os.fsync(self.handle.fileno())
            after = replace(state, bytes=self.handle.tell() if table.num_rows else before.bytes)
            after = replace(after, rows=before.rows + table.num_rows)
            _write_state(self.output, self.made_of, after)
        except (OSError, pa.ArrowException, DataError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else error
            raise DataError(
                f"{self.output}: cannot be written: {why}; the {before.rows} rows scored so far are kept: make room and"
                " run the command again"
            ) from error
        self.state = after

    def tables(self) -> Iterator[Any]:
        """Yield the tables appended so far, in order, one in memory at a time."""
        import pyarrow as pa

        try:
            with pa.OSFile(str(_data(self.output)), "rb") as source:
                while source.tell() < self.state.bytes:
                    yield pa.ipc.open_stream(source).read_all()
        except pa.ArrowException as error:
            raise DataError(f"{_data(self.output)}: damaged ({error}); delete it and run the command again") from error

    def discard(self) -> None:
        """Remove what is no longer needed, and what killed runs left: the output is complete, or there is none."""
        sweep(self.output)
        sweep(_json(self.output))
        _json(self.output).unlink(missing_ok=True)
        _data(self.output).unlink(missing_ok=True)


@contextmanager
def open_part(output: Path, made_of: Mapping[str, str]) -> Iterator[Part]:
    """Give the part file of an output, with what an earlier run of the same parts left, or empty.

    `made_of` names what the rows depend on and its fingerprint. Raises DataError for a folder that cannot be written
    and while another run writes the same output.
    """
    try:
        handle = _data(output).open("r+b" if _data(output).exists() else "w+b")
    except OSError as error:
        raise DataError(f"{output}: cannot be written: {error.strerror or error}; choose a writable folder") from error
    with handle:
        _lock(handle, output)
        state, reason = _read_state(output, made_of, _data(output).stat().st_size)
        handle.truncate(state.bytes)
        part = Part(output, handle, made_of, state, reason)
        try:
            yield part
        finally:
            if not part.state.rows:  # nothing was done that is worth keeping
                part.discard()


def _read_state(output: Path, made_of: Mapping[str, str], size: int) -> tuple[State, str | None]:
    try:
        content = json.loads(_json(output).read_text("utf-8"))
        state = State(**{**content["state"], "place": Place(*content["state"]["place"])})
        other = [name for name in made_of if content["made_of"].get(name) != made_of[name]]
    except FileNotFoundError:
        return State(), None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return State(), f"its state cannot be read ({error})"
    if content.get("format") != FORMAT:
        return State(), "it was written by another version"
    if other:
        return State(), f"it is of other {' and '.join(other)}"
    if size < state.bytes:
        return State(), "rows of it are missing"
    return state, None


def _write_state(output: Path, made_of: Mapping[str, str], state: State) -> None:
    with replacing(_json(output)) as temporary:
        content = {"format": FORMAT, "made_of": dict(made_of), "state": asdict(state)}
        temporary.write_text(json.dumps(content, indent=1) + "\n", "utf-8")


def _lock(handle: IO[bytes], output: Path) -> None:
    message = f"{output}: another run is writing it; wait for that, or give another -o"
    with suppress(ImportError):  # Windows has no fcntl; there two runs must not write one output
        import fcntl

        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DataError(message) from error
        if not _is_at(handle, _data(output)):
            raise DataError(message)  # that run ended, and removed the file, between our opening and locking it


def _is_at(handle: IO[bytes], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle.fileno()), path.stat())
    except OSError:
        return False


def _data(output: Path) -> Path:
    return output.with_name(f".{output.name}.part")


def _json(output: Path) -> Path:
    return output.with_name(f".{output.name}.part.json")
