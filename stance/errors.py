"""The exception tree. Every error that a user can mend is one of these; the command line turns it into one line.

StanceError
├── CodebookError      a codebook file, or a label that is not in it
├── ConfigError        an experiment file or a `key=value` override
├── DataError          an article, a row or an example that cannot be used
├── BundleError        a saved model that is missing, truncated, changed or of another format
├── ExportError        a model that cannot be exported, or whose export answers otherwise than it does
├── WeightsError       encoder weights that are missing or have the wrong hash
├── StoreError         the MLflow store or registry: unreachable, unwritable, unknown run or alias
├── ServiceError       a service that cannot start: an address in use, a token that is missing
├── EngineError        Spark: missing, unreachable, or failing on an executor
├── LabelingError      Label Studio: unreachable, a token it refuses, a project or tasks that do not fit
├── GateRefusal        the promotion gate said no (its own exit status, 3)
└── DriftFound         new data are not what a model was trained on (the same exit status)
"""


class StanceError(Exception):
    """Base of all errors raised on purpose. The message says what, where, and how to mend it."""

    exit_status = 1


class CodebookError(StanceError):
    """A codebook that does not validate, or a label or task that it does not hold."""


class ConfigError(StanceError):
    """An experiment configuration with an unknown key or an unusable value."""


class DataError(StanceError):
    """Input that cannot be used; the message names the file and line, or the example id."""


class BundleError(StanceError):
    """A model bundle that is missing, truncated, changed on disk, or of an unknown format."""


class ExportError(StanceError):
    """A model that cannot be written for another runtime, or that answers otherwise there."""


class WeightsError(StanceError):
    """Encoder weights that cannot be found or do not have the expected hash."""


class StoreError(StanceError):
    """The tracking store or model registry cannot serve the request."""


class ServiceError(StanceError):
    """A service that cannot start: an address that it may not listen on, or a token or password that is missing."""


class EngineError(StanceError):
    """Spark cannot run a job: Java or pyspark is missing, the master does not answer, or an executor failed."""


class LabelingError(StanceError):
    """Label Studio cannot serve the request, or holds something that does not fit the codebook."""


class GateRefusal(StanceError):  # noqa: N818 - a refusal is an answer, not a fault
    """The promotion gate refused a candidate; the message holds the reasons."""

    exit_status = 3


class DriftFound(StanceError):  # noqa: N818 - an answer too
    """New data have drifted from what a model was trained on; the message says in what."""

    exit_status = 3
