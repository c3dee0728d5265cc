"""The Verilog-A model against the Python physics, number by number; and against the subcircuit in ngspice.

openvaf-py compiles the model and evaluates what a simulator would be given: currents and charges of all nodes, and
their derivatives. It takes a name that is missing for 0 and applies no defaults, so both are checked here.
"""

import dataclasses
import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mtjspice.junction.heun import Torques, _turn
from mtjspice.junction.parameters import MacrospinParameters
from mtjspice.junction.resistance import conductance_s
from mtjspice.netlist.context import JunctionContext
from mtjspice.netlist.render import fill
from mtjspice.resources import models_folder
from mtjspice.spice.decks import junction_context
from mtjspice.spice.ngspice import run_deck
from mtjspice.spice.rawfile import Waveforms

MODEL = models_folder() / "mtj_llg.va"
TERMINALS = ["pinned", "free", "mx", "my", "mz", "bx", "by", "bz"]
NODES = [*TERMINALS, "dx", "dy", "dz", "n"]
POINTS = 1000
MUTATION_POINTS = 100
TOLERANCE = 1e-10

needs_openvaf_py = pytest.mark.skipif(
    importlib.util.find_spec("openvaf_py") is None,
    reason="openvaf-py is not installed; it has wheels for CPython 3.11 and 3.12",
)


@dataclasses.dataclass(frozen=True)
class Points:
    """Junctions of all kinds in states of all kinds; arrays over points, vectors first."""

    parameters: MacrospinParameters
    restoring_per_ns: np.ndarray
    start: np.ndarray
    time_s: np.ndarray
    voltages: np.ndarray
    """Of NODES; dx, dy and dz are m - start."""

    @property
    def m(self) -> np.ndarray:
        return self.start + self.voltages[8:11]

    @property
    def v(self) -> np.ndarray:
        return self.voltages[0] - self.voltages[1]


@dataclasses.dataclass(frozen=True)
class Loads:
    """What a device gives a simulator, by NODES and points: currents in A, charges in C, and derivatives by voltage."""

    current: np.ndarray
    charge: np.ndarray
    conductance: np.ndarray
    capacitance: np.ndarray


def random_points(points: int) -> Points:
    """Return random points: half of the junctions tilted and in a field in the plane, a tenth at t = 0."""
    rng = np.random.default_rng(30)

    def between(low: float, high: float, *shape: int) -> np.ndarray:
        return rng.uniform(low, high, (*shape, points))

    tilt = between(-0.5, 0.5) * (rng.random(points) < 0.5)
    unknown = np.full(points, np.nan)
    parameters = MacrospinParameters(
        alpha=between(0.005, 0.5),
        b_k_t=between(0.05, 1),
        b_z_t=between(-0.3, 0.3),
        b_x_t=between(-0.1, 0.1) * (tilt != 0),
        torque_t_per_a=between(10, 300),
        asymmetry=between(0.05, 0.8),
        p_x=np.sin(tilt),
        p_z=np.cos(tilt),
        moment_a_m2=unknown,
        temperature_k=unknown,
        r_p_ohm=_as_given(10 ** between(2.5, 4.5)),
        tmr0=_as_given(between(0.2, 4)),
        v_h_v=between(0.2, 2),
    )
    m = rng.standard_normal((3, points))
    m *= between(0.8, 1.2) / np.linalg.norm(m, axis=0)  # off the sphere too, where only the restoring term acts
    start = _as_given(between(-1, 1, 3))
    voltages = np.concatenate(
        [between(-1.5, 1.5, 2), between(-1, 1, 3), between(-0.3, 0.3, 3), m - start, between(-0.5, 0.5, 1)]
    )
    time_s = between(1e-12, 1e-8) * (rng.random(points) < 0.9)
    return Points(parameters, between(0, 50), start, time_s, voltages)


def _as_given(values: np.ndarray) -> np.ndarray:
    """Set the lowest bit: openvaf-py reads from it whether an instance parameter is given, or to take its default."""
    return (values.view(np.int64) | 1).view(np.float64)


