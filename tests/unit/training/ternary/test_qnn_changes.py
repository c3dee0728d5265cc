"""Changes of parameters, against PyTorch's own."""

from typing import Any

import numpy as np
import pytest

from mtjspice.training.ternary.plan import Proposer

torch = pytest.importorskip("torch", reason="PyTorch is missing; pip install 'mtjspice[qnn]'")
qnn: Any = pytest.importorskip("mtjspice.training.ternary.qnn.changes")


def test_adam_is_pytorchs() -> None:
    source = np.random.default_rng(1)
    own, theirs = qnn.Changes(Proposer.ADAM, 50, "cpu"), torch.zeros(50, requires_grad=True)
    optimiser, place = torch.optim.Adam([theirs], lr=0.01), torch.zeros(50)
    for _ in range(20):
        gradient = torch.from_numpy(source.standard_normal(50).astype(np.float32))
        theirs.grad = gradient.clone()
        optimiser.step()
        place += own.of(gradient, 0.01)
    np.testing.assert_allclose(place.numpy(), theirs.detach().numpy(), rtol=1e-4, atol=1e-6)
