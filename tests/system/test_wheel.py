"""The wheel alone, installed in a new environment, calibrates from another folder."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment's folder of programs: the wheel installed, its dependencies borrowed from this one."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder), cwd=TOP)
    (wheel,) = folder.glob("*.whl")
    # Without site-packages of its own interpreter, so that the checkout, installed there as editable, stays unseen.
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    programs = folder / "venv" / "bin"
    python = str(programs / "python")
    install = ("install", "--no-deps", "--no-index", "--quiet", str(wheel))
    run(sys.executable, "-m", "pip", "--python", python, *install, cwd=folder)
    (site_packages,) = (folder / "venv").glob("lib/python*/site-packages")
    # A .pth adds the folder but does not act on the .pth files inside it, by which editable packages are found.
    (site_packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return programs


def run(*command: str, cwd: Path) -> str:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "MTJSPICE", "COV"))}
    done = subprocess.run(command, cwd=cwd, env=inherited, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_templates_models_and_calibration_are_inside(environment: Path, tmp_path: Path) -> None:
    program = """
import mtjspice.resources as r
assert r.checkout() is None, r.checkout()
print(r.netlists_folder(), r.models_folder(), r.calibration_folder(), sep="\\n")
"""
    shown = run(str(environment / "python"), "-c", program, cwd=tmp_path).splitlines()
    for inside, name in zip(map(Path, shown), ("netlists", "models", "calibration"), strict=True):
        assert "site-packages" in inside.parts
        expected = files_of(TOP / name)
        assert len(expected) > 1
        # Names first: they tell more than bytes.
        found = files_of(inside)
        assert sorted(found) == sorted(expected)
        assert found == expected


def test_the_installed_command_lists_the_cards(environment: Path, tmp_path: Path) -> None:
    listed = run(str(environment / "mtjspice"), "card", "list", cwd=tmp_path)
    assert "mondal2018" in listed
    assert "interfacial65" in listed


def test_the_installed_command_calibrates_from_another_folder(environment: Path, tmp_path: Path) -> None:
    shown = run(
        *(str(environment / "mtjspice"), "calibrate", "mondal2018", "--engine", "fokker_planck"),
        *("--out", str(tmp_path / "result"), "--json"),
        cwd=tmp_path,
    )
    result = json.loads(shown)
    assert result["provenance"]
    for direction, i0_a, i1_a in (("ap_to_p", 60e-6, 30e-6), ("p_to_ap", 140e-6, 60e-6)):
        # 3 %: what the card was fitted to reach of the paper's Table 3.
        assert result[direction]["i0_a"] == pytest.approx(i0_a, rel=0.03)
        assert result[direction]["i1_a"] == pytest.approx(i1_a, rel=0.03)
    assert any((tmp_path / "result").iterdir())
