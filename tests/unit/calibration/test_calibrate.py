"""From a card, or from counts, to the write coefficients and their file."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mtjspice.calibration.calibrate import calibrate
from mtjspice.calibration.outputs import write_calibration
from mtjspice.calibration.result import CalibrationResult, read_result
from mtjspice.calibration.sources import ExactSource, MeasuredSource, counts_table
from mtjspice.cards.campaign import CampaignCard, load_campaign
from mtjspice.cards.conventions import Direction, Drive
from mtjspice.cards.junction import JunctionCard
from mtjspice.errors import DataError, ModelError, SimulationError
from mtjspice.junction import fokker_planck
from mtjspice.junction.fokker_planck import switching_probabilities
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.switching.measurements import read_measurements
from mtjspice.switching.points import Counts, Engine, Point

PUBLISHED = {
    Direction.AP_TO_P: {"i0_a": 60e-6, "i1_a": 30e-6, "v_min_v": 0.62, "v_max_v": 0.81},
    Direction.P_TO_AP: {"i0_a": 140e-6, "i1_a": 60e-6, "v_min_v": 0.68, "v_max_v": 0.98},
}
DESIGN_KEYS = {
    "t0_s", "t1_s", "i0_a", "i1_a", "i0_ci95_a", "i1_ci95_a", "eta", "map_rmse", "v_min_v", "v_max_v",
}  # fmt: skip


@pytest.fixture(scope="module")
def campaign() -> CampaignCard:
    return load_campaign("table3")


@pytest.fixture(scope="module")
def exact(mondal: JunctionCard, mondal_parameters: MacrospinParameters, campaign: CampaignCard) -> CalibrationResult:
    return calibrate(mondal, campaign, ExactSource(Engine.FOKKER_PLANCK, mondal_parameters, campaign))


def with_targets(campaign: CampaignCard, **changes: float) -> CampaignCard:
    return campaign.model_copy(update={"targets": campaign.targets.model_copy(update=changes)})


def measured(
    parameters: MacrospinParameters,
    drive: Drive,
    levels: dict[Direction, np.ndarray],
    widths_s: tuple[float, ...],
    trials: int,
    rng: np.random.Generator,
) -> list[Counts]:
    """Return counts drawn from Fokker-Planck's probabilities, every level at every width."""
    counts = []
    for direction, own in levels.items():
        p = switching_probabilities(parameters, direction, drive, list(own), widths_s)
        counts += [
            Counts(Point(direction, drive, float(level), widths_s, trials), rng.binomial(trials, row), trials, {})
            for level, row in zip(own, p, strict=True)
        ]
    return counts


@pytest.mark.parametrize("direction", Direction)
def test_fokker_planck_gives_the_published_table(exact: CalibrationResult, direction: Direction) -> None:
    entry = exact.to_json({})[direction.value]
    for key, published in PUBLISHED[direction].items():
        # The project's demand: currents within 3 %, voltages within 2 %.
        assert entry[key] == pytest.approx(published, rel=0.02 if key.startswith("v") else 0.03)
        assert entry["published"][key] == published
        assert entry["published"]["relative_difference"][key] == pytest.approx(entry[key] / published - 1)
    assert entry["eta"] == pytest.approx({"ap_to_p": 0.709, "p_to_ap": 0.717}[direction], abs=1e-3)


@pytest.mark.parametrize("direction", Direction)
def test_the_coefficients_solve_their_equations(
    exact: CalibrationResult, mondal_parameters: MacrospinParameters, direction: Direction
) -> None:
    """Eqs. 8 and 9, by current and by voltage; eta is P at both ends."""
    for drive in Drive:
        c = exact.of(direction, drive)
        assert c is not None
        p = switching_probabilities(
            mondal_parameters, direction, drive, [c.level0, c.level0 + c.level1], [1.5e-9, 2.5e-9]
        )
        assert p[0, 1] == pytest.approx(0.05, rel=1e-5)
        assert p[1, 0] == pytest.approx(0.05, rel=1e-5)
        assert c.linear_map.eta == pytest.approx(p[1, 1], rel=1e-6)


