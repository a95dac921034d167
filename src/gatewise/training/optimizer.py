"""Optimizers by name, and checks of those that the caller provides."""

import torch
from torch import Tensor
from torch.optim import Optimizer

from gatewise.training.validation import chosen, finite, kind, positive


def _adam(parameters: list[Tensor], lr: float) -> Optimizer:
    """Adam, as one fused kernel if torch has it: a third of the time on small networks."""
    if all(parameter.is_floating_point() and parameter.device.type in ("cpu", "cuda") for parameter in parameters):
        try:
            return torch.optim.Adam(parameters, lr=lr, fused=True)
        except RuntimeError:  # torch before 2.4 has no fused Adam on the CPU
            pass
    return torch.optim.Adam(parameters, lr=lr)


def _sgd(parameters: list[Tensor], lr: float) -> Optimizer:
    return torch.optim.SGD(parameters, lr=lr)


OPTIMIZERS = {"adam": _adam, "sgd": _sgd}
LEARNING_RATES = {"adam": 1e-3, "sgd": 1e-2}  # by default


def build_optimizer(
    module: torch.nn.Module, optimizer: str | Optimizer, lr: float | None
) -> tuple[Optimizer, list[Tensor]]:
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
