"""What training in ternary synapses takes: numbers worked out by hand, and where none are said."""

import json
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from ternary_problems import images

from mtjspice.crossbar.ternary import WeightKind
from mtjspice.report.ternary_training import ternary_table
from mtjspice.training.ternary.campaign import TernaryResult
from mtjspice.training.ternary.energy import pair_energy
from mtjspice.training.ternary.networks import quantised_net
from mtjspice.training.ternary.plan import TernaryPlan

READ_J, PULSE_J = 109.8e-15, 332e-15
"""Of a synapse with the shipped card, as tests of the formulas have them."""


def result(net: str, batch: int = 50, **options: Any) -> TernaryResult:
    """Two epochs of two networks, on 600 images of 8 x 8: batches of 50 are 12."""
    plan = TernaryPlan("own.npz", net, epochs=2, batch=batch, **options)
    synapse = pair_energy(plan.card) if plan.in_pairs else None
    histories = tuple(
        [
            {"loss": 1.0, "test_error": 0.1, "pulsed": pulsed, "flipped": 0.01, "epoch_s": 1.0}
            for pulsed in (0.5, pulsed_last)
        ]
        for pulsed_last in (0.1, 0.3)
    )
    return TernaryResult(plan, quantised_net(net, 64, 4), images(), histories, np.zeros((4, 4)), synapse, 1.0)


@pytest.mark.parametrize(
    ("net", "weights", "reads"),
    [
        ("64-24-4", 64 * 24 + 24 * 4, 64 * 24 + 24 * 4),
        # Padded filters of 3 x 3 stand at 8 x 8 places; a quarter of that is left for the units.
        ("4C3-MP2-4", 4 * 9 + 4 * 64, 4 * 9 * 8 * 8 + 4 * 64),
        # Those of 5 x 5 at 4 x 4, then those of 3 x 3 on four maps of 2 x 2.
        ("4C5-MP2-2C3-4", 4 * 25 + 2 * 36 + 4 * 8, 4 * 25 * 16 + 2 * 36 * 4 + 4 * 8),
    ],
)
def test_energies_by_hand(net: str, weights: int, reads: int) -> None:
    energy = result(net).energy
    assert energy is not None
    assert energy["read"]["multiply_accumulates"] == reads
    assert energy["read"]["image_j"] == pytest.approx(reads * READ_J, rel=2e-3)
    assert energy["read"]["epoch_j"] == pytest.approx(600 * reads * READ_J, rel=2e-3)
    assert energy["update"]["pulses"] == pytest.approx([0.5 * weights * 12, 0.2 * weights * 12])
    assert energy["update"]["epochs_j"] == pytest.approx(
        [0.5 * weights * 12 * PULSE_J, 0.2 * weights * 12 * PULSE_J], rel=2e-3
    )


def test_a_batch_larger_than_the_data_is_one_batch() -> None:
    energy = result("64-24-4", batch=10_000).energy
    assert energy is not None
    assert energy["update"]["pulses"][0] == pytest.approx(0.5 * (64 * 24 + 24 * 4))


def test_the_report_has_every_assumption() -> None:
    energy = json.loads(json.dumps(result("64-24-4").to_json()))["energy"]
    assert energy["read"]["tops_per_w"] == pytest.approx(18.2, abs=0.05)
    assert energy["update"]["tops_per_w"] == pytest.approx(3.01, abs=0.005)
    assert "mtjspice ternary energy" in energy["rests_on"]
    card = energy["card"]
    assert card["name"] == "ternary"
    assert card["array"] == {"rows": 128, "columns": 128}
    assert card["read"].keys() == {"v_read_v", "t_read_s", "activity", "e_sense_j", "e_driver_j", "ops_per_synapse"}
    assert card["write"].keys() == {
        *("i_ap_to_p_a", "i_p_to_ap_a", "t_write_s", "share", "e_driver_j", "ops_per_synapse"),
    }
    assert any("errors going back" in text for text in energy["left_out"])


def shown(found: TernaryResult) -> str:
    """Return the table, words a space apart."""
    console = Console(width=100)
    with console.capture() as capture:
        console.print(ternary_table(found))
    return " ".join(capture.get().split())


def test_rows_of_the_table() -> None:
    text = shown(result("4C3-MP2-4"))
    for words in (
        "281 pJ an image, 169 nJ an epoch",
        "2,560 multiply-accumulates an image, 18.2 TOPs/W",
        "332 fJ a pulse, 3.01 TOPs/W",
    ):
        assert words in text
    assert "assumptions of the card `ternary`, which mtjspice ternary energy lists" in text


def test_where_the_card_is_not_of_the_synapses() -> None:
    binary = result("64-24-4", weights=WeightKind.BINARY)
    assert binary.to_json()["energy"] is None
    assert "pairs of junctions" in shown(binary)
    software = result("64-24-4", junctions=False)
    assert software.to_json()["energy"] is None
    assert "pairs of junctions" not in shown(software)