def test_the_voltage_driven_boundaries(exact: CalibrationResult) -> None:
    """Starting currents found by the prototype: 52.9/81.0 uA and 150.8/214.0 uA, printed to three or four digits."""
    result = exact.to_json({})
    for direction, low, high in (("ap_to_p", 52.9e-6, 81.0e-6), ("p_to_ap", 150.8e-6, 214.0e-6)):
        voltage = result[direction]["voltage_drive"]
        # The prototype's card was fitted with coarser numbers; it gives I0 + I1 0.2 % lower by current, too.
        assert voltage["i0_a"] == pytest.approx(low, rel=3e-3)
        assert voltage["i0_a"] + voltage["i1_a"] == pytest.approx(high, rel=3e-3)
        assert voltage["v0_v"] == voltage["v_min_v"]
        assert voltage["v0_v"] + voltage["v1_v"] == pytest.approx(voltage["v_max_v"])


def test_the_file_has_the_designs_keys(exact: CalibrationResult, tmp_path: Path) -> None:
    write_calibration(exact, {}, {"seed": 1}, tmp_path)
    result = read_result(tmp_path / "calibration.json")
    assert result == json.loads(json.dumps(exact.to_json({"seed": 1}), allow_nan=False))
    assert result["schema"] == 1
    assert result["provenance"] == {"seed": 1}
    for direction in Direction:
        assert result[direction.value].keys() >= DESIGN_KEYS
        assert result[direction.value]["voltage_drive"].keys() >= DESIGN_KEYS
        assert result[direction.value]["i0_ci95_a"] == [result[direction.value]["i0_a"]] * 2
        assert (tmp_path / f"map_{direction}_current.csv").exists()
    assert not list(tmp_path.glob("thresholds*"))  # nothing was counted


