"""How is a model trained?  Optimizers over groups of parameters, clipping, and schedules of the learning rate.

optimizer = mt.optim.AdamW(model.parameters(), lr=3e-4)
schedule = mt.optim.CosineAnnealingLR(optimizer, T_max=1000)
loss.backward()
mt.optim.clip_grad_norm_(model.parameters(), 1.0)
optimizer.step(), schedule.step(), optimizer.zero_grad()
"""

from minitorch.optim.clip import clip_grad_norm_, clip_grad_value_
from minitorch.optim.descent import SGD, Adagrad, Adam, AdamW, RMSprop
from minitorch.optim.optimizer import Optimizer
from minitorch.optim.schedule import (
    CosineAnnealingLR,
    ExponentialLR,
    InverseSqrtLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiStepLR,
    StepLR,
)

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "CosineAnnealingLR",
    "ExponentialLR",
    "InverseSqrtLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "Optimizer",
    "RMSprop",
    "StepLR",
    "clip_grad_norm_",
    "clip_grad_value_",
]
