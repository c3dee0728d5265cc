"""Training of quantised networks (Deng et al., 2018) with PyTorch, of the extra `qnn`, which no other package needs."""

from mtjspice.errors import InputError

try:
    import torch  # noqa: F401
except ModuleNotFoundError as error:
    raise InputError("quantised networks need PyTorch: pip install 'mtjspice[qnn]', the extra `qnn`") from error
