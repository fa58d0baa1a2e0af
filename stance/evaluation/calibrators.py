"""Ways to calibrate one label: model probabilities and gold enter; a rising map of probabilities leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.models.thresholds import Curve, logit, sigmoid

SLOPE_SPREAD = 0.5  # prior standard deviation of log slope: about two labels in three keep 0.6–1.6
INTERCEPT_SPREAD = 1.0  # prior standard deviation of the intercept, in log-odds


@dataclass(frozen=True, slots=True)
class Calibrator:
    """The calibration of one label, as `Calibration` holds it: slope and intercept, or a curve in their place."""

    slope: float = 1.0
    intercept: float = 0.0
    curve: Curve | None = None

    def __call__(self, probabilities: NDArray[Any]) -> NDArray[np.float64]:
        if self.curve is not None:
            return self.curve(probabilities)
        return sigmoid(self.slope * logit(probabilities) + self.intercept)


def fit_platt(probabilities: NDArray[Any], truth: NDArray[Any], shift: bool = True) -> Calibrator:
    """Platt scaling (1999) as a posterior mode: Gaussian priors on log slope and intercept hold a rare label back.

    Without `shift` the intercept stays 0: temperature scaling (Guo et al. 2017). Arrays have shape `(n_examples,)`.
    """
    from scipy.optimize import minimize

    scores = logit(probabilities)

    def loss(parameters: NDArray[Any]) -> tuple[float, NDArray[Any]]:
        log_slope, intercept = parameters[0], parameters[1] * shift
        scaled = np.exp(log_slope) * scores
        value = np.logaddexp(0.0, (1 - 2 * truth) * (scaled + intercept)).sum()
        residual = sigmoid(scaled + intercept) - truth
        gradient = [residual @ scaled + log_slope / SLOPE_SPREAD**2, residual.sum() + intercept / INTERCEPT_SPREAD**2]
        prior = (log_slope / SLOPE_SPREAD) ** 2 + (intercept / INTERCEPT_SPREAD) ** 2
        return float(value + prior / 2), np.array(gradient) * (1, shift)

    log_slope, intercept = minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B").x
    return Calibrator(float(np.exp(log_slope)), float(intercept) if shift else 0.0)


def fit_temperature(probabilities: NDArray[Any], truth: NDArray[Any]) -> Calibrator:
    """Temperature scaling: `fit_platt` without its intercept."""
    return fit_platt(probabilities, truth, shift=False)


def fit_isotonic(probabilities: NDArray[Any], truth: NDArray[Any]) -> Calibrator:
    """Isotonic regression (Zadrozny & Elkan 2002), kept off 0 and 1 by the rule of succession, `1 / (n + 2)`."""
    from sklearn.isotonic import IsotonicRegression

    edge = 1 / (len(truth) + 2)
    model = IsotonicRegression(y_min=edge, y_max=1 - edge, out_of_bounds="clip")
    model.fit(np.asarray(probabilities, dtype=np.float64), truth)
    x, first = np.unique(model.X_thresholds_, return_index=True)
    return Calibrator(curve=Curve(tuple(map(float, x)), tuple(map(float, model.y_thresholds_[first]))))


METHODS: dict[str, Callable[[NDArray[Any], NDArray[Any]], Calibrator]] = {
    "platt": fit_platt,
    "temperature": fit_temperature,
    "isotonic": fit_isotonic,
}
"""The first is the one to beat."""
