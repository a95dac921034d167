"""Optimizers by name, and checks of those that the caller provides."""

from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.adam import adam

from gatewise.training.validation import chosen, finite, kind, positive

FUSED = ("cpu", "cuda")  # devices with one kernel for all parameters: a third of the time on small networks


class Algorithm(Protocol):
    """The part of a torch optimizer that a training uses."""

    param_groups: list[dict[str, Any]]

    def step(self) -> Any:
        """Update the parameters."""


class Adam:
    """torch.optim.Adam by its functional form, with the same results.

    The first torch optimizer in a process imports torch's compiler, which takes a second; this form does not.

    Reference: Kingma and Ba, Adam: a method for stochastic optimization, 2015.
    """

    def __init__(self, parameters: list[Tensor], lr: float) -> None:
        self.param_groups: list[dict[str, Any]] = [{"params": parameters, "lr": lr}]
        self.fused = all(one.is_floating_point() and one.device.type in FUSED for one in parameters)
        self.state: dict[Tensor, tuple[Tensor, Tensor, Tensor]] = {}

    @torch.no_grad()
    def step(self) -> None:
        """Update the parameters that have a gradient."""
        (group,) = self.param_groups
        parameters = [parameter for parameter in group["params"] if parameter.grad is not None]
        if not parameters:
            return
        for parameter in parameters:
            if parameter.grad.is_sparse:
                raise RuntimeError("Adam needs dense gradients; pass optimizer=torch.optim.SparseAdam(...)")
            if parameter not in self.state:
                steps = torch.zeros((), dtype=torch.float32, device=parameter.device if self.fused else "cpu")
                mean, square = (torch.zeros_like(parameter, memory_format=torch.preserve_format) for _ in range(2))
                self.state[parameter] = mean, square, steps
        means, squares, steps_of_each = zip(*(self.state[parameter] for parameter in parameters), strict=True)
        adam(
            parameters,
            [parameter.grad for parameter in parameters],
            list(means),
            list(squares),
            [],
            list(steps_of_each),
            foreach=False if self.fused else None,
            fused=self.fused,
            has_complex=any(parameter.is_complex() for parameter in parameters),
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=group["lr"],
            weight_decay=0.0,
            eps=1e-8,
            maximize=False,
        )


class GradientDescent:
    """torch.optim.SGD without momentum: `weight -= lr * gradient`."""

    def __init__(self, parameters: list[Tensor], lr: float) -> None:
        self.param_groups: list[dict[str, Any]] = [{"params": parameters, "lr": lr}]

    @torch.no_grad()
    def step(self) -> None:
        """Update the parameters that have a gradient."""
        (group,) = self.param_groups
        for parameter in group["params"]:
            if parameter.grad is not None:
                parameter.add_(parameter.grad, alpha=-group["lr"])


OPTIMIZERS: dict[str, Callable[[list[Tensor], float], Algorithm]] = {"adam": Adam, "sgd": GradientDescent}
LEARNING_RATES = {"adam": 1e-3, "sgd": 1e-2}  # by default


def build_optimizer(
    module: torch.nn.Module, optimizer: str | Optimizer, lr: float | None
) -> tuple[Algorithm, list[Tensor]]:
    """The optimizer, and the parameters that it trains."""
    trainable: list[Tensor] = [parameter for parameter in module.parameters() if parameter.requires_grad]
    if not trainable:
        raise ValueError(
            "module has no parameter that requires a gradient, so nothing can be trained; unfreeze a parameter"
        )
    if not finite(trainable):
        raise ValueError("module has weights that are NaN or infinite before training; initialise it again")
    if isinstance(optimizer, str):
        rate = chosen("optimizer", optimizer, LEARNING_RATES) if lr is None else positive("lr", lr)
        return chosen("optimizer", optimizer, OPTIMIZERS)(trainable, rate), trainable
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"optimizer is {kind(optimizer)}, expected 'adam', 'sgd' or a torch.optim.Optimizer")
    if lr is not None:
        raise ValueError("lr and an optimizer are both given; set the learning rate in the optimizer")
    if isinstance(optimizer, torch.optim.LBFGS):
        raise ValueError(
            "LBFGS evaluates the loss several times per step, but fit evaluates it once; use another optimizer"
        )
    owned = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    ids = {id(parameter) for parameter in trainable}
    if not all(id(parameter) in ids for parameter in owned):
        raise ValueError("optimizer has parameters that module does not train; build it from module.parameters()")
    return optimizer, owned
