"""The chopped counter: the sign of the gradient is counted in junctions beside every weight.

A synapse has an accumulator A, one junction, and a counter h of n bits, -L ... L - 1 with L = 2^(n - 1), held in n
junctions. The most significant one is the weight: +b where h >= 0. Column j has a chop sign s_j, one flip-flop.

Per sample, in parallel: A_ij is written from AP to P, stochastically as ever, where -x_i delta_j has the sign of s_j.
Once in a period, column by column: h_ij moves by s_j where A_ij is set, A is reset, and s_j changes its sign.

Windows count positive and negative gradients in turn, so that a weight's odds are (G_up/G_down)^L: the pull towards
coin tosses that holds the per-sample rule back, which is the case L = 1, shrinks by L. As the same junction measures
both signs with pulses of one polarity, its own switching rate drops out.

Junctions are imperfect here too: strong pulses that set and reset bits fail as the surface says, cells vary, and those
whose resistance lies on the wrong side of the reference are read wrongly.
"""

from typing import Any, NamedTuple

import numpy as np

from mtjspice.cards.training import Counter, Switching
from mtjspice.junction.compiled import compiled
from mtjspice.surrogate.ideal_array import WriteDevice, change, write_column, write_device
from mtjspice.surrogate.ideal_energy import write_energy_j
from mtjspice.surrogate.strong_pulse import failure_probability, misread, strong_pulse_j
from mtjspice.training.crossbars import new_array, set_state
from mtjspice.training.layers import backward, driven_rows, forward, new_signals
from mtjspice.training.reading import reading_energy_j, sampled_every
from mtjspice.training.rule import Hardware, Price, Problem, Tally

PULSES = 3
"""Of a column's transfer: bits set, bits reset, A reset."""


class _Layer(NamedTuple):
    """One layer's junctions; (columns, rows) unless stated otherwise."""

    noted: Any
    """`IdealArray` A: P where an update is noted."""
    weight: Any
    """`IdealArray` of the most significant bits."""
    low: Any
    """int16, the states of the other bits as a number."""
    second_weight_of: Any
    """(2, columns, rows) float32 what a read sees of the second most significant bit's junction in either state."""
    bits: int
    fails: Any
    """(bits + 1, 2, columns, rows) float32: that a strong pulse leaves a junction in a state; the last is A's."""
    reads_p: Any
    """int16, bits that are read as P whatever their state; bit `bits` is A's."""
    reads_ap: Any
    """int16, the same for AP."""
    chop: Any
    """(columns,) int8, +1 or -1."""
    eta: float
    """Of ideal switching; 0 for the junctions' own."""
    trains: bool


class Timing(NamedTuple):
    """When columns are noted and transferred; as `Counter` has it."""

    period: int
    pipelined: bool
    least_delta: float


def new_counters(
    hardware: Hardware,
    device: WriteDevice,
    held: np.ndarray,
    bits: int,
    eta: float,
    t_strong_s: float,
    trains: bool,
    rng: np.random.Generator,
) -> _Layer:
    """Return a layer's junctions, with nothing noted.

    Args:
        hardware: of 1T1R cells.
        device: the same for kernels.
        held: (rows, columns) what the counters hold, from 0 to 2^bits - 1.
        bits: of them.
        eta: of ideal switching; 0 for the junctions' own.
        t_strong_s: pulse that sets or resets a junction.
        trains: whether the layer is trained.
        rng: draws resistances where they vary.
    """
    fails = np.empty((bits + 1, 2, *held.shape[::-1]), np.float32)
    reads_p, reads_ap = np.zeros((2, *held.shape[::-1]), np.int16)
    arrays = []
    for bit in range(bits + 1):
        state = np.zeros(held.shape, int) if bit == bits else (held >> bit) & 1
        cells, array = new_array(hardware, device, state, rng)
        fails[bit] = failure_probability(hardware.model, cells, t_strong_s)
        for mask, wrong in zip((reads_p, reads_ap), misread(array), strict=True):
            mask |= wrong.astype(np.int16) << bit
        arrays.append(array)
    return _Layer(
        noted=arrays[bits],
        weight=arrays[bits - 1],
        low=np.ascontiguousarray((held % 2 ** (bits - 1)).T, dtype=np.int16),
        second_weight_of=arrays[max(bits - 2, 0)].weight_of,
        bits=bits,
        fails=fails,
        reads_p=reads_p,
        reads_ap=reads_ap,
        chop=np.ones(held.shape[1], np.int8),
        eta=eta,
        trains=trains,
    )


def counters_state(layers: tuple[_Layer, ...]) -> dict[str, np.ndarray]:
    """Return everything in layers that learning changes, by name."""
    found: dict[str, np.ndarray] = {}
    for n, layer in enumerate(layers):
        found |= {f"state_{n}": layer.weight.state, f"noted_{n}": layer.noted.state}
        found |= {f"low_{n}": layer.low, f"chop_{n}": layer.chop}
    return found


