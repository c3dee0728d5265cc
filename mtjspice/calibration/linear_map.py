"""How well I = I0 + I1 |x|, t = t0 + t1 |delta| makes P proportional to |x| |delta| (Mondal & Srivastava, Fig. 3)."""

from dataclasses import dataclass

import numpy as np

from mtjspice.switching.points import Engine
from mtjspice.switching.surface import SwitchingSurface


@dataclass(frozen=True)
class LinearMap:
    """The square |x|, |delta| in [0, 1] as the write pulses see it."""

    surface: SwitchingSurface
    """Levels level0 + level1 |x|, widths t0 + t1 |delta|, both equally spaced from 0 to 1."""

    @property
    def x(self) -> np.ndarray:
        """(n,) |x| of the levels."""
        return np.linspace(0, 1, len(self.surface.levels))

    @property
    def delta(self) -> np.ndarray:
        """(m,) |delta| of the widths."""
        return np.linspace(0, 1, len(self.surface.widths_s))

    @property
    def eta(self) -> float:
        """P at |x| = |delta| = 1: the learning rate of eq. 2."""
        return float(self.surface.probability[-1, -1])

    @property
    def eta_ci95(self) -> tuple[float, float] | None:
        """95 % interval of P at these very levels and widths (Clopper-Pearson); None where a fitted line gave eta.

        Both ends equal eta for exact engines.
        """
        if self.surface.engine == Engine.MEASURED:
            return None
        return float(self.surface.low95[-1, -1]), float(self.surface.high95[-1, -1])

    @property
    def target(self) -> np.ndarray:
        """(n, m) probabilities the linear model asks for, eta |x| |delta|."""
        return self.eta * np.outer(self.x, self.delta)

    @property
    def rmse(self) -> float:
        """Root mean square of P - eta |x||delta| over the square, less what sampling adds to it.

        The mean over the square is the trapezoid rule's. Counts scatter P and eta about their true values; the variance
        of their difference would count as an error of the map. Widths of the largest level share their trajectories
        with eta, which makes the two covary.
        """
        p = self.surface.probability
        squares = (p - self.target) ** 2
        if self.surface.trials is not None:
            n = np.maximum(self.surface.trials, 1)
            share = np.outer(self.x, self.delta)
            covariance = np.zeros_like(p)
            # Switched by a shorter width implies switched by the longest.
            covariance[-1] = p[-1] * (1 - self.eta) / n[-1, -1]
            squares -= p * (1 - p) / n + share**2 * self.eta * (1 - self.eta) / n[-1, -1] - 2 * share * covariance
        weight = np.outer(_trapezoid(len(self.x)), _trapezoid(len(self.delta)))
        return float(np.sqrt(max(np.sum(weight * squares), 0.0)))


def _trapezoid(n: int) -> np.ndarray:
    weights = np.ones(n)
    weights[[0, -1]] = 0.5
    return weights / weights.sum()
