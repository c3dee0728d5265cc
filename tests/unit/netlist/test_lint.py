"""Each fault of a deck is found, and named by its line."""

import pytest

from mtjspice.errors import InputError
from mtjspice.netlist.lint import check_deck

SOUND = """* title
.subckt pair a b r=1
R1 a b {r}
R2 a b 1
.ends pair
X1 n1 0 pair
+ r=2
Ideal 0 n1 DC 1
.options method=trap
.include models.lib
M1 n1 n1 0 bulk nch w=1e-6 l=1e-7
S1 n1 0 n1 0 ideal
.model ideal sw(vt=0.5 ron=1 roff=1e12)
.model field filesource(file="noise_1.txt" amploffset=[0 0])
.tran 1n 10n
.control
run
meas tran last find v(n1) at=1n
if last lt 0
echo below
else
wrdata waves.txt v(n1)
end
write waves.raw
.endc
.end
"""


def test_a_sound_deck_passes_unchanged() -> None:
    assert check_deck(SOUND) == SOUND


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("X1 n1 0 pair", "X1 n1 0 pair" + " " * 200, "line 6: 212 characters"),
        ("{r}", "{{ r }}", "unfilled template"),
        (".ends pair\n", "", "never closed"),
        (".endc\n", "", "never closed"),
        (".subckt pair a b r=1\n", "", "closes nothing"),
        (".end\n", "", "last statement must be .end"),
        (".end\n", ".end\nR9 n1 0 1\n", "last statement must be .end"),
        ("models.lib", "/etc/passwd", ".include names one file beside the deck"),
        ("models.lib", "../models.lib", ".include names one file beside the deck"),
        ("models.lib", "models.lib other.lib", ".include names one file beside the deck"),
        ("models.lib", '"models.lib"', ".include names one file beside the deck"),
        ("models.lib", "Models.lib", ".include names one file beside the deck, in lower case: .include Models.lib"),
        (".include models.lib", ".include", ".include names one file beside the deck"),
        (".include", ".inc", "directive not allowed"),
        (".tran", ".lib x y\n.tran", "directive not allowed"),
        (".tran", ".exec x\n.tran", "directive not allowed"),
        ("run\n", "run\nshell rm x\n", "not allowed in a .control block"),
        ("run\n", "run; shell rm x\n", "not allowed in a .control block"),
        ("run\n", "source other.cir\n", "not allowed in a .control block"),
        ("run\n", "run\ncd /\n", "not allowed in a .control block"),
        ("echo below", "echo below > /tmp/x", "not allowed in a .control block"),
        ("echo below", "echo `id`", "not allowed in a .control block"),
        ("waves.raw", "/tmp/waves.raw", "write names one file beside the deck"),
        ("write waves.raw", "write", "write names one file beside the deck"),
        ("waves.raw", "Waves.raw", "write names one file beside the deck, in lower case"),
        ("waves.txt", "WAVES.txt", "wrdata names a file beside the deck, in lower case"),
        ("noise_1.txt", "Noise_1.txt", ".model names files beside the deck, in lower case"),
        ("noise_1.txt", "/tmp/noise_1.txt", ".model names files beside the deck, in lower case"),
        ("run\n", "pre_osdi /tmp/x.osdi\nrun\n", "pre_osdi names one file beside the deck"),
        ("waves.txt", "../waves.txt", "wrdata names a file beside the deck"),
        ("M1 n1 n1 0 bulk", "M1 n1 n1 0 x1.bulk", "node name 'x1.bulk'"),
        ("S1 n1 0 n1 0", "S1 n1 0 n1 a-b", "node name 'a-b'"),
        ("R2 a b 1", "r1 a b 1", "a second element named r1"),
        ("X1 n1 0 pair", "X1 n1 pair", "1 nodes for the 2 pins of pair"),
        ("X1 n1 0 pair", "X1 n1 0 couple", "no subcircuit couple; defined here: pair"),
        ("Ideal 0 n1", "Ideal 0 x1.inner", "node name 'x1.inner'"),
        ("Ideal 0 n1", "Zap 0 n1", "unknown kind"),
        ("* title", "* t\x07itle", "does not print"),
        ("* title", "* títle", "does not print"),
    ],
)
def test_a_fault_is_found(old: str, new: str, message: str) -> None:
    assert old in SOUND
    with pytest.raises(InputError) as caught:
        check_deck(SOUND.replace(old, new, 1))
    assert message in str(caught.value)


def test_upper_case_is_a_fault_of_file_names_only() -> None:
    loud = "\n".join(line if "." in line.strip(".") else line.upper() for line in SOUND.splitlines()) + "\n"
    assert ".SUBCKT" in loud
    assert check_deck(loud) == loud


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(InputError) as caught:
        check_deck(SOUND.replace(".tran", ".lib x\n.tran").replace("R2", "R1"))
    assert str(caught.value).count("\n  - line") == 2