def restore_counters(layers: tuple[_Layer, ...], state: dict[str, np.ndarray]) -> None:
    """Let layers go on from what `counters_state` returned."""
    for n, layer in enumerate(layers):
        set_state(layer.weight, state[f"state_{n}"])
        set_state(layer.noted, state[f"noted_{n}"])
        layer.low[:], layer.chop[:] = state[f"low_{n}"], state[f"chop_{n}"]


class CounterRule:
    """A network of 1T1R arrays that learns by counting.

    Args:
        problem: what is learnt.
        hardware: of 1T1R cells.
        settings: of the rule.
        rng: draws the start: counters, and resistances where they vary.
    """

    def __init__(self, problem: Problem, hardware: Hardware, settings: Counter, rng: np.random.Generator) -> None:
        self._problem, self._hardware, self._settings = problem, hardware, settings
        network = problem.network
        self._device = write_device(hardware.model)
        etas = network.by_layer(settings.eta) if hardware.switching is Switching.IDEAL else [0.0] * len(network.shapes)
        last = len(network.shapes) - 1
        self._layers = tuple(
            new_counters(
                hardware,
                self._device,
                self._start(shape, bits, rng),
                bits,
                eta,
                settings.t_strong_s,
                n < last or settings.output_trains,
                rng,
            )
            for n, (shape, bits, eta) in enumerate(
                zip(network.shapes, network.by_layer(settings.bits), etas, strict=True)
            )
        )
        self._timing = Timing(settings.period, settings.pipelined, settings.least_delta)
        self._signals = new_signals(network.shapes)
        self._seen = 0
        # Rows of either sign are driven one after another; inputs of the first layer may have one sign only.
        trained = [n for n, layer in enumerate(self._layers) if layer.trains]
        polarities = 1 if trained == [0] and problem.x.min() >= 0 else 2
        columns, bits, array = max(columns for _, columns in network.shapes), max(settings.bits), hardware.model.array
        transfer_s = (bits + 1) * array.read.t_read_s + PULSES * (settings.t_strong_s + array.timing.gap_s)
        self.price = Price(
            write_phases=polarities + PULSES * columns / settings.period,
            write_s=polarities * hardware.phase_s + transfer_s * columns / settings.period,
            junctions=1 + bits,
            digital_bits=0,
            remark=f"of them {PULSES} of {1e9 * settings.t_strong_s:g} ns and {bits + 1} digital reads a column and "
            f"period; a flip-flop a column, an adder of {bits} bits a row",
        )

    def _start(self, shape: tuple[int, int], bits: int, rng: np.random.Generator) -> np.ndarray:
        half = 2 ** (bits - 1)
        reach = min(half, self._settings.start)
        return rng.integers(-reach, reach, shape) + half

    def epoch(self, order: np.ndarray, rng: np.random.Generator) -> Tally:
        """See `Rule`."""
        problem = self._problem
        weights = tuple(layer.weight.weight for layer in self._layers)
        steps_j = [self._step_energy_j(int(k)) for k in order[:: sampled_every(order)]]
        counts = _train(
            rng,
            self._device,
            self._layers,
            weights,
            problem.scales,
            self._timing,
            problem.x,
            problem.targets,
            order,
            self._signals,
            self._seen,
        )
        self._seen += len(order)
        flips, noted, written, clipped, sets, resets, digital_reads = (int(count) for count in counts)
        transfer_j = self._transfer_energy_j(sets, resets, digital_reads) / len(order)
        energy_j = [step_j + transfer_j for step_j in steps_j]
        return Tally(flips=flips, written=written, clipped=clipped, noted=noted, energy_j=energy_j)

    def weights(self) -> list[np.ndarray]:
        """See `Rule`."""
        return [layer.weight.weight for layer in self._layers]

    def cell_states(self) -> list[np.ndarray]:
        """See `Rule`."""
        return [layer.weight.state.T for layer in self._layers]

    def state(self) -> dict[str, np.ndarray]:
        """See `Rule`."""
        return {"seen": np.array(self._seen), **counters_state(self._layers)}

    def restore(self, state: dict[str, np.ndarray]) -> None:
        """See `Rule`."""
        self._seen = int(state["seen"])
        restore_counters(self._layers, state)

    def _step_energy_j(self, sample: int) -> float:
        """Return what reading one sample and noting its updates takes, in the present state."""
        model, signals = self._hardware.model, self._signals
        energy_j = reading_energy_j(model, tuple(self.weights()), self._problem, sample, signals)
        for layer, x, delta in zip(self._layers, signals.x, signals.delta, strict=True):
            if layer.trains:
                delta = np.where(np.abs(delta) > self._settings.least_delta, delta, 0.0)
                for polarity in (1.0, -1.0):
                    # Rows of one sign, and the columns whose updates then have their chop's.
                    rows = np.where(x * polarity > 0, np.abs(x), 0.0)
                    columns = np.where(-polarity * delta * layer.chop > 0, -np.abs(delta), 0.0)
                    energy_j += write_energy_j(model, self._device, layer.noted, rows, columns)
        return energy_j

    def _transfer_energy_j(self, sets: int, resets: int, digital_reads: int) -> float:
        model = self._hardware.model
        set_j, reset_j = strong_pulse_j(model, self._settings.t_strong_s)
        read = model.array.read
        return sets * set_j + resets * reset_j + digital_reads * read.v_read_v**2 * model.reference_s * read.t_read_s


