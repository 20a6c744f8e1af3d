"""How wrong is a model about the next token?  Cross entropy with a smoothed target, summed over the tokens there are.

    L = -sum_t log p(y_t | y_<t, x)              with smoothing e: the target is (1 - e) onehot(y_t) + e / vocabulary

Source: Vaswani et al. 2017, section 5.4; Szegedy et al. 2015 (arXiv 1512.00567), section 7.
Padding counts for nothing.
"""

from __future__ import annotations

import minitorch as mt
from minitorch import nn
from transformer.batches import Batch
from transformer.vocabulary import PAD


def sequence_loss(model: nn.Module, batch: Batch, label_smoothing: float = 0.0) -> mt.Tensor:
    """The loss of all tokens together, a scalar: divide by `batch.tokens` for the mean.

    Args:
        model: `model(source, target, lengths)` for a batch with a source, else `model(target)`; gives logits
            (batch, m, vocabulary), of which those at t are about token t + 1.
        batch: what it reads and is to write.
        label_smoothing: how much of the target is spread over the vocabulary, 0 to 1.
    """
    read, write = batch.target[:, :-1], batch.target[:, 1:]  # (batch, m) both: the decoder reads what it wrote last
    logits = model(read) if batch.source is None else model(batch.source, read, batch.lengths)  # (batch, m, vocabulary)
    return mt.cross_entropy(logits, write, "sum", ignore_index=PAD, label_smoothing=label_smoothing)


def mean_loss(model: nn.Module, batches: list[Batch]) -> float:
    """The loss of a token, in nats, over some batches, without smoothing and without dropout."""
    was_training = model.training
    model.eval()
    try:
        with mt.no_grad():
            total = sum(float(sequence_loss(model, batch)) for batch in batches)
    finally:
        model.train(was_training)
    return total / max(1, sum(batch.tokens for batch in batches))
