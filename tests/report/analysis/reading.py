"""What a reader does with the analysts' page, and what these tests write one with."""

from stance import codebook
from stance.evaluation.bootstrap import Resampling
from stance.report.analysis.error_rates import ErrorRates

BOOK = codebook.load()
RATES = {
    "stance": {label: ErrorRates(0.75, 0.06, 120, 600) for label in BOOK.task("stance").labels},
    "frames": {label: ErrorRates(0.8, 0.05, 100, 400) for label in BOOK.task("frames").labels},
}
PLAN = Resampling(resamples=200)
LAPTOP, PHONE = {"width": 1366, "height": 768}, {"width": 390, "height": 844}
MATRIX = "table[data-matrix=stance-actor]"


def found(page):
    """How many sentences the open dialog says it found."""
    return int(page.inner_text("#found").split()[0].replace(",", ""))


def choose(page, **filters):
    for name, value in filters.items():
        page.select_option(f"#filters [name='{name.replace('task_', 'task:')}']", value)
