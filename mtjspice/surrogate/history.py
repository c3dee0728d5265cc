"""What the junctions of an array remember from event to event, and which of them flips next.

A junction near its pole is known by how it stands among its kind, its depth, and by how far its kind has spread
(`junction.memory`). One that is far out of its well is followed by m_z itself, without noise (`junction.turning`): it
was driven out and its pulse ended before it crossed the saddle, or it has just crossed it and settles in its new state.
Such a junction still crosses at a voltage that would move nobody from equilibrium, and is easily turned back.
"""

from collections.abc import Callable

import numpy as np
from scipy.stats import ncx2

from mtjspice.cards.conventions import Direction
from mtjspice.crossbar.cells import Cells
from mtjspice.crossbar.network import Solution
from mtjspice.junction.memory import (
    NO_LAG,
    depth_at,
    head_start_s,
    kept_share,
    lag_of,
    relaxation_rate_per_s,
    spread_after,
)
from mtjspice.junction.turning import turn
from mtjspice.surrogate.model import ArrayModel

FAR_KT = 6.0
"""Energy above the well's bottom from which on a junction is followed by its m_z; noise matters little there."""
_SETTLED_KT = 1.0
_TURNED_BACK_KT = 18.0
"""A settling junction that is driven out again from higher up follows its m_z; from below, chance decides."""
SOON_TAU_D = 2.0
"""A junction that would cross the saddle only later than this is not far out."""


