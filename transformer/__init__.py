"""The models of one story, in its order: RNN, attention, multi-head attention, the Transformer.

Written with the public names of `minitorch` only.  Shapes are (batch, n, d): n positions of width d.
"""

from minitorch import causal_mask
from transformer.attention import MultiHeadAttention, scaled_dot_product_attention
from transformer.decoder import DecoderBlock
from transformer.encoder import EncoderBlock
from transformer.feedforward import FeedForward
from transformer.model import DecoderOnly, Encoder, Transformer
from transformer.position import sinusoidal
from transformer.recurrent import RNN

__all__ = [
    "RNN",
    "DecoderBlock",
    "DecoderOnly",
    "Encoder",
    "EncoderBlock",
    "FeedForward",
    "MultiHeadAttention",
    "Transformer",
    "causal_mask",
    "scaled_dot_product_attention",
    "sinusoidal",
]
