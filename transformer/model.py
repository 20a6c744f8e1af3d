"""What is the Transformer, from tokens to guesses?  Three models of the same blocks.

    Encoder       reads a text:       h = blocks(embed(tokens))
    Decoder       continues a text:   logits = blocks(embed(tokens)) E^T,  each position seeing its past alone
    Transformer   translates:         logits = decoder blocks(embed(target), memory = Encoder(source)) E^T

Source: Vaswani et al. 2017 (arXiv 1706.03762), section 3; Devlin et al. 2019 (BERT, encoder alone); Radford et al. 2018
(GPT, decoder alone).

Tokens are integers (batch, n), padded at the end.  What can be chosen stands in `plan.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import minitorch as mt
from minitorch import nn
from transformer.cache import State, positions_after
from transformer.embedding import Embedding, check_tokens
from transformer.mask import real_tokens
from transformer.plan import Plan, planned
from transformer.vocabulary import PAD


@planned
class Encoder(nn.Module):
    """Tokens (batch, n) -> what each of them means in its text, (batch, n, d).

    Args:
        size: how many tokens there are.
        options: see `Plan`.

    >>> Encoder(10, d=8, h=2, layers=1, d_ff=16)(np.array([[3, 4, 5]])).shape
    (1, 3, 8)
    """

    def __init__(self, size: int, **options: Any):
        self.plan = Plan.of("Encoder", options)
        self.embedding = Embedding(size, self.plan)
        self.blocks = nn.ModuleList([self.plan.encoder_block() for _ in range(self.plan.layers)])
        self.norm = self.plan.last_norm()

    @property
    def config(self) -> dict[str, Any]:
        """`Encoder(**config)` is a model of the same shape."""
        return self.plan.config(size=self.embedding.size)

    def forward(self, tokens: Any, lengths: Any = None, *, attention: list[np.ndarray] | None = None) -> mt.Tensor:
        """tokens (batch, n) -> (batch, n, d).

        Args:
            lengths: (batch,) of the texts; unless given, the token PAD is padding.
            attention: a list that gets the weights (batch, h, n, n) of each layer appended.
        """
        tokens = check_tokens("Encoder", tokens, self.embedding.size)
        real = _real(tokens, lengths)  # (batch, n)
        x = self.embedding(tokens)  # (batch, n, d)
        for block in self.blocks:
            x = block(x, real=real, attention=attention)
        return self.norm(x)


@planned
class DecoderOnly(nn.Module):
    """Tokens (batch, n) -> for each position, how well each token would come next, (batch, n, size).

    Args:
        size: how many tokens there are.
        options: see `Plan`.

    >>> model, cache = DecoderOnly(10, d=8, h=2, layers=1, d_ff=16), {}
    >>> model(np.array([[3, 4, 5]]), cache).shape, model(np.array([[6]]), cache).shape
    ((1, 3, 10), (1, 1, 10))
    """

    def __init__(self, size: int, **options: Any):
        self.plan = Plan.of("DecoderOnly", options)
        self.embedding = Embedding(size, self.plan)
        self.blocks = nn.ModuleList([self.plan.encoder_block(causal=True) for _ in range(self.plan.layers)])
        self.norm = self.plan.last_norm()
        self.head = None if self.plan.tied else nn.Linear(self.plan.d, size, bias=False)

    @property
    def config(self) -> dict[str, Any]:
        """`DecoderOnly(**config)` is a model of the same shape."""
        return self.plan.config(size=self.embedding.size)

    def forward(
        self,
        tokens: Any,
        cache: dict[str, Any] | None = None,
        lengths: Any = None,
        *,
        attention: list[np.ndarray] | None = None,
    ) -> mt.Tensor:
        """tokens (batch, n) -> logits (batch, n, size).

        Args:
            cache: the tokens before these, which it gets added to in place; {} where there are none yet.
            lengths: (batch,), how many of the new tokens are real; all unless given.
            attention: a list that gets the weights (batch, h, n, m) of each layer appended.
        """
        tokens = check_tokens("DecoderOnly", tokens, self.embedding.size)
        batch, n = tokens.shape
        real = None if lengths is None else real_tokens(lengths, n)  # (batch, n)
        past = None if cache is None else cache.setdefault("layers", [{} for _ in self.blocks])
        at = None if past is None else positions_after(past[0], batch, n)  # (batch, n)
        x = self.embedding(tokens, at)  # (batch, n, d)
        for k, block in enumerate(self.blocks):
            x = block(x, real=real, cache=None if past is None else past[k], attention=attention)
        x = self.norm(x)
        return self.embedding.logits(x) if self.head is None else self.head(x)  # (batch, n, size)

    def start(self, tokens: Any, lengths: Any = None) -> State:
        """The state after the texts `tokens` (batch, n), of `lengths` (batch,)."""
        with mt.no_grad():
            self(tokens, cache := {}, lengths)
        return cache

    def step(self, tokens: Any, state: State, attention: list[np.ndarray] | None = None) -> tuple[mt.Tensor, State]:
        """One more token for each text, (batch,) -> logits (batch, size) of the next, and the state after it.

        The state that was given stays as it is.
        """
        state = {"layers": [dict(layer) for layer in state["layers"]]}
        with mt.no_grad():
            return self(np.asarray(tokens)[:, None], state, attention=attention)[:, 0], state


@planned
class Transformer(nn.Module):
    """Source (batch, m) and target (batch, n) -> how well each token would come next, (batch, n, target_size).

    Args:
        source_size, target_size: how many tokens there are.
        options: see `Plan`.

    >>> model = Transformer(10, 12, d=8, h=2, layers=1, d_ff=16)
    >>> model(np.array([[3, 4, 5]]), np.array([[1, 7]])).shape
    (1, 2, 12)
    """

    def __init__(self, source_size: int, target_size: int, **options: Any):
        self.plan = Plan.of("Transformer", options)
        self.encoder = Encoder(source_size, **options)
        if self.plan.shared and source_size != target_size:
            raise mt.OperandError(
                f"Transformer: shared=True, and vocabularies of {source_size} and {target_size} tokens; "
                "one table serves one vocabulary."
            )
        self.embedding = self.encoder.embedding if self.plan.shared else Embedding(target_size, self.plan)
        self.blocks = nn.ModuleList([self.plan.decoder_block() for _ in range(self.plan.layers)])
        self.norm = self.plan.last_norm()
        self.head = None if self.plan.tied else nn.Linear(self.plan.d, target_size, bias=False)

    @property
    def config(self) -> dict[str, Any]:
        """`Transformer(**config)` is a model of the same shape."""
        source, target = self.encoder.embedding.size, self.embedding.size
        return self.plan.config(source_size=source, target_size=target)

    def forward(self, source: Any, target: Any, source_lengths: Any = None) -> mt.Tensor:
        """source (batch, m), target (batch, n), which starts with BOS -> logits (batch, n, target_size).

        logits[:, t] guess target[:, t + 1].  Without `source_lengths` (batch,) the token PAD is padding.
        """
        source = check_tokens("Transformer, source", source, self.encoder.embedding.size)
        memory = self.encoder(source, source_lengths)  # (batch, m, d)
        read = [memory] * len(self.blocks)
        return self._decoded(target, read, _real(source, source_lengths))

    def start(self, source: Any, source_lengths: Any = None) -> State:
        """The state before the first token: each layer's keys and values of the source (batch, m)."""
        source = check_tokens("Transformer, source", source, self.encoder.embedding.size)
        with mt.no_grad():
            memory = self.encoder(source, source_lengths)  # (batch, m, d)
            pairs = [block.cross_attention.keys_values(memory) for block in self.blocks]  # (batch, h_kv, m, d_k)
        read = [{"K": K.numpy(), "V": V.numpy()} for K, V in pairs]
        return {"memory": read, "real": _real(source, source_lengths), "past": [{} for _ in self.blocks]}

    def step(self, tokens: Any, state: State, attention: list[np.ndarray] | None = None) -> tuple[mt.Tensor, State]:
        """One more token for each text, (batch,) -> logits (batch, target_size) of the next, and the state after.

        Args:
            attention: a list that gets the weights (batch, h, 1, m) of each layer to the source appended.

        The state that was given stays as it is.
        """
        logits, state = self.extend(np.asarray(tokens)[:, None], state, attention)
        return logits[:, 0], state

    def extend(self, tokens: Any, state: State, attention: list[np.ndarray] | None = None) -> tuple[mt.Tensor, State]:
        """Several tokens (batch, n) at once -> logits (batch, n, target_size), and the state after them."""
        past = [dict(layer) for layer in state["past"]]
        with mt.no_grad():
            read = [(mt.tensor(layer["K"]), mt.tensor(layer["V"])) for layer in state["memory"]]
            logits = self._decoded(tokens, read, state["real"], past, attention)
        return logits, {**state, "past": past}

    def _decoded(self, target: Any, read: list[Any], real: np.ndarray, past: Any = None, attention: Any = None):
        """target (batch, n), for each layer what it reads of the source, and its past -> logits."""
        target = check_tokens("Transformer, target", target, self.embedding.size)
        at = None if past is None else positions_after(past[0], *target.shape)  # (batch, n)
        x = self.embedding(target, at)  # (batch, n, d)
        for k, block in enumerate(self.blocks):
            cache = None if past is None else past[k]
            x = block(x, read[k], memory_real=real, cache=cache, attention=attention)
        x = self.norm(x)
        return self.embedding.logits(x) if self.head is None else self.head(x)  # (batch, n, target_size)


def _real(tokens: np.ndarray, lengths: Any) -> np.ndarray:
    """(batch, n), False for padding."""
    return tokens != PAD if lengths is None else real_tokens(lengths, tokens.shape[1])


def continuing(prompt: Any, lengths: Any = None) -> dict[str, Any]:
    """What a `DecoderOnly` is to be decoded from, so that it goes on with the texts of a prompt (batch, n).

    The last token of each text is the first that is stepped with; those before it are the source.

    >>> found = continuing([[5, 6, 7], [8, 0, 0]], [3, 1])
    >>> found["source_lengths"].tolist(), found["first"].tolist()
    ([2, 0], [7, 8])
    """
    prompt = np.asarray(prompt)
    lengths = np.full(len(prompt), prompt.shape[1]) if lengths is None else np.asarray(lengths)
    if not real_tokens(lengths, prompt.shape[1]).any(-1).all():
        raise mt.ShapeError(f"continuing: row {int(lengths.argmin())} is empty; a text goes on from at least 1 token.")
    return {"source": prompt, "source_lengths": lengths - 1, "first": prompt[np.arange(len(prompt)), lengths - 1]}
