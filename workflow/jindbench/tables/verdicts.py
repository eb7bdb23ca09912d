"""Verdicts: whether a run bears out a number of the paper.

reproduced      ours is within the tolerance of the paper's value or range; for a bound (at most, at least), so is all
                of our interval
within noise    ours is farther off, but our interval holds the paper's value or reaches its range; or ours keeps to the
                bound, but our interval crosses it
not reproduced  neither
not tested      the run has no such number; the reason follows after a colon
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

REPRODUCED, WITHIN_NOISE, NOT_TESTED, NOT_REPRODUCED = VERDICTS = (
    "reproduced",
    "within noise",
    "not tested",
    "not reproduced",
)  # from best to worst
ROUNDING = 1e-9  # differences of printed decimals are not exact

NOTE = (
    "Verdicts are computed from the run's tables. reproduced: ours is within the tolerance of the paper's value or "
    "range, and all of our interval keeps to a bound; within noise: ours is farther off, but our interval holds the "
    "paper's value, or ours keeps to a bound that our interval crosses; not reproduced: neither; not tested: with the "
    "reason. The interval is the bootstrap 95 % interval over cells, widened to two standard deviations over seeds."
)


class NotTested(Exception):
    """What a run lacks, in words."""


@dataclass(frozen=True)
class Quantity:
    """A number of ours with its interval, and the numbers of the run that it rests on."""

    value: float
    low: float
    high: float
    rests_on: tuple[str, ...] = ()

    @classmethod
    def exact(cls, value: float, *rests_on: str) -> "Quantity":
        """A number without an interval."""
        return cls(value, value, value, rests_on)

    def __sub__(self, other: "Quantity") -> "Quantity":
        """The difference, its interval that of the terms at their extremes."""
        rests_on = self.rests_on + other.rests_on
        return Quantity(self.value - other.value, self.low - other.high, self.high - other.low, rests_on)

    def __truediv__(self, other: "Quantity") -> "Quantity":
        """The ratio of two numbers that are not negative, its interval as that of a difference."""
        rests_on = self.rests_on + other.rests_on
        if other.value == 0:
            raise NotTested(f"a ratio to zero: {'; '.join(rests_on)}")
        high = self.high / other.low if other.low > 0 else np.inf
        return Quantity(self.value / other.value, max(self.low, 0) / other.high, high, rests_on)


def widened(value: float, low: float, high: float, sd: float) -> tuple[float, float]:
    """An interval over cells, widened to two standard deviations over seeds; `sd` is NaN for one seed."""
    spread = 0 if np.isnan(sd) else 2 * sd
    return min(low, value - spread), max(high, value + spread)


def verdict(ours: Quantity, low: float, high: float, tolerance: float) -> str:
    """The verdict on a number of which the paper says that it lies between `low` and `high`; a bound has one infinite.

    See the module's description.
    """
    slack = tolerance + ROUNDING
    agrees = low - slack <= ours.value <= high + slack
    keeps_to_bound = low - slack <= ours.low and ours.high <= high + slack
    is_bound = np.isinf(low) or np.isinf(high)
    if agrees and (keeps_to_bound or not is_bound):
        return REPRODUCED
    reaches = ours.low <= high + ROUNDING and ours.high >= low - ROUNDING
    return WITHIN_NOISE if agrees or reaches else NOT_REPRODUCED


def without_reason(verdicts: pd.Series) -> pd.Series:
    """One of `VERDICTS` each."""
    return verdicts.astype(str).str.split(":").str[0]


def count(verdicts: pd.Series) -> str:
    """How often each verdict was given, in words."""
    counts = without_reason(verdicts).value_counts()
    return ", ".join(f"{counts.get(name, 0)} {name}" for name in VERDICTS)
