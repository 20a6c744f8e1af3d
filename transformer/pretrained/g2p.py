"""How is a word spoken that stands in no dictionary?  The GRU encoder-decoder that the package g2p-en ships.

    r = sigmoid(W_ir x + b_ir + W_hr h + b_hr),   z = sigmoid(W_iz x + b_iz + W_hz h + b_hz)
    n = tanh(W_in x + b_in + r (W_hn h + b_hn)),  h' = (1 - z) n + z h

The encoder reads the letters and `</s>`; its last state is all that the decoder gets: a seq2seq without attention
(Sutskever et al. 2014, arXiv 1409.3215; Cho et al. 2014, arXiv 1406.1078, for the gates).  Weights and symbols: g2p-en
2.1.0 (Apache-2.0).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import minitorch as mt
from minitorch import nn
from transformer.pretrained.files import npz, packaged
from transformer.pretrained.names import fill

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

GRAPHEMES = ["<pad>", "<unk>", "</s>", *"abcdefghijklmnopqrstuvwxyz"]
_SIGNS = (
    "<pad> <unk> <s> </s> AA0 AA1 AA2 AE0 AE1 AE2 AH0 AH1 AH2 AO0 AO1 AO2 AW0 AW1 AW2 AY0 AY1 AY2 B CH D DH EH0 EH1 "
    "EH2 ER0 ER1 ER2 EY0 EY1 EY2 F G HH IH0 IH1 IH2 IY0 IY1 IY2 JH K L M N NG OW0 OW1 OW2 OY0 OY1 OY2 P R S SH T TH "
    "UH0 UH1 UH2 UW UW0 UW1 UW2 V W Y Z ZH"
)
PHONEMES = _SIGNS.split()
UNKNOWN, END = 1, 2  # of GRAPHEMES
BOS, EOS = 2, 3  # of PHONEMES; this model has its own numbers
LONGEST = 20  # phonemes, as in the package
NAMES = {
    "letters.weight": "enc_emb",
    "encoder.weight_ih": "enc_w_ih",
    "encoder.weight_hh": "enc_w_hh",
    "encoder.bias_ih": "enc_b_ih",
    "encoder.bias_hh": "enc_b_hh",
    "phonemes.weight": "dec_emb",
    "decoder.weight_ih": "dec_w_ih",
    "decoder.weight_hh": "dec_w_hh",
    "decoder.bias_ih": "dec_b_ih",
    "decoder.bias_hh": "dec_b_hh",
    "head.weight": "fc_w",
    "head.bias": "fc_b",
}


class GRUStep(nn.Module):
    """One step of a GRU, in PyTorch's layout: the rows of the weights are those of r, z and n."""

    def __init__(self, d: int):
        bound = d**-0.5
        self.weight_ih = nn.Parameter(nn.uniform((3 * d, d), bound))
        self.weight_hh = nn.Parameter(nn.uniform((3 * d, d), bound))
        self.bias_ih = nn.Parameter(nn.uniform((3 * d,), bound))
        self.bias_hh = nn.Parameter(nn.uniform((3 * d,), bound))

    def forward(self, x: mt.Tensor, h: Any) -> mt.Tensor:
        """x (batch, d), h (batch, d) -> the next h (batch, d)."""
        d = x.shape[-1]
        a, b = mt.linear(x, self.weight_ih, self.bias_ih), mt.linear(h, self.weight_hh, self.bias_hh)  # (batch, 3 d)
        r, z = mt.sigmoid(a[:, :d] + b[:, :d]), mt.sigmoid(a[:, d : 2 * d] + b[:, d : 2 * d])
        n = mt.tanh(a[:, 2 * d :] + r * b[:, 2 * d :])
        return (1 - z) * n + z * h


