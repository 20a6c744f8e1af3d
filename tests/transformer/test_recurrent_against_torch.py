"""Do RNN, LSTM and GRU equal PyTorch's, with every option: outputs, last states and every gradient?"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
from transformer import Recurrent

pytestmark = pytest.mark.torch
torch = pytest.importorskip("torch")
close = {"rtol": 0, "atol": 1e-10}
BATCH, N, D_IN, D_H = 3, 6, 4, 5
THEIRS = {
    "rnn": (torch.nn.RNN, {}),
    "rnn-relu": (torch.nn.RNN, {"nonlinearity": "relu"}),
    "lstm": (torch.nn.LSTM, {}),
    "gru": (torch.nn.GRU, {}),
}
OPTIONS = [
    {},
    {"layers": 3},
    {"bidirectional": True},
    {"layers": 2, "bidirectional": True, "batch_first": False},
    {"bias": False},
]


def _pair(cell: str, options: dict):
    ours = Recurrent(cell, D_IN, D_H, **options)
    kind, more = THEIRS[cell]
    same = {"batch_first": True} | {"num_layers" if k == "layers" else k: v for k, v in options.items()}
    theirs = kind(D_IN, D_H, dtype=torch.float64, **same, **more)
    theirs.load_state_dict({k: torch.tensor(v.numpy().copy()) for k, v in ours.state_dict().items()})
    return ours, theirs


def _theirs_run(theirs, x, initial, lengths):
    if lengths is None:
        return theirs(x, initial)
    pack, unpack = torch.nn.utils.rnn.pack_padded_sequence, torch.nn.utils.rnn.pad_packed_sequence
    packed = pack(x, torch.tensor(lengths), batch_first=theirs.batch_first, enforce_sorted=False)
    y, last = theirs(packed, initial)
    return unpack(y, batch_first=theirs.batch_first, total_length=N)[0], last


def _many(state) -> tuple:
    return tuple(state) if isinstance(state, tuple | list) else (state,)


@pytest.mark.parametrize("lengths", [None, [4, 6, 1], [2, 3, 5]])
@pytest.mark.parametrize("given", [False, True], ids=["from zeros", "from a state"])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("cell", THEIRS)
def test_outputs_last_states_and_all_gradients(rng, cell, options, given, lengths):
    ours, theirs = _pair(cell, options)
    first = options.get("batch_first", True)
    count = options.get("layers", 1) * (1 + options.get("bidirectional", False))
    vectors = 2 if cell == "lstm" else 1
    arrays = [rng.standard_normal((BATCH, N, D_IN) if first else (N, BATCH, D_IN))]
    arrays += [rng.standard_normal((count, BATCH, D_H)) for _ in range(vectors * given)]
    x, *state = [mt.tensor(a, requires_grad=True) for a in arrays]
    tx, *tstate = [torch.tensor(a, requires_grad=True) for a in arrays]
    form = lambda s: None if not s else tuple(s) if vectors == 2 else s[0]
    y, last = ours(x, form(state), lengths)
    ty, tlast = _theirs_run(theirs, tx, form(tstate), lengths)
    outs, touts = [y, *_many(last)], [ty, *_many(tlast)]
    for mine, other in zip(outs, touts, strict=True):
        np.testing.assert_allclose(mine.numpy(), other.detach().numpy(), **close)
    cotangents = [rng.standard_normal(o.shape) for o in outs]
    sum((o * g).sum() for o, g in zip(outs, cotangents, strict=True)).backward()
    sum((o * torch.tensor(g)).sum() for o, g in zip(touts, cotangents, strict=True)).backward()
    names = dict(theirs.named_parameters())
    pairs = [*zip([x, *state], [tx, *tstate], strict=True), *((p, names[k]) for k, p in ours.named_parameters())]
    assert len(names) == len(pairs) - len(arrays)
    for mine, other in pairs:
        np.testing.assert_allclose(mine.grad.numpy(), other.grad.numpy(), **close)
