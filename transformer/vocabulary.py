"""Which number stands for which symbol?  Three numbers are the same for every vocabulary; the others come from data.

PAD = 0 fills the end of shorter sequences, BOS = 1 begins what a decoder reads, EOS = 2 ends what it writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from transformer.errors import DataError

PAD, BOS, EOS = 0, 1, 2
SPECIAL = ("<pad>", "<bos>", "<eos>")


class Vocabulary:
    """Symbols <-> ids.

    Args:
        symbols: each once; ids 3, 4, ... in this order.

    Raises:
        DataError: a symbol is there twice, is empty, or is one of the three special ones.

    >>> letters = Vocabulary.of(["CAB", "BAD"])
    >>> letters.symbols, len(letters)
    (('A', 'B', 'C', 'D'), 7)
    >>> letters.encode("CAB")
    [5, 3, 4]
    >>> letters.decode([1, 5, 3, 4, 2, 0])
    ['C', 'A', 'B']
    """

    def __init__(self, symbols: Iterable[str]):
        self.symbols = tuple(symbols)
        self._id = {symbol: k for k, symbol in enumerate((*SPECIAL, *self.symbols))}
        if wrong := [s for s in self.symbols if not isinstance(s, str) or not s or s in SPECIAL]:
            raise DataError(f"Vocabulary: {wrong[0]!r} cannot be a symbol; it is {', '.join(SPECIAL)} or no text.")
        if len(self._id) != len(SPECIAL) + len(self.symbols):
            twice = next(s for k, s in enumerate(self.symbols) if s in self.symbols[:k])
            raise DataError(f"Vocabulary: the symbol {twice!r} is there twice; each has one number.")

    @classmethod
    def of(cls, sequences: Iterable[Sequence[str]]) -> Vocabulary:
        """The vocabulary of all symbols in some sequences, sorted, so that the order of the data does not matter."""
        return cls(sorted({symbol for sequence in sequences for symbol in sequence}))

    def __len__(self) -> int:
        """How many ids there are, the three special ones included."""
        return len(self._id)

    def __contains__(self, symbol: object) -> bool:
        return symbol in self.symbols

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vocabulary) and self.symbols == other.symbols

    def __hash__(self) -> int:
        return hash(self.symbols)

    def __repr__(self) -> str:
        return f"Vocabulary({len(self.symbols)} symbols: {' '.join(self.symbols[:8])}{' ...' * (len(self) > 11)})"

    def encode(self, sequence: Sequence[str], where: str = "") -> list[int]:
        """The ids of some symbols, without BOS and EOS.

        Args:
            sequence: the symbols.
            where: how an error begins, such as a file and a line.

        Raises:
            DataError: symbols that are not known, all at once.
        """
        try:
            return [self._id[symbol] for symbol in sequence]
        except KeyError:
            unknown = sorted({symbol for symbol in sequence if symbol not in self._id})
            raise DataError(
                f"{where or repr(''.join(sequence))}: {', '.join(map(repr, unknown))} "
                f"{'are' if len(unknown) > 1 else 'is'} unknown; known are: {' '.join(self.symbols)}"
            ) from None

    def decode(self, ids: Iterable[int] | np.ndarray) -> list[str]:
        """The symbols up to the first EOS, without BOS and PAD.

        Raises:
            DataError: an id that no symbol has.
        """
        found = []
        for k in map(int, ids):
            if k == EOS:
                break
            if not 0 <= k < len(self):
                raise DataError(f"Vocabulary: there is no symbol {k}; ids are 0 to {len(self) - 1}.")
            if k not in (PAD, BOS):
                found.append(self.symbols[k - len(SPECIAL)])
        return found


def padded(sequences: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    """Ids in one array (batch, n), filled up with PAD, and their lengths (batch,), both int64.

    >>> padded([[5, 3, 2], [4, 2]])
    (array([[5, 3, 2],
           [4, 2, 0]]), array([3, 2]))
    """
    lengths = np.array([len(s) for s in sequences], np.int64)
    tokens = np.full((len(sequences), int(lengths.max(initial=0))), PAD, np.int64)
    for row, sequence in zip(tokens, sequences, strict=True):
        row[: len(sequence)] = sequence
    return tokens, lengths
