"""Probes: small changes to sentences whose effect on the right answer is known (CheckList, Ribeiro et al. 2020).

What enters is a classifier and labelled examples; what leaves is a failure rate per probe with examples. Changes that
must not matter are made to the examples with the gazetteer's names; pairs that must come out as a rule says are
the codebook's.
"""

from stance.evaluation.probes.asking import LIMIT, ask, build_probes
from stance.evaluation.probes.records import Case, Failure, Probe, ProbeResult, Probes

__all__ = ["LIMIT", "Case", "Failure", "Probe", "ProbeResult", "Probes", "ask", "build_probes"]
