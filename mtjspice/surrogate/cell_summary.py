"""A calibrated cell as plain data: from |x| to the driver's voltage, for both architectures and directions."""

from typing import Any

import numpy as np

from mtjspice.cards.array import ArrayCard
from mtjspice.cards.conventions import Direction
from mtjspice.cards.junction import JunctionCard
from mtjspice.surrogate.model import ArrayModel

SCHEMA = 1


def cell_summary(card: JunctionCard, array: ArrayCard, models: list[ArrayModel]) -> dict[str, Any]:
    """Return what a driver has to put out in each architecture of `models`; volts and amperes are magnitudes."""
    return {
        "schema": SCHEMA,
        "card": card.name,
        "card_sha256": card.sha256,
        "array": array.name,
        "array_sha256": array.sha256,
        "cells": {
            model.architecture.value: {
                "t0_s": model.drive.t0_s,
                "t1_s": model.drive.t1_s,
                "select_ohm": model.select_ohm,
                **{direction.value: _direction(model, direction) for direction in Direction},
            }
            for model in models
        },
    }


def _direction(model: ArrayModel, direction: Direction) -> dict[str, Any]:
    ends = np.array([0.0, 1.0])
    coefficients = model.drive.coefficients[direction]
    return {
        "i0_a": coefficients.i0_a,
        "i1_a": coefficients.i1_a,
        "v_junction_v": coefficients.voltage_v(ends).tolist(),
        "v_driver_v": np.abs(model.drive.row_voltage_v(direction, ends)).tolist(),
    }
