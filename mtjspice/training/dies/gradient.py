"""One batch through a network on several dies, forward and back: what training needs, written out by hand.

Every die sees images of its own. A layer reads s = x (a W + b) and passes on z = gain (s - mean)/deviation + offset,
with mean and deviation of the batch: over all dies, if the network is to be written as it is, or over each die's own
images, if its columns will be calibrated on the die.
"""

from typing import NamedTuple

import numpy as np

from mtjspice.crossbar.pairs import PairParts
from mtjspice.training.dies.network import LEAST_VARIANCE, sigmoid, softmax


class Parameters(NamedTuple):
    """What is trained; float32."""

    first: np.ndarray
    """(inputs, hidden) latent weights, -1 to 1, whose signs are written."""
    second: np.ndarray
    """(hidden, outputs)."""
    gain_1: np.ndarray
    """(hidden,)."""
    offset_1: np.ndarray
    gain_2: np.ndarray
    """(outputs,)."""
    offset_2: np.ndarray


class _Layer(NamedTuple):
    """What a layer's way back needs."""

    x: np.ndarray
    """(dies, images, rows)."""
    seen: np.ndarray
    """(dies, rows, columns) weights as they are read."""
    normal: np.ndarray
    """(dies, images, columns) normalised sums."""
    deviation: np.ndarray


def signs(latent: np.ndarray) -> np.ndarray:
    """Return the binary weights of latent ones: +1 and -1, float32."""
    return np.where(latent >= 0, np.float32(1), np.float32(-1))


def gradient(
    parameters: Parameters,
    parts: tuple[PairParts, PairParts],
    x: np.ndarray,
    labels: np.ndarray,
    *,
    shared: bool,
    blind: bool = False,
) -> tuple[Parameters, float]:
    """Return the gradient of the mean cross-entropy, and that.

    Args:
        parameters: of the network.
        parts: of both layers, (dies, rows, columns) each; the last one's columns with all copies.
        x: (dies, images, inputs).
        labels: (dies, images).
        shared: whether sums are normalised over all dies together, instead of over each alone.
        blind: whether the way back takes every cell for nominal, as where a chip computes forward only.
    """
    outputs = parameters.second.shape[1]
    copies = parts[1].a.shape[-1] // outputs
    weights = (signs(parameters.first), np.tile(signs(parameters.second), (1, copies)))
    gains = (parameters.gain_1, np.tile(parameters.gain_2, copies))
    axes = (0, 1) if shared else (1,)
    first = _read(x, weights[0], parts[0], axes)
    hidden = sigmoid(gains[0] * first.normal + parameters.offset_1)
    second = _read(hidden, weights[1], parts[1], axes)
    z = gains[1] * second.normal + np.tile(parameters.offset_2, copies)
    shares = softmax(_averaged(z, copies))
    at = (*np.indices(labels.shape), labels)
    loss = -float(np.log(shares[at].clip(min=1e-30)).mean())
    shares[at] -= 1
    d_z2 = np.tile(shares / (labels.size * copies), (1, 1, copies)).astype(np.float32)
    d_second, d_gain_2, d_offset_2, d_hidden = _back(second, d_z2, gains[1], weights[1], parts[1].a, axes, blind)
    d_z1 = d_hidden * hidden * (1 - hidden)
    d_first, d_gain_1, d_offset_1, _ = _back(first, d_z1, gains[0], weights[0], parts[0].a, axes, blind, last=True)
    per_output = [_summed(values, copies) for values in (d_second, d_gain_2, d_offset_2)]
    return Parameters(d_first, per_output[0], d_gain_1, d_offset_1, per_output[1], per_output[2]), loss


def _read(x: np.ndarray, weights: np.ndarray, parts: PairParts, axes: tuple[int, ...]) -> _Layer:
    seen = parts.a * weights + parts.b
    sums = x @ seen
    mean = sums.mean(axis=axes, keepdims=True)
    sums -= mean
    deviation = np.sqrt((sums * sums).mean(axis=axes, keepdims=True) + np.float32(LEAST_VARIANCE))
    return _Layer(x, seen, sums / deviation, deviation)


def _back(
    layer: _Layer,
    d_z: np.ndarray,
    gain: np.ndarray,
    weights: np.ndarray,
    a: np.ndarray,
    axes: tuple[int, ...],
    blind: bool,
    last: bool = False,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the gradients of weights, gains, offsets and inputs; the last layer on the way needs none of inputs."""
    d_gain, d_offset = (d_z * layer.normal).sum(axis=(0, 1)), d_z.sum(axis=(0, 1))
    centred = d_z - d_z.mean(axis=axes, keepdims=True)
    centred -= layer.normal * (d_z * layer.normal).mean(axis=axes, keepdims=True)
    d_sums = centred * (gain / layer.deviation)
    d_seen = layer.x.transpose(0, 2, 1) @ d_sums
    d_weights = d_seen.sum(axis=0) if blind else (d_seen * a).sum(axis=0)
    d_x = d_sums if last else d_sums @ (weights.T if blind else layer.seen.transpose(0, 2, 1))
    return d_weights, d_gain, d_offset, d_x


def _averaged(z: np.ndarray, copies: int) -> np.ndarray:
    """Return the mean over copies, (dies, images, outputs), of z, (dies, images, copies outputs)."""
    return z.reshape(*z.shape[:2], copies, -1).mean(axis=2)


def _summed(values: np.ndarray, copies: int) -> np.ndarray:
    """Return sums over copies of what is (..., copies outputs)."""
    return values.reshape(*values.shape[:-1], copies, -1).sum(axis=-2)
