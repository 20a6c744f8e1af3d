"""How is a word spoken that stands in no dictionary?  The GRU encoder-decoder that the package g2p-en ships.

    s_0 = GRU(embed(letters, </s>)),    s_t = GRU(embed(phoneme_{t-1}), s_{t-1}),    phoneme_t = argmax W_out s_t + b

The last state of the encoder is all that the decoder gets: `Seq2Seq` without attention (Sutskever et al. 2014, arXiv
1409.3215), with the gates of Cho et al. 2014 (arXiv 1406.1078) in PyTorch's layout.  Weights and symbols: g2p-en
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
from transformer.seq2seq import Seq2Seq

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
    "embed_source.weight": "enc_emb",
    "encoder.weight_ih_l0": "enc_w_ih",
    "encoder.weight_hh_l0": "enc_w_hh",
    "encoder.bias_ih_l0": "enc_b_ih",
    "encoder.bias_hh_l0": "enc_b_hh",
    "embed_target.weight": "dec_emb",
    "decoder.weight_ih_l0": "dec_w_ih",
    "decoder.weight_hh_l0": "dec_w_hh",
    "decoder.bias_ih_l0": "dec_b_ih",
    "decoder.bias_hh_l0": "dec_b_hh",
    "W_out.weight": "fc_w",
    "W_out.bias": "fc_b",
}


class G2PEn(nn.Module):
    """Words to phonemes, as the package g2p-en does for those that it does not find in its dictionary.

    Args:
        model: `Seq2Seq` from GRAPHEMES to PHONEMES, whose numbers those are.
    """

    def __init__(self, model: Seq2Seq):
        self.model = model

    def forward(self, source: Any, target: Any, source_lengths: Any = None) -> mt.Tensor:
        """source (batch, n), target (batch, m) from BOS on -> logits (batch, m, 74), as `Seq2Seq` has them."""
        return self.model(source, target, source_lengths)

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
        if not len(words):
            return []
        with mt.no_grad():
            state, tokens = self.model.start(*self.spell(words)), np.full(len(words), BOS)
            found: list[np.ndarray] = []
            for _ in range(LONGEST):
                logits, state = self.model.step(tokens, state)
                tokens = logits.numpy().argmax(-1)  # (batch,)
                found.append(tokens)
        spoken = []
        for row in np.stack(found, axis=1):  # (batch, 20)
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
    d = table.shape[1] if table is not None and len(table.shape) == 2 and table.shape[1] else 256
    with mt.default_dtype(dtype):
        model = Seq2Seq(source_size=len(GRAPHEMES), target_size=len(PHONEMES), d=d, cell="gru")
    fill(model, weights, NAMES, where=file)
    return G2PEn(model).eval()
