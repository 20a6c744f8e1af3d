"""The models of one story, in its order: RNN, LSTM, GRU, seq2seq, attention, several heads, the Transformer's encoder.

Written with the public names of `minitorch` only.  Shapes are (batch, n, d): n positions of width d.
"""

from minitorch import causal_mask
from transformer.attention import MultiHeadAttention, scaled_dot_product_attention
from transformer.encoder import EncoderBlock
from transformer.feedforward import FeedForward
from transformer.position import sinusoidal
from transformer.recurrent import RNN
from transformer.recurrent_layers import GRU, LSTM, Recurrent
from transformer.seq2seq import Seq2Seq

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "EncoderBlock",
    "FeedForward",
    "MultiHeadAttention",
    "Recurrent",
    "Seq2Seq",
    "causal_mask",
    "scaled_dot_product_attention",
    "sinusoidal",
]
