"""Which Transformer?  The choices that papers and models differ in, and the parts that follow from them.

Vaswani et al. 2017   norm="post", position="sinusoidal", activation="relu", normalization="layer"
BERT                  norm="post", position="learned", activation="gelu", embedding_norm=True, scaled=False
GPT-2                 norm="pre", position="learned", activation="gelu_tanh", scaled=False
LLaMA                 norm="pre", position="rotary", activation="swiglu", normalization="rms", bias=False,
                      kv_heads=..., scaled=False
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from inspect import Parameter, Signature, signature
from typing import Any, Literal, TypeVar

import minitorch as mt
from minitorch import nn
from transformer.attention import MultiHeadAttention
from transformer.decoder import DecoderBlock
from transformer.encoder import EncoderBlock, normalized
from transformer.feedforward import Activation
from transformer.position import KINDS, Position

Model = TypeVar("Model", bound=type)


@dataclass(frozen=True)
class Plan:
    """The sizes and choices of a Transformer, all JSON values.

    Attributes:
        d: width.
        h: heads of attention.
        layers: blocks; of an encoder-decoder, in each of the two.
        d_ff: hidden width of the feed-forward networks.
        dropout: after the embedding, after each sublayer, and inside the networks.
        attention_dropout: of the weights of attention.
        norm: "pre" or "post"; a model with "pre" has one more norm at its end.
        position: "sinusoidal", "learned", "rotary", "alibi", or None.
        longest: how many positions can be learned.
        activation: "relu", "gelu", "gelu_tanh", "swiglu".
        normalization: "layer" or "rms"; `eps` is added to the variance.
        bias: whether attention and networks add biases.
        kv_heads, d_k, window, method, base, interleaved: as for `MultiHeadAttention`.
        tied: whether logits are products with the embedded tokens (Press & Wolf 2017, arXiv 1608.05859).
        shared: whether source and target have one table of tokens (Vaswani et al., section 3.4).
        scaled: whether embedded tokens are multiplied by sqrt(d), as in the paper.
        embedding_norm: whether a norm follows the embedding.
    """

    d: int = 128
    h: int = 4
    layers: int = 3
    d_ff: int = 512
    dropout: float = 0.1
    attention_dropout: float = 0.0
    norm: Literal["pre", "post"] = "pre"
    position: Position | None = "sinusoidal"
    longest: int = 512
    activation: Activation = "relu"
    normalization: Literal["layer", "rms"] = "layer"
    eps: float = 1e-5
    bias: bool = True
    kv_heads: int | None = None
    d_k: int | None = None
    window: int | None = None
    method: Literal["dense", "chunked"] = "dense"
    base: float = 10000.0
    interleaved: bool = False
    tied: bool = True
    shared: bool = False
    scaled: bool = True
    embedding_norm: bool = False

    def __post_init__(self) -> None:
        if self.position is not None and self.position not in KINDS:
            known = ", ".join(repr(kind) for kind in KINDS)
            raise mt.OperandError(f"position is {self.position!r}; it can be {known} or None.")
        if self.layers < 1:
            raise mt.OperandError(f"layers={self.layers}; a model has at least 1.")

    @staticmethod
    def of(model: str, options: Mapping[str, Any]) -> Plan:
        """The plan with these options.

        Raises:
            minitorch.ArgumentError: an option that does not exist; says which do.
        """
        known = [f.name for f in fields(Plan)]
        if unknown := [name for name in options if name not in known]:
            raise mt.ArgumentError(f"{model}: no option {', '.join(unknown)}. Options: {', '.join(known)}.")
        return Plan(**options)

    def config(self, **sizes: int) -> dict[str, Any]:
        """Everything that builds the same model again, as JSON values."""
        return {**sizes, **asdict(self)}

    def attention(self, *, causal: bool = False) -> MultiHeadAttention:
        """Self-attention."""
        told = self.position if self.position in ("rotary", "alibi") else None
        order: dict[str, Any] = {"position": told, "window": self.window, "base": self.base}
        return MultiHeadAttention(
            self.d, self.h, causal=causal, interleaved=self.interleaved, **order, **self._attention()
        )

    def cross_attention(self) -> MultiHeadAttention:
        """Attention to a memory, in which there is no order."""
        return MultiHeadAttention(self.d, self.h, **self._attention())

    def encoder_block(self, *, causal: bool = False) -> EncoderBlock:
        """A block of an encoder, or, causal, of a decoder that reads no memory."""
        return EncoderBlock(self.d, self.attention(causal=causal), self.d_ff, **self._block())

    def decoder_block(self) -> DecoderBlock:
        """A block that reads a memory too."""
        return DecoderBlock(self.d, self.attention(causal=True), self.cross_attention(), self.d_ff, **self._block())

    def last_norm(self) -> nn.Module:
        """What stands after the blocks: a norm, if the last of them ends without one."""
        return normalized(self.d, self.normalization, self.eps) if self.norm == "pre" else nn.Identity()

    def _attention(self) -> dict[str, Any]:
        sizes = {"kv_heads": self.kv_heads, "d_k": self.d_k, "bias": self.bias}
        return {**sizes, "dropout": self.attention_dropout, "method": self.method}

    def _block(self) -> dict[str, Any]:
        names = ("norm", "activation", "bias", "dropout", "normalization", "eps")
        return {name: getattr(self, name) for name in names}


def planned(model: Model) -> Model:
    """A class whose constructor takes the options of a plan, shown with their defaults where it is asked what it takes.

    >>> @planned
    ... class Model:
    ...     def __init__(self, size: int, **options): ...
    >>> list(signature(Model).parameters)[:3]
    ['size', 'd', 'h']
    """
    own = [p for p in signature(model).parameters.values() if p.kind is not Parameter.VAR_KEYWORD]
    more = [p.replace(kind=Parameter.KEYWORD_ONLY) for p in signature(Plan).parameters.values()]
    model.__signature__ = Signature([*own, *more])  # type: ignore[attr-defined]
    return model
