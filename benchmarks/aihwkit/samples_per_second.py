"""Samples per second and core of aihwkit, in an environment of its own: 784-100-10, tanh, one sample at a time.

Analog layers with a bias and ConstantStep devices, whose updates are trains of stochastic pulses; converters and noise
as they are by default. Images are drawn, 19 % of their pixels set. Prints one number: of CPU time, the best of three.
"""

import time

import torch
from aihwkit.nn import AnalogLinear, AnalogSequential
from aihwkit.optim import AnalogSGD
from aihwkit.simulator.configs import ConstantStepDevice, SingleRPUConfig

SAMPLES = 1000


def main() -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    torch.manual_seed(1)
    config = SingleRPUConfig(device=ConstantStepDevice())
    network = AnalogSequential(
        AnalogLinear(784, 100, bias=True, rpu_config=config),
        torch.nn.Tanh(),
        AnalogLinear(100, 10, bias=True, rpu_config=config),
        torch.nn.Tanh(),
    )
    optimiser = AnalogSGD(network.parameters(), lr=0.05)
    optimiser.regroup_param_groups(network)
    x = torch.rand(SAMPLES, 784).sqrt() * (torch.rand(SAMPLES, 784) < 0.19)
    targets = torch.full((SAMPLES, 10), -1.0)
    targets[torch.arange(SAMPLES), torch.randint(0, 10, (SAMPLES,))] = 1.0
    loss, shortest_s = torch.nn.MSELoss(), float("inf")
    for _ in range(3):
        start = time.process_time()
        for n in range(SAMPLES):
            optimiser.zero_grad()
            loss(network(x[n : n + 1]), targets[n : n + 1]).backward()
            optimiser.step()
        shortest_s = min(shortest_s, time.process_time() - start)
    print(SAMPLES / shortest_s)


if __name__ == "__main__":
    main()
