"""Does every parameter have one name in each format, and does no failure leave a model half filled?"""

from __future__ import annotations

import numpy as np
import pytest

import minitorch as mt
from minitorch import nn
from transformer import pretrained
from transformer.pretrained import bert, gru, llama_files
from transformer.pretrained.files import Weight
from transformer.pretrained.names import fill, their_name
from transformer.seq2seq import Seq2Seq

MODELS = [
    (pretrained.Bert(vocabulary=3, d=2, h=1, layers=12, d_ff=2, positions=3), bert.NAMES),
    (Seq2Seq(source_size=3, target_size=3, d=2, cell="gru"), gru.NAMES),
    (pretrained.Llama(vocabulary=3, d=2, h=1, layers=12, d_ff=2, tied=False), llama_files.HUGGING_FACE),
    (pretrained.Llama(vocabulary=3, d=2, h=1, layers=12, d_ff=2, tied=False), llama_files.GGUF),
]


@pytest.mark.parametrize(("model", "table"), MODELS, ids=["bert", "g2p_en", "hugging face", "gguf"])
def test_each_parameter_has_a_name_of_its_own_and_each_line_of_a_table_is_used(model, table):
    names = [their_name(ours, table) for ours in model.state_dict()]
    assert len(set(names)) == len(names)
    for theirs in table.values():
        assert any(theirs.replace("{i}", "0") in name for name in names)
    if "blocks.{i}.norm_1" in table:
        assert table["blocks.{i}.norm_1"].replace("{i}", "11") + ".weight" in names


def test_a_parameter_without_a_line_is_a_mistake_of_ours():
    with pytest.raises(KeyError, match=r"no line for W\.weight"):
        their_name("W.weight", {"W_q": "q"})


def weight(array):
    return Weight(array.shape, array.dtype, lambda: array)


def test_values_are_rounded_to_the_dtype_of_the_model():
    layer = nn.Linear(2, 1, dtype=np.float32)
    fill(layer, {"w": weight(np.array([[1.0, 0.1]])), "b": weight(np.array([0.5], np.float16))},
         {"weight": "w", "bias": "b"}, where="here")  # fmt: skip
    np.testing.assert_array_equal(layer.weight.numpy(), np.array([[1.0, 0.1]], np.float32))
    assert (layer.bias.numpy()[0], layer.bias.dtype) == (0.5, np.float32)


def test_nothing_is_written_where_one_weight_does_not_fit():
    layer = nn.Linear(2, 1)
    before = {name: t.numpy().copy() for name, t in layer.state_dict().items()}
    with pytest.raises(mt.StateError, match=r"here: its weights do not fit Linear; nothing was loaded\.\n  b: shape"):
        fill(layer, {"w": weight(np.ones((1, 2))), "b": weight(np.ones(2))}, {"weight": "w", "bias": "b"}, where="here")
    for name, t in layer.state_dict().items():
        np.testing.assert_array_equal(t.numpy(), before[name])
