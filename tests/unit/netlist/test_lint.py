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
.tran 1n 10n
.control
run
meas tran last find v(n1) at=1n
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
        (".tran", ".include /etc/passwd\n.tran", "directive not allowed"),
        (".tran", ".lib x y\n.tran", "directive not allowed"),
        (".tran", ".exec x\n.tran", "directive not allowed"),
        ("run\n", "run\nshell rm x\n", "not allowed in a .control block"),
        ("run\n", "run; shell rm x\n", "not allowed in a .control block"),
        ("run\n", "source other.cir\n", "not allowed in a .control block"),
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


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(InputError) as caught:
        check_deck(SOUND.replace(".tran", ".lib x\n.tran").replace("R2", "R1"))
    assert str(caught.value).count("\n  - line") == 2