@pytest.mark.parametrize("text", [None, "", "{", "[]", "{}", '{"schema": 2}'])
def test_a_result_file_that_is_none(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "calibration.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(DataError, match=r"calibration result(.|\n)*calibration\.json"):
        read_result(path)


@pytest.mark.parametrize("changes", [{"t0_s": 1.6e-9}, {"t1_s": 0.9e-9}, {"p0": 0.06}])
def test_other_targets_have_no_published_values(
    mondal: JunctionCard, campaign: CampaignCard, exact: CalibrationResult, changes: dict[str, float]
) -> None:
    shown = CalibrationResult(**{**vars(exact), **changes})
    assert all(shown.published_for(direction) is None for direction in Direction)
    assert "published" not in shown.to_json({})["ap_to_p"]


def test_measurements_give_back_what_they_were_drawn_from(
    mondal: JunctionCard, mondal_parameters: MacrospinParameters, campaign: CampaignCard, exact: CalibrationResult
) -> None:
    levels = {
        Direction.AP_TO_P: np.linspace(55e-6, 105e-6, 9),
        Direction.P_TO_AP: np.linspace(130e-6, 225e-6, 9),
    }
    counts = measured(
        mondal_parameters, Drive.CURRENT, levels, (1.5e-9, 2.0e-9, 2.5e-9), 2000, np.random.default_rng(2)
    )
    result = calibrate(mondal, campaign, MeasuredSource(counts, campaign))
    for direction in Direction:
        found, true = result.of(direction), exact.of(direction)
        assert found is not None
        assert true is not None
        # A straight line over P = 0 ... 0.95 is displaced by more than one over 0.02 ... 0.3: 2 % at most.
        assert found.level0 == pytest.approx(true.level0, rel=0.02)
        assert found.level1 == pytest.approx(true.level1, rel=0.06)
        assert found.low.is_measured
        assert found.linear_map.eta == pytest.approx(true.linear_map.eta, abs=0.08)
    assert result.of(Direction.AP_TO_P, Drive.VOLTAGE) is None


@pytest.mark.slow
def test_the_thresholds_table_repeats_nothing_and_can_be_read_again(
    mondal: JunctionCard, mondal_parameters: MacrospinParameters, campaign: CampaignCard, tmp_path: Path
) -> None:
    """Pulses of both widths at one level serve both thresholds; counted twice, intervals would be too narrow."""
    levels = {Direction.AP_TO_P: np.linspace(55e-6, 105e-6, 7), Direction.P_TO_AP: np.linspace(130e-6, 225e-6, 7)}
    counts = measured(mondal_parameters, Drive.CURRENT, levels, (1.5e-9, 2.5e-9), 1000, np.random.default_rng(2))
    result = calibrate(mondal, campaign, MeasuredSource(counts, campaign))
    write_calibration(result, {}, {}, tmp_path)
    table = pd.read_csv(tmp_path / "thresholds_current.csv")
    assert len(table) == 2 * 7 * 2
    assert (table["trials"] == 1000).all()
    again = calibrate(
        mondal, campaign, MeasuredSource(read_measurements(tmp_path / "thresholds_current.csv"), campaign)
    )
    assert again.to_json({}) == result.to_json({})


def test_measured_voltages(
    mondal: JunctionCard, mondal_parameters: MacrospinParameters, campaign: CampaignCard, exact: CalibrationResult
) -> None:
    levels = {Direction.AP_TO_P: np.linspace(0.52, 0.85, 7), Direction.P_TO_AP: np.linspace(0.68, 1.15, 7)}
    counts = measured(mondal_parameters, Drive.VOLTAGE, levels, (1.5e-9, 2.5e-9), 2000, np.random.default_rng(2))
    result = calibrate(mondal, campaign, MeasuredSource(counts, campaign)).to_json({})
    for direction in Direction:
        assert result[direction.value].keys() >= DESIGN_KEYS
        true = exact.of(direction, Drive.VOLTAGE)
        assert true is not None
        assert result[direction.value]["v0_v"] == pytest.approx(true.level0, rel=0.02)
        assert "published" not in result[direction.value]


def test_measurements_of_one_direction(
    mondal: JunctionCard, mondal_parameters: MacrospinParameters, campaign: CampaignCard
) -> None:
    levels = {Direction.AP_TO_P: np.linspace(55e-6, 105e-6, 5)}
    counts = measured(mondal_parameters, Drive.CURRENT, levels, (1.5e-9, 2.5e-9), 1000, np.random.default_rng(2))
    with pytest.raises(DataError, match="no p_to_ap pulses"):
        calibrate(mondal, campaign, MeasuredSource(counts, campaign))


def test_thresholds_that_leave_no_range(mondal: JunctionCard, campaign: CampaignCard) -> None:
    """Counts that fall with the width contradict a junction: t0 needs less than t0 + t1."""
    counts = [
        Counts(Point(direction, Drive.CURRENT, level, (width,), 1000), np.array([switched]), 1000, {})
        for direction in Direction
        for width, shift in ((1.5e-9, 0.0), (2.5e-9, 20e-6))
        for level, switched in ((60e-6 + shift, 10), (70e-6 + shift, 60), (80e-6 + shift, 200))
    ]
    with pytest.raises(SimulationError, match=r"shorter pulse does not need the higher level(.|\n)*AP->P"):
        calibrate(mondal, campaign, MeasuredSource(counts, campaign))


def test_the_closed_form_says_where_it_ends(
    mondal: JunctionCard, mondal_parameters: MacrospinParameters, campaign: CampaignCard
) -> None:
    """Eq. 5 with its correction has its minimum of 0.051 at 2.5 ns, P->AP: above P0 = 0.05."""
    with pytest.raises(ModelError, match=r"eq\. 5 does not reach(.|\n)*P->AP, 2\.5e-09 s(.|\n)*0\.05098"):
        calibrate(mondal, campaign, ExactSource(Engine.CLOSED_FORM, mondal_parameters, campaign))


def test_a_closed_form_calibration(
    mondal: JunctionCard, mondal_parameters: MacrospinParameters, campaign: CampaignCard
) -> None:
    higher = with_targets(campaign, p0=0.2)
    result = calibrate(mondal, higher, ExactSource(Engine.CLOSED_FORM, mondal_parameters, higher))
    for direction in Direction:
        c = result.of(direction)
        assert c is not None
        assert c.level1 > 0
        assert math.isfinite(c.linear_map.rmse)
        assert result.of(direction, Drive.VOLTAGE) is None


def test_widths_far_too_short_are_refused(
    mondal: JunctionCard,
    mondal_parameters: MacrospinParameters,
    campaign: CampaignCard,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fokker_planck, "_MOST_MODES", 256)  # sooner than in earnest
    short = with_targets(campaign, t0_s=1e-12, t1_s=1e-12)
    with pytest.raises(ModelError, match="widths"):
        calibrate(mondal, short, ExactSource(Engine.FOKKER_PLANCK, mondal_parameters, short))


def test_a_table_of_counts_is_what_the_measured_engine_reads(tmp_path: Path) -> None:
    counts = [Counts(Point(Direction.AP_TO_P, Drive.CURRENT, 60e-6, (1e-9, 2e-9), 50), np.array([3, 9]), 50, {})]
    counts_table(counts).to_csv(tmp_path / "t.csv", index=False)
    (again,) = read_measurements(tmp_path / "t.csv")
    assert again.point == counts[0].point
    assert again.switched.tolist() == [3, 9]