class G2PEn(nn.Module):
    """Letters (batch, n), phonemes (batch, m) -> logits (batch, m, 74).  d is the width of everything."""

    def __init__(self, *, d: int = 256):
        self.config = {"d": d}
        self.letters, self.phonemes = nn.Embedding(len(GRAPHEMES), d), nn.Embedding(len(PHONEMES), d)
        self.encoder, self.decoder = GRUStep(d), GRUStep(d)
        self.head = nn.Linear(d, len(PHONEMES))

    def forward(self, source: np.ndarray, target: np.ndarray, source_lengths: np.ndarray | None = None) -> mt.Tensor:
        """Teacher forcing: source (batch, n), target (batch, m) from BOS on -> logits (batch, m, 74), where row t is of
        target t + 1."""
        state, logits = self.start(source, source_lengths), []
        for t in range(np.shape(target)[1]):
            with mt.step(t):
                row, state = self.step(np.asarray(target)[:, t], state)
            logits.append(row)
        return mt.stack(logits, axis=1)

    def start(self, source: np.ndarray, source_lengths: np.ndarray | None = None) -> mt.Tensor:
        """source (batch, n), the real lengths (batch,) -> the encoder's last state (batch, d)."""
        source = np.asarray(source)
        if source.ndim != 2 or not source.shape[1]:
            raise mt.ShapeError(f"G2PEn: source of shape {source.shape}; it takes (batch, n) with at least END.")
        x = self.letters(source)  # (batch, n, d)
        h: Any = np.zeros((len(source), self.config["d"]), x.dtype)
        for t in range(source.shape[1]):
            with mt.step(t):
                new = self.encoder(x[:, t], h)
                h = new if source_lengths is None else mt.where((t < np.asarray(source_lengths))[:, None], new, h)
        return h

    def step(self, tokens: np.ndarray, state: Any, attention: list[Any] | None = None) -> tuple[mt.Tensor, mt.Tensor]:
        """tokens (batch,), state (batch, d) -> logits (batch, 74), the next state; there is no attention to append."""
        state = self.decoder(self.phonemes(np.asarray(tokens)), state)
        return self.head(state), state

    def spell(self, words: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Words -> source (batch, n) and lengths (batch,); capitals are taken as small, other signs as `<unk>`, as the
        package does (the apostrophe too)."""
        index = {letter: i for i, letter in enumerate(GRAPHEMES) if len(letter) == 1}
        rows = [[*(index.get(letter, UNKNOWN) for letter in word.lower()), END] for word in words]
        lengths = np.array([len(row) for row in rows], int)
        source = np.zeros((len(rows), lengths.max(initial=1)), int)
        for row, filled in zip(rows, source, strict=True):
            filled[: len(row)] = row
        return source, lengths

    def pronounce(self, words: Sequence[str]) -> list[list[str]]:
        """The most probable phoneme at each step, at most 20, for each word."""
        if isinstance(words, str):
            raise mt.OperandError(f"pronounce: got the text {words!r}; it takes a list of words.")
        with mt.no_grad():
            state, tokens = self.start(*self.spell(words)), np.full(len(words), BOS)
            found: list[np.ndarray] = []
            for _ in range(LONGEST if len(words) else 0):
                logits, state = self.step(tokens, state)
                tokens = logits.numpy().argmax(-1)  # (batch,)
                found.append(tokens)
        spoken = []
        for row in np.array(found, int).reshape(len(found), len(words)).T:
            ends = np.flatnonzero(row == EOS)
            spoken.append([PHONEMES[i] for i in row[: ends[0] if len(ends) else None]])
        return spoken


def g2p_en(path: str | Path | None = None, dtype: DTypeLike = np.float32) -> G2PEn:
    """The model of the package g2p-en, with its weights.

    Args:
        path: its `checkpoint20.npz`; that of the installed package unless given.
        dtype: of the model.

    Raises:
        FileNotFoundError: the package or the file is not there.
        minitorch.StateError: the file is damaged, holds pickles, or is of another model.
    """
    file = packaged("g2p-en", "checkpoint20.npz") if path is None else Path(path)
    weights = npz(file)
    table = weights.get("enc_emb")
    with mt.default_dtype(dtype):
        model = G2PEn(d=table.shape[1] if table is not None and len(table.shape) == 2 else 256)
    fill(model, weights, NAMES, where=file)
    return model.eval()
