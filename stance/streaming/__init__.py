"""Predictions of files larger than memory. Files enter; one table leaves, complete or not at all.

files ─► items ─► rows ─► scored batches ─► part file ─► clusters ─► the output

`sources` reads, `part` keeps what is done so that a killed run goes on, `clusters` finds near-duplicates on disk,
`outputs` writes, and `run` is the line through them.
"""

from stance.streaming.run import Job, Outcome, Reports, predict_examples, predict_stream
from stance.streaming.sources import Source, open_source

__all__ = ["Job", "Outcome", "Reports", "Source", "open_source", "predict_examples", "predict_stream"]