def expected(at: Points) -> Loads:
    """Return what the Python physics gives; derivatives by complex steps, which leave no error of their own."""
    size = 1e-30
    current, charge = _currents_and_charges(at, at.voltages.astype(complex))
    slopes = []
    for node in range(len(NODES)):
        voltages = at.voltages.astype(complex)
        voltages[node] += 1j * size
        slopes.append([part.imag / size for part in _currents_and_charges(at, voltages)])
    conductance, capacitance = (np.stack(parts, axis=1) for parts in zip(*slopes, strict=True))
    return Loads(current.real, charge.real, conductance, capacitance)


def _currents_and_charges(at: Points, voltages: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    v, shown, fields, moved, n = voltages[0] - voltages[1], voltages[2:5], voltages[5:8], voltages[8:11], voltages[11]
    m = at.start + moved
    i = v * conductance_s(at.parameters, v, _projection(at.parameters, m))
    rate = at.parameters.gamma_prime * 1e-9 * np.cross(_angular_velocity_t(at.parameters, m, i, fields), m, axis=0)
    rate += at.restoring_per_ns / 2 * n * m
    held = np.where(at.time_s > 0, -rate, moved)
    current = np.concatenate([[i, -i], shown - m, fields, held, [n - 1 + (m**2).sum(axis=0)]])
    charge = np.zeros_like(voltages)
    charge[8:11] = 1e-9 * moved
    return current, charge


def _projection(p: MacrospinParameters, m: np.ndarray) -> np.ndarray:
    return p.p_x * m[0] + p.p_z * m[2]


def _angular_velocity_t(p: MacrospinParameters, m: np.ndarray, i: np.ndarray, fields: np.ndarray) -> np.ndarray:
    """Return w as `junction.parameters` has it, in vectors, (3, points)."""
    reference = np.stack([p.p_x, np.zeros_like(p.p_x), p.p_z])
    a = -p.torque_t_per_a * i / (1 + p.asymmetry * _projection(p, m))
    b = fields + np.stack([p.b_x_t + 0 * m[0], 0 * m[1], p.b_k_t * m[2] + p.b_z_t])
    return b - p.alpha * a * reference + np.cross(m, p.alpha * b + a * reference, axis=0)


def compiled(text: str, folder: Path) -> Any:
    """Return the module that openvaf-py makes of Verilog-A text."""
    import openvaf_py

    path = folder / "model.va"
    path.write_text(text)
    (module,) = openvaf_py.compile_va(str(path))
    return module


def evaluated(module: Any, at: Points) -> Loads:
    """Return what the compiled model gives."""
    nodes = [node["name"] for node in module.get_dae_system()["nodes"]]
    assert nodes == NODES
    kinds = dict(zip(module.param_names, module.param_kinds, strict=True))
    asked = set(module.param_names) | set(module.init_param_names)
    # Variables and the current that they make: the model's own, and nothing that it needs to be given.
    own = {name: np.nan for name, kind in kinds.items() if kind in ("hidden_state", "current")}
    fixed = own | {"mfactor": 1.0, "gamma_rad_per_ns_t": module.get_param_defaults()["gamma_rad_per_ns_t"]}

    points = at.voltages.shape[1]
    loads = Loads(*(np.zeros((len(NODES),) * rank + (points,)) for rank in (1, 1, 2, 2)))
    for k in range(points):
        volts = at.voltages[:, k].tolist()
        given = fixed | {f"V({node})": volt for node, volt in zip(NODES, volts, strict=True)}
        given |= {"V(pinned,free)": at.v[k].item(), "$abstime": at.time_s[k].item()}
        given |= {name: values[k].item() for name, values in vars(at.parameters).items()}
        given |= {f"m{axis}0": value for axis, value in zip("xyz", at.start[:, k].tolist(), strict=True)}
        given["restoring_per_ns"] = at.restoring_per_ns[k].item()
        assert asked <= given.keys(), f"the model asks for {asked - given.keys()}"
        residuals, jacobian = module.run_init_eval(given)
        loads.current[:, k], loads.charge[:, k] = np.array(residuals).T
        for row, column, resistive, reactive in jacobian:
            loads.conductance[row, column, k] += resistive
            loads.capacitance[row, column, k] += reactive
    return loads


def differences(module: Any, at: Points) -> dict[str, float]:
    """Return the largest difference of each kind of load, over the entry's largest value at any point.

    Where an entry is 0 at all points, any other value is infinitely wrong.
    """
    model, physics = vars(evaluated(module, at)), vars(expected(at))
    worst = {}
    for kind, right in physics.items():
        error, scale = np.abs(model[kind] - right).max(axis=-1), np.abs(right).max(axis=-1)
        with np.errstate(divide="ignore", invalid="ignore"):
            worst[kind] = np.where(error == 0, 0, error / scale).max().item()
    return worst


@needs_openvaf_py
def test_loads_and_their_derivatives_are_the_python_physics(tmp_path: Path) -> None:
    """At 1000 random points, and at those of the mutations; 6e-16 of an entry's largest value was measured."""
    module = compiled(MODEL.read_text(), tmp_path)
    for points in (POINTS, MUTATION_POINTS):
        worst = differences(module, random_points(points))
        assert max(worst.values()) <= TOLERANCE, worst


def test_the_reference_turns_m_as_the_macrospin_does() -> None:
    """The vectors above are the compiled kernel's components, at the same points."""
    at = random_points(POINTS)
    p, m, v, fields = at.parameters, at.m, at.v, at.voltages[5:8]
    i = v * conductance_s(p, v, _projection(p, m))
    i_p, i_ap = (v * conductance_s(p, v, c) for c in (1.0, -1.0))
    a0, a1 = -p.torque_t_per_a * (i_p + i_ap) / 2, -p.torque_t_per_a * (i_p - i_ap) / 2
    torques = Torques(p.alpha, p.b_k_t, p.b_z_t, p.b_x_t, p.p_x, p.p_z, a0, a1, p.asymmetry)
    np.testing.assert_allclose(_angular_velocity_t(p, m, i, fields), _turn.py_func(*m, *fields, torques), atol=1e-12)


MUTATIONS = {
    "torque of the wrong sign": ("a = -torque_t_per_a*i", "a = torque_t_per_a*i"),
    "torque twice": ("a = -torque_t_per_a*i", "a = -2*torque_t_per_a*i"),
    "asymmetry left out": ("i/(1 + asymmetry*c)", "i"),
    "asymmetry of the wrong sign": ("i/(1 + asymmetry*c)", "i/(1 - asymmetry*c)"),
    "asymmetry without the tilt": ("asymmetry*c)", "asymmetry*z)"),
    "damping left out along y": ("q_y = alpha*b_y;", "q_y = 0;"),
    "damping of the wrong sign": ("q_z = alpha*b_z + a*p_z", "q_z = -alpha*b_z + a*p_z"),
    "damping of the torque left out": ("w_z = b_z - alpha*a*p_z", "w_z = b_z"),
    "alpha squared left out": ("(1 + alpha*alpha)", "1.0"),
    "alpha not squared": ("(1 + alpha*alpha)", "(1 + alpha)"),
    "cross product with a component swapped": ("y*q_z - z*q_y", "y*q_z - z*q_x"),
    "cross product the wrong way round": ("z*q_x - x*q_z", "x*q_z - z*q_x"),
    "m turning the wrong way": ("gamma*(w_x*y - w_y*x)", "gamma*(w_y*x - w_x*y)"),
    "gamma with a wrong digit": ("= 176.085963023 ", "= 176.085936023 "),
    "restoring twice as fast": ("restoring_per_ns/2*V(n)", "restoring_per_ns*V(n)"),
    "restoring by |m| along two axes": ("(1 - x*x - y*y - z*z)", "(1 - x*x - y*y)"),
    "restoring left out along x": (" + pull*x", ""),
    "restoring that repels": (" + pull*y", " - pull*y"),
    "tilt components swapped": ("c = p_x*x + p_z*z", "c = p_z*x + p_x*z"),
    "tilt left out of the torque": ("q_x = alpha*b_x + a*p_x", "q_x = alpha*b_x"),
    "TMR without bias": ("tmr0/(1 + (v/v_h_v)*(v/v_h_v))", "tmr0"),
    "TMR falling linearly": ("(v/v_h_v)*(v/v_h_v)", "abs(v/v_h_v)"),
    "P and AP swapped": ("c*v*(g_p - g_ap)/2", "c*v*(g_ap - g_p)/2"),
    "conductance of the mean resistance": ("i = v*(g_p + g_ap)/2", "i = v*g_p*2*g_ap/(g_p + g_ap)"),
    "anisotropy as a constant field": ("b_k_t*z", "b_k_t"),
    "stray field left out": ("b_k_t*z + b_z_t", "b_k_t*z"),
    "field in the plane left out": ("b_x = b_x_t + V(bx)", "b_x = V(bx)"),
    "thermal field left out along y": ("b_y = V(by)", "b_y = 0*V(by)"),
    "field terminals of 2 ohm": ("I(bz) <+ V(bz)", "I(bz) <+ V(bz)/2"),
    "current the wrong way": ("I(pinned, free) <+ i", "I(free, pinned) <+ i"),
    "time in ps": ("1e-9*V(dy)", "1e-12*V(dy)"),
    "charge of another state": ("ddt(1e-9*V(dz))", "ddt(1e-9*V(dx))"),
    "start ignored": ("z = mz0 + V(dz)", "z = V(dz)"),
    "start not held": ("if ($abstime > 0)", "if ($abstime >= 0)"),
    "start never left": ("if ($abstime > 0)", "if ($abstime < 0)"),
    "terminals that show another state": ("I(mx) <+ V(mx) - x", "I(mx) <+ V(mx) - y"),
}


@needs_openvaf_py
@pytest.mark.parametrize(("old", "new"), MUTATIONS.values(), ids=MUTATIONS.keys())
def test_the_comparison_rejects_wrong_models(tmp_path: Path, old: str, new: str) -> None:
    text = MODEL.read_text()
    assert text.count(old) == 1, "the mutation fits no place, or several"
    worst = differences(compiled(text.replace(old, new), tmp_path), random_points(MUTATION_POINTS))
    assert max(worst.values()) > 1e3 * TOLERANCE  # well beyond, so that none is rejected for its rounding


@needs_openvaf_py
def test_pins_and_parameters_are_the_subcircuits(tmp_path: Path, mondal_parameters: MacrospinParameters) -> None:
    context = junction_context(mondal_parameters, restoring_per_ns=20.0)
    pins = re.search(r"^\.subckt junction ((?:\w+ )+)mx0=0 my0=0 mz0=1", subcircuit(context), re.MULTILINE)
    assert pins is not None
    assert pins[1].split() == TERMINALS
    module = compiled(MODEL.read_text(), tmp_path)
    assert module.num_terminals == len(TERMINALS)
    numbers = {name: value for name, value in vars(context).items() if isinstance(value, float)}
    assert module.get_param_defaults() == pytest.approx(numbers | {"mx0": 0, "my0": 0, "mz0": 1}, rel=1e-9)
    instance = {given["name"] for given in module.get_osdi_descriptor()["params"] if given["is_instance"]}
    assert instance == {"mx0", "my0", "mz0", "r_p_ohm", "tmr0"}


STOP_S = 4e-9
TRANSIENT = f".options method=trap reltol=1e-3 trtol=1e6 chgtol=1\n.tran 1e-12 {STOP_S} 0 1e-12"


def subcircuit(context: JunctionContext) -> str:
    return fill("junction.cir.j2", SimpleNamespace(junction=context)) + "\n"


def as_device(context: JunctionContext) -> str:
    """Return the model line of the compiled model."""
    numbers = (f"{name}={value:.9g}" for name, value in vars(context).items() if isinstance(value, float))
    return f".model mtj mtj_llg {' '.join(numbers)}\n"


def events(letter: str, model: str) -> str:
    """Return two junctions, P and AP, each 0.1 rad off its axis and under the voltage that switches it."""
    lines = []
    for event, (mz, volt) in enumerate(((1, 1.4), (-1, -1.1))):
        n = f"{letter}{event}"
        lines += [
            f"{n} p{n} 0 mx{n} my{n} mz{n} bx{n} by{n} bz{n} {model} mx0=0.0998334166 my0=0 mz0={mz * 0.995004165}",
            f"V{n} p{n} 0 {volt}",
            *(
                f"I{axis}{n} 0 b{axis}{n} SIN(0 0.02 3e9 0 0 {phase})"
                for axis, phase in (("x", 0), ("y", 90), ("z", 45))
            ),
        ]
    return "\n".join(lines) + "\n"


def at_times(waves: Waveforms, name: str) -> np.ndarray:
    """Return m at times after the start's step, (3, times)."""
    times = np.linspace(10e-12, STOP_S, 1000)
    return np.stack([np.interp(times, waves["time"], waves[f"v(m{axis}{name})"]) for axis in "xyz"])


def loads_compiled_model(folder: Path) -> str:
    """Put the compiled model into `folder` and return what loads it in a deck there; skip, saying what is missing.

    The environment's MTJSPICE_OSDI may name a compiled model.
    """
    probe = "* probe\n.control\nosdi nothing.osdi\n.endc\n.end\n"
    ngspice = subprocess.run(["ngspice", "-b"], input=probe, capture_output=True, text=True, timeout=20, check=False)
    compiler = shutil.which("openvaf-r") or shutil.which("openvaf")
    ready = os.environ.get("MTJSPICE_OSDI")
    missing = []
    if "no such command" in ngspice.stdout + ngspice.stderr:
        missing.append("an ngspice with OSDI (39 or later, built with --enable-osdi)")
    if not (compiler or ready):
        missing.append("a compiled model (MTJSPICE_OSDI) or OpenVAF (`openvaf-r` or `openvaf` on PATH)")
    if missing:
        pytest.skip(f"missing: {'; '.join(missing)}")
    if ready:
        shutil.copy(ready, folder / "mtj_llg.osdi")
    else:
        assert compiler is not None
        subprocess.run([compiler, str(MODEL), "-o", "mtj_llg.osdi"], cwd=folder, check=True, capture_output=True)
    return ".control\npre_osdi mtj_llg.osdi\n.endc\n"


@pytest.mark.spice
@pytest.mark.parametrize("tilt_rad", [0.0, 0.15])
def test_in_ngspice_it_moves_as_the_subcircuit_does(
    tmp_path: Path, mondal_parameters: MacrospinParameters, tilt_rad: float
) -> None:
    """Both directions, without noise, with a field of 20 mT at 3 GHz at the field terminals."""
    pre_osdi = loads_compiled_model(tmp_path)
    parameters = dataclasses.replace(
        mondal_parameters, p_x=np.sin(tilt_rad).item(), p_z=np.cos(tilt_rad).item(), b_x_t=tilt_rad / 15
    )
    context = junction_context(parameters, restoring_per_ns=20.0)
    both = run_deck(
        f"* both\n{pre_osdi}{subcircuit(context)}{as_device(context)}{events('X', 'junction')}{events('N', 'mtj')}"
        f"{TRANSIENT} uic\n.end\n",
        tmp_path,
        stop_s=STOP_S,
        time_limit_s=60,
    )
    # Without `uic` the subcircuit has no start, but the device has.
    alone = run_deck(
        f"* device\n{pre_osdi}{as_device(context)}{events('N', 'mtj')}{TRANSIENT}\n.end\n",
        tmp_path,
        stop_s=STOP_S,
        time_limit_s=60,
    )
    for event, sign in enumerate((1, -1)):
        right = at_times(both, f"x{event}")
        assert right[2, 0] * sign > 0.9
        assert right[2, -1] * sign < -0.5, "these are to be switching events"
        # At the same time points the same equations give the same, but for the last of Newton's steps: 2e-6 measured.
        assert np.abs(at_times(both, f"n{event}") - right).max() <= 1e-5
        # At others they differ by O(dt^2): 1.5e-4 measured.
        assert np.abs(at_times(alone, f"n{event}") - right).max() <= 1e-3