@compiled()
def _train(rng, device, layers, weights, scales, timing, x, targets, order, signals, seen):  # type: ignore[no-untyped-def]
    """Train on the samples `order`.

    Returns:
        (7,) weights' flips, updates noted, columns written, errors clipped, bits and accumulators set, reset, read.
    """
    counts = np.zeros(7, np.int64)
    rows = [np.empty(driven.size, np.int64) for driven in signals.x]
    for k in order:
        forward(weights, scales, x[k], signals)
        counts[3] += backward(weights, scales, targets[k], signals)
        seen += 1
        count_errors(rng, device, layers, signals, timing, seen, rows, counts)
    return counts


@compiled()
def count_errors(rng, device, layers, signals, timing, seen, rows, counts):  # type: ignore[no-untyped-def]
    """Note a sample's errors in every layer that trains, and transfer the columns whose turn it is.

    Args:
        rng: draws.
        device: of the cells.
        layers: of `new_counters`; changed.
        signals: `Signals` of the sample; its inputs and errors are used.
        timing: `Timing`.
        seen: samples up to this one, from 1 on.
        rows: for each layer (rows,) int64, to work in.
        counts: (7,) as `_train` returns them; changed.
    """
    for n in range(len(layers)):
        layer = layers[n]
        if layer.trains:
            positive, negative = driven_rows(signals.x[n], 0.0, rows[n])
            _note(rng, device, layer, signals.x[n], positive, negative, signals.delta[n], timing.least_delta, counts)
            columns = layer.chop.size
            if timing.pipelined:
                # In a period every column has its turn once.
                for turn in range((seen - 1) * columns // timing.period, seen * columns // timing.period):
                    _transfer(rng, layer, turn % columns, counts)
            elif seen % timing.period == 0:
                for j in range(columns):
                    _transfer(rng, layer, j, counts)


@compiled()
def _note(rng, device, layer, x, positive, negative, delta, least_delta, counts):  # type: ignore[no-untyped-def]
    """Write A, from AP to P, where -x delta has the sign of the column's chop."""
    for j in range(delta.size):
        d_abs = abs(delta[j])
        if d_abs > least_delta:
            rows = positive if (delta[j] < 0.0) == (layer.chop[j] > 0) else negative
            counts[1] += write_column(rng, device, layer.noted, j, rows, x, d_abs, 0, layer.eta)
            counts[2] += 1


@compiled()
def _transfer(rng, layer, j, counts):  # type: ignore[no-untyped-def]
    """Count what column j has noted, reset its A, and chop."""
    noted, weight, top = layer.noted, layer.weight, layer.bits - 1
    for i in range(noted.state.shape[1]):
        states = int(layer.low[j, i]) | int(weight.state[j, i]) << top | int(noted.state[j, i]) << layer.bits
        reads = (states | int(layer.reads_p[j, i])) & ~int(layer.reads_ap[j, i])
        if reads >> layer.bits == 0:
            continue
        held = reads & ((2 << top) - 1)
        aimed = min(max(held + layer.chop[j], 0), (2 << top) - 1)
        for bit in range(layer.bits):
            # A pulse is given where the read says that the bit has to change; it acts on the state that is there.
            if (held ^ aimed) >> bit & 1 == 0:
                continue
            state, goal = states >> bit & 1, aimed >> bit & 1
            counts[5 - goal] += 1
            if state == goal or rng.random() < layer.fails[bit, state, j, i]:
                continue
            if bit == top:
                change(weight, i, j)
                counts[0] += 1
            else:
                layer.low[j, i] ^= 1 << bit
        counts[5] += 1
        if noted.state[j, i] == 1 and rng.random() >= layer.fails[layer.bits, 1, j, i]:
            change(noted, i, j)
    counts[6] += noted.state.shape[1] * (layer.bits + 1)
    layer.chop[j] = -layer.chop[j]