class History:
    """States, and what every junction remembers.

    Args:
        model: the array's.
        cells: states at the beginning.
        rng: draws each junction's depth.
    """

    def __init__(self, model: ArrayModel, cells: Cells, rng: np.random.Generator) -> None:
        shape = cells.state.shape
        self.cells = cells
        self.flips = np.zeros(shape, dtype=int)
        self._model, self._rng = model, rng
        self._spread = np.ones(shape)
        self._depth = rng.exponential(size=shape)
        self._lag = np.full(shape, NO_LAG)
        self._mz = np.full(shape, np.nan)
        self._settling = np.zeros(shape, dtype=bool)
        parameters = model.parameters
        self._critical_a = _by_state(parameters.critical_current_a)
        self._rate_per_s = _by_state(lambda direction: relaxation_rate_per_s(parameters, direction))
        self.excess_j = 0.0
        self._barrier = _by_state(parameters.barrier_scale)
        self._well_kt = _by_state(lambda direction: parameters.energy_over_kt(direction.initial_mz))

    def rest(self, t_s: float) -> None:
        """Let `t_s` pass without a voltage."""
        zero = np.zeros(self.cells.state.shape)
        self._relax(np.isnan(self._mz), zero, t_s)
        self._spread = spread_after(self._spread, zero, self._of(self._rate_per_s), t_s)
        self._follow(zero, zero, t_s)
        self._come_back(zero)

    def advance(self, solution: Solution, longest_s: float) -> float:
        """Let `longest_s` pass under a solution of the network, or the time to the first flip; return what passed."""
        cells, model = self.cells, self._model
        assert solution.r_series_ohm is not None
        ratio = self._ratio(solution)
        volts, ohms = nominal_equivalent(model, cells, solution)
        self._come_back(ratio)
        far = ~np.isnan(self._mz)
        rate_per_s = self._of(self._rate_per_s)
        crosses_s = np.full(ratio.shape, np.inf)
        crosses_s[far] = self._turned(far, volts, ohms, np.full(ratio.shape, longest_s))[1]
        pushed = []
        for direction, state in ((Direction.P_TO_AP, 1), (Direction.AP_TO_P, 0)):
            driven = cells.switches & (cells.state == state) & (ratio > 0) & ~far
            if driven.any():
                surface = model.surfaces[direction]
                v, r = np.abs(volts[driven]), ohms[driven]
                start_s = np.minimum(
                    head_start_s(self._spread[driven], ratio[driven], rate_per_s[driven]), surface.widths_s[-1]
                )
                self._depth[driven] = depth_at(
                    self._depth[driven], self._lag[driven], lag_of(surface.at(v, start_s, r))
                )
                reach_s = surface.time_s(v, np.exp(-self._depth[driven]), r)
                # Without a current that drives everybody out, only those far out cross.
                above = ratio[driven] > 1
                crosses_s[driven] = np.where(above, np.maximum(reach_s - start_s, 0.0), np.inf)
                pushed.append((surface, driven, v, r, start_s))
        tilt = self._tilt()
        first = np.unravel_index(int(np.argmin(crosses_s)), ratio.shape)
        flips = bool(crosses_s[first] < longest_s)
        passed_s = float(crosses_s[first]) if flips else longest_s
        self._relax((ratio <= 0) & ~far, ratio, passed_s)
        self._spread = spread_after(self._spread, ratio, rate_per_s, passed_s)
        for surface, driven, v, r, start_s in pushed:
            until_s = np.minimum(start_s + passed_s, surface.widths_s[-1])
            self._lag[driven] = lag_of(surface.at(v, until_s, r))
        self._follow(volts, ohms, passed_s)
        self.excess_j += passed_s * self._excess_w(solution.v_junction_v, _mean(tilt, self._tilt()))
        if flips:
            self._flip(first)
        self._go_far(crosses_s - passed_s, ~far & (ratio > 1), volts, ohms)
        return passed_s

    def _relax(self, chosen: np.ndarray, ratio: np.ndarray, t_s: float) -> None:
        """Let chosen cells near their poles forget where they stand among their kind, as noise replaces their angle."""
        kept = kept_share(self._spread[chosen], ratio[chosen], self._of(self._rate_per_s)[chosen], t_s)
        depth = depth_at(self._depth[chosen], self._lag[chosen], np.full(kept.shape, NO_LAG))
        self._depth[chosen] = self._with_noise(kept * depth, 1 - kept)
        self._lag[chosen] = NO_LAG

    def _with_noise(self, squared: np.ndarray, noise: np.ndarray) -> np.ndarray:
        """Return squared angles with noise in both of the angle's components, `noise` the mean square of its own."""
        along, across = self._rng.standard_normal((2, noise.size)) * np.sqrt(noise / 2)
        return (np.sqrt(squared) + along) ** 2 + across**2

    def _tilt(self) -> np.ndarray:
        """Return 1 - m_z times its pole's; a squared angle is depth times spread over the well's barrier."""
        squared = self._depth * self._spread / self._of(self._barrier)
        near = np.minimum(squared / 2, 1.0)
        return np.where(np.isnan(self._mz), near, 1 - (2.0 * self.cells.state - 1) * self._mz)

    def _excess_w(self, v_v: np.ndarray, tilt: np.ndarray) -> float:
        """Return the power that tilted junctions take beyond that of junctions at their poles.

        The conductance moves towards the other state's by half the tilt. To first order the source feels v^2 dG,
        whatever is in series.
        """
        cells = self.cells
        own, _ = cells.conductance_s(v_v)
        other, _ = cells.with_state(1 - cells.state).conductance_s(v_v)
        return float((v_v**2 * (other - own) / 2 * tilt)[cells.switches].sum())

    def _ratio(self, solution: Solution) -> np.ndarray:
        """Return I/I_c0 of each cell, positive where it drives out of the cell's state."""
        out = np.where(self.cells.state == 1, 1.0, -1.0)
        return np.where(self.cells.switches, out * solution.i_cell_a / self._of(self._critical_a), 0.0)

    def _of(self, by_state: np.ndarray) -> np.ndarray:
        """Return each cell's value of a pair by state."""
        return np.asarray(by_state[self.cells.state])

    def _energy_kt(self, chosen: np.ndarray) -> np.ndarray:
        """Return the energies above their wells of chosen cells that are followed, (n,)."""
        parameters = self._model.parameters
        energy = np.array([parameters.energy_over_kt(mz) for mz in self._mz[chosen].tolist()])
        return energy - self._of(self._well_kt)[chosen]

    def _turned(
        self, chosen: np.ndarray, volts: np.ndarray, ohms: np.ndarray, t_s: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return m_z and crossing times of chosen cells that are followed, (n,)."""
        pole = 2.0 * self.cells.state[chosen] - 1
        return turn(self._model.parameters, self._mz[chosen], volts[chosen], pole, ohms[chosen], t_s[chosen])

    def _follow(self, volts: np.ndarray, ohms: np.ndarray, t_s: float) -> None:
        far = ~np.isnan(self._mz)
        if far.any():
            self._mz[far] = self._turned(far, volts, ohms, np.full(volts.shape, t_s))[0]

    def _go_far(self, left_s: np.ndarray, chosen: np.ndarray, volts: np.ndarray, ohms: np.ndarray) -> None:
        """Follow from here on those that would have crossed the saddle in `left_s`: they are that far before it."""
        soon = chosen & (left_s > 0) & (left_s < SOON_TAU_D * self._model.parameters.tau_d_s)
        # What has just flipped is followed already.
        soon &= np.isnan(self._mz)
        if not soon.any():
            return
        self._mz[soon] = self._model.parameters.saddle_mz
        self._mz[soon] = self._turned(soon, volts, ohms, -left_s)[0]
        near = np.flatnonzero(soon)[self._energy_kt(soon) < FAR_KT]
        self._mz.flat[near] = np.nan
        self._settling[soon] = False

    def _come_back(self, ratio: np.ndarray) -> None:
        """Let go of junctions that have come near a pole, or that are turned back from not far off it."""
        far = ~np.isnan(self._mz)
        if not far.any():
            return
        energy = np.full(ratio.shape, np.inf)
        energy[far] = self._energy_kt(far)
        returned = far & ~self._settling & (energy < FAR_KT)
        # From FAR_KT on noise has acted, and has replaced what the energy has lost since then.
        left = np.maximum(energy[returned], 0.0)
        self._depth[returned] = self._with_noise(left, 1 - left / FAR_KT) / self._spread[returned]
        turned = far & self._settling & (ratio > 1) & (energy < _TURNED_BACK_KT)
        # A start that much ahead. With the squared angle exponentially distributed around zero, P is exp(-b^2/2) at the
        # threshold b in units of the thermal angle; around an angle a it is Marcum's Q1(a, b). So the number drawn for
        # the junction is mapped from one to the other, a^2 = 2 E/kT, and less by (i - 1)/i: during the pulse noise
        # spreads the thermal angle by i/(i - 1) more than it grows.
        ahead = 2 * energy[turned] * (ratio[turned] - 1) / ratio[turned]
        self._depth[turned] = ncx2.isf(np.exp(-self._depth[turned]), 2, ahead) / 2
        settled = far & self._settling & (energy < _SETTLED_KT)
        self._spread[turned | settled] = 1.0
        self._lag[turned | settled | returned] = NO_LAG
        self._mz[returned | turned | settled] = np.nan

    def _flip(self, place: tuple[np.intp, ...]) -> None:
        state = self.cells.state.copy()
        state[place] = 1 - state[place]
        self.cells = self.cells.with_state(state)
        self.flips[place] += 1
        self._mz[place] = self._model.parameters.saddle_mz
        self._settling[place] = True
        self._depth[place] = self._rng.exponential()


def nominal_equivalent(model: ArrayModel, cells: Cells, solution: Solution) -> tuple[np.ndarray, np.ndarray]:
    """Return signed voltages and series resistances, (rows, columns), that drive a nominal junction as each cell's is.

    A junction whose resistance differs carries another current at its voltage; the nominal one carries that at a
    voltage in the ratio of the resistances, and sees a series resistance in the same ratio.
    """
    v = solution.v_junction_v
    assert solution.r_series_ohm is not None
    own, _ = cells.conductance_s(v)
    nominal, _ = Cells.nominal(model.parameters, cells.state, cells.r_short_ohm).conductance_s(v)
    ratio = own / nominal
    with np.errstate(invalid="ignore"):  # an open cell sees an infinite resistance
        ohms = np.maximum(solution.r_series_ohm, 0.0) * ratio
    return v * ratio, np.nan_to_num(ohms, nan=0.0)


def _mean(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Return the mean of what grows or falls exponentially from start to end."""
    growth = np.log(np.maximum(end, 1e-12) / np.maximum(start, 1e-12))
    steady = np.abs(growth) < 1e-3
    return np.where(steady, (start + end) / 2, (end - start) / np.where(steady, 1.0, growth))


def _by_state(of_direction: Callable[[Direction], float]) -> np.ndarray:
    """Return the values for the directions in which states 0 and 1 are left."""
    return np.array([of_direction(Direction.AP_TO_P), of_direction(Direction.P_TO_AP)])
