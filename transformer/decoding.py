"""What does a model write?  One token after the other, each chosen from the logits that those before it give.

    greedy   y_t = argmax_v p(v | y_<t, x)
    sample   y_t ~ p(v | y_<t, x)^(1/T), of the k likeliest, or of the fewest that have probability p together

Source: top-k: Fan et al. 2018 (arXiv 1805.04833), section 5.1; top-p (nucleus): Holtzman et al. 2020 (arXiv
1904.09751), section 3.1.  `beam.py` searches instead.

Any model will do, recurrent or not, that has

    state = model.start(source, source_lengths)
    logits, state = model.step(tokens, state)        # (batch,) -> (batch, vocabulary)

with a state that is a tree of arrays whose axis 0 is the batch.  It is run without gradients and without dropout.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import numpy as np

import minitorch as mt
from transformer.cache import State
from transformer.vocabulary import BOS, EOS, PAD


class StepwiseModel(Protocol):
    """What can be decoded."""

    def start(self, source: Any, source_lengths: Any = None) -> State:
        """The state after the source has been read and before anything is written."""
        ...

    def step(self, tokens: Any, state: State) -> tuple[Any, State]:
        """The last tokens (batch,) -> logits of the next ones (batch, vocabulary), and the state after them."""
        ...


def greedy(
    model: StepwiseModel,
    source: Any,
    source_lengths: Any = None,
    *,
    length: int = 64,
    first: Any = BOS,
) -> np.ndarray:
    """The likeliest token, step by step.

    Args:
        model: has `start` and `step`.
        source, source_lengths: what `model.start` takes; axis 0 of the source is the batch.
        length: how many tokens are written at most, EOS included.
        first: what the decoder reads first, one token or one for each row.

    Returns:
        Tokens (batch, m), m <= length: without the first, EOS included, then PAD.

    Raises:
        minitorch.OperandError: length is below 1, or the model's logits are NaN; says at which step.
    """
    return _written(model, source, source_lengths, lambda logp: logp.argmax(-1), length, first)


def sample(
    model: StepwiseModel,
    source: Any,
    source_lengths: Any = None,
    *,
    seed: int,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    length: int = 64,
    first: Any = BOS,
) -> np.ndarray:
    """Tokens drawn at random; the same seed draws the same ones.

    Args:
        seed: of the draws, which are independent of `minitorch.seed`.
        temperature: T > 0; below 1 the likely become likelier.
        top_k: draw from the k likeliest only.
        top_p: then, from the fewest of these whose probability is at least p together.

    The other arguments, the result and the errors are those of `greedy`.
    """
    if not 0 < temperature < np.inf:
        raise mt.OperandError(f"sample: temperature={temperature}; it is a number above 0. Use greedy instead of 0?")
    if top_k is not None and top_k < 1:
        raise mt.OperandError(f"sample: top_k={top_k}; at least 1 token is drawn from. Use None for all?")
    if top_p is not None and not 0 < top_p <= 1:
        raise mt.OperandError(f"sample: top_p={top_p} is no probability above 0. Use None for all tokens?")
    rng = np.random.default_rng(seed)

    def draw(logp: np.ndarray) -> np.ndarray:
        p = likely(log_softmax(logp / temperature), top_k, top_p)  # (batch, vocabulary)
        below = p.cumsum(-1)
        u = rng.random((len(p), 1)) * below[:, -1:]
        return (below > u).argmax(-1)

    return _written(model, source, source_lengths, draw, length, first)


def likely(logp: np.ndarray, top_k: int | None = None, top_p: float | None = None) -> np.ndarray:
    """Log-probabilities (..., vocabulary) -> probabilities of the likeliest tokens, which sum to 1; 0 for the others.

    >>> likely(np.log([0.1, 0.5, 0.4]), top_p=0.8).round(3).tolist()
    [0.0, 0.556, 0.444]
    """
    order = np.argsort(-logp, -1, kind="stable")  # the likeliest first
    p = np.exp(np.take_along_axis(logp, order, -1))
    if top_k is not None:
        p[..., top_k:] = 0
        p /= p.sum(-1, keepdims=True)
    if top_p is not None:
        p[p.cumsum(-1) - p >= top_p] = 0  # those before it are enough; the first always stays
        p /= p.sum(-1, keepdims=True)
    kept = np.zeros_like(p)
    np.put_along_axis(kept, order, p, -1)
    return kept


def log_softmax(logits: Any) -> np.ndarray:
    """Logits (..., vocabulary) -> log-probabilities in float64."""
    return np.asarray(mt.log_softmax(np.asarray(logits, np.float64), axis=-1))


@contextmanager
def reading_only(model: Any) -> Iterator[None]:
    """No gradients and no dropout inside; afterwards each module trains, or does not, as before."""
    modules = list(model.modules()) if isinstance(model, mt.Module) else []
    before = [module.training for module in modules]
    for module in modules:
        module.training = False
    try:
        with mt.no_grad():
            yield
    finally:
        for module, training in zip(modules, before, strict=True):
            module.training = training


def log_probabilities(model: StepwiseModel, tokens: np.ndarray, state: State, t: int) -> tuple[np.ndarray, State]:
    """One step: log p of each next token (batch, vocabulary), and the state after it."""
    logits, state = model.step(tokens, state)
    if (wrong := np.isnan(np.asarray(logits)).any(-1)).any():
        raise mt.OperandError(
            f"decoding: the logits of row {int(wrong.argmax())} are NaN at step {t}. Look with mt.detect_anomaly()?"
        )
    return log_softmax(logits), state


def check_length(length: int) -> None:
    """Refuse to write nothing."""
    if length < 1:
        raise mt.OperandError(f"decoding: length={length}; at least 1 token is written.")


def _written(
    model: StepwiseModel,
    source: Any,
    source_lengths: Any,
    choose: Callable[[np.ndarray], np.ndarray],
    length: int,
    first: Any,
) -> np.ndarray:
    """Tokens (batch, m), each chosen from log-probabilities (batch, vocabulary), until every row has ended."""
    check_length(length)
    tokens = np.array(np.broadcast_to(np.asarray(first), len(source)))  # (batch,)
    ended, written = np.zeros(len(tokens), bool), []
    with reading_only(model):
        state = model.start(source, source_lengths)
        for t in range(length):
            if ended.all():
                break
            logp, state = log_probabilities(model, tokens, state, t)
            tokens = np.where(ended, PAD, choose(logp))
            written.append(tokens)
            ended |= tokens == EOS
    return np.stack(written, axis=1) if written else np.zeros((len(tokens), 0), int)
