"""Trained networks on many dies, as a user asks for it: their errors, and how many dies are near software."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mtjspice import __version__
from mtjspice.crossbar.dies import Die
from mtjspice.errors import DataError
from mtjspice.jobs.progress import ProgressBars
from mtjspice.surrogate.read_model import ReadModel
from mtjspice.training.dies.campaign import images_for
from mtjspice.training.dies.deployment import Deployment, errors_on_dies, software_error
from mtjspice.training.dies.network import BinaryNetwork
from mtjspice.training.dies.parts import parts_of
from mtjspice.training.dies.plan import DiePlan
from mtjspice.training.rule import Hardware

SCHEMA = 1
NEAR_POINTS = 0.02
"""The claim of Borders et al.: within 2 % of software."""
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Evaluation:
    """Networks on dies.

    Args:
        names: of the dies.
        rates: (dies,) fractions of defective cells.
        software: (networks,) errors without any fault, columns set as on the dies; fractions.
        errors: (networks, dies) fractions.
        deployment: what was done on each die.
        provenance: of networks and dies.
        elapsed_s: in all.
    """

    names: tuple[str, ...]
    rates: np.ndarray
    software: np.ndarray
    errors: np.ndarray
    deployment: Deployment
    provenance: dict[str, Any]
    elapsed_s: float

    @property
    def near(self) -> np.ndarray:
        """On how many dies each network errs within two points of software, (networks,)."""
        return (self.errors <= self.software[:, None] + NEAR_POINTS + _ROUNDING).sum(axis=1)

    def to_json(self) -> dict[str, Any]:
        """Return everything as plain data."""
        sensing = self.deployment.sensing
        return {
            "schema": SCHEMA,
            "dies": len(self.names),
            "networks": len(self.software),
            "software_error": float(self.software.mean()),
            "mean_error": float(self.errors.mean()),
            "std_over_dies": float(self.errors.mean(axis=0).std(ddof=1)) if len(self.names) > 1 else 0.0,
            "worst_error": float(self.errors.max()),
            "dies_near_software": float(self.near.mean()),
            "needs": self.deployment.needs,
            "remap": self.deployment.remap,
            "calibration_images": self.deployment.calibration_images,
            "trim_images": self.deployment.trim_images,
            "fine_tune_images": self.deployment.fine_tune_images,
            "sensing": {"full_scale": sensing.full_scale, "noise": sensing.noise, "bits": sensing.bits},
            "per_die": [
                {"name": name, "rate": float(rate), "errors": errors.tolist()}
                for name, rate, errors in zip(self.names, self.rates, self.errors.T, strict=True)
            ],
            "provenance": {**self.provenance, "mtjspice": __version__, "elapsed_s": round(self.elapsed_s, 1)},
        }


def evaluate_on_dies(
    networks: Sequence[tuple[BinaryNetwork, dict[str, Any]]],
    dies: Sequence[Die],
    model: ReadModel,
    deployment: Deployment,
    *,
    provenance: dict[str, Any],
    root_seed: int,
    progress: ProgressBars,
    hardware: Hardware | None = None,
) -> Evaluation:
    """Return what networks, with the headers that their training left, come to on dies.

    Networks that were trained with validation samples held out are measured on these, as their training was.
    `hardware` is of the counters, for fine-tuning.

    Raises:
        DataError: data that have changed since the training.
        InputError: dies that a network does not fit, or more images than there are.
        MtjspiceError: data that cannot be used.
    """
    started = time.monotonic()
    software, errors = [], []
    with progress("networks on dies") as report:
        for number, (network, header) in enumerate(networks):
            plan = DiePlan.of(header["plan"])
            data, _ = images_for(plan.data, plan.net, plan.validation, plan.validation_rng())
            if data.sha256 != header["data_sha256"]:
                raise DataError(
                    "the data are not those that the network was trained on: test images may have been among them",
                    where=plan.data,
                    next_step="take the data as they were, or train again",
                )
            known = parts_of(model, dies, network.sizes, network.copies)

            def follow(done: int, of: int, finished: int = number) -> None:
                report(finished * of + done, len(networks) * of)

            errors.append(errors_on_dies(network, known, data, deployment, root_seed, follow, hardware))
            software.append(software_error(network, data, deployment, root_seed))
    return Evaluation(
        tuple(die.name for die in dies),
        np.array([die.rate for die in dies]),
        np.array(software),
        np.array(errors),
        deployment,
        {"network": networks[0][1], "dies": provenance, "seed": root_seed},
        time.monotonic() - started,
    )
