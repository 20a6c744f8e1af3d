"""Does a model come back from a file as it was, and is a bad file or a failed write harmless?"""

from __future__ import annotations

import builtins
import json
import os
import stat
import struct

import numpy as np
import pytest

import minitorch as mt
from minitorch import nn
from minitorch.errors import StateError
from minitorch.serialize import load, save
from tests.said import said

pytest.importorskip("safetensors")
DTYPES = ["float16", "float32", "float64", "bool", *(f"{u}int{b}" for u in ("", "u") for b in (8, 16, 32, 64))]


def file_of(header, data=b"", length=None):
    """A safetensors file by the format's own description: the header's length, the header as JSON, the bytes."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def test_a_model_goes_round_through_a_file(tmp_path):
    class Net(nn.Module):
        def __init__(self):
            self.body = nn.Sequential(nn.Linear(2, 3), nn.LayerNorm(3))
            self.register_buffer("steps", np.array([3], np.int64))

    a, b = Net(), Net()
    save(a.state_dict(), tmp_path / "net.safetensors")
    b.steps = mt.tensor(np.array([0]))
    assert b.load_state_dict(load(tmp_path / "net.safetensors")) == ([], [])
    for (name, x), y in zip(a.state_dict().items(), b.state_dict().values(), strict=True):
        np.testing.assert_array_equal(x.numpy(), y.numpy(), err_msg=name)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 4), (2, 3, 4)])
def test_every_dtype_and_shape_comes_back_as_it_was(tmp_path, dtype, shape):
    x = (np.random.default_rng(0).standard_normal(shape) * 100).astype(np.int64).astype(dtype)
    x = np.asarray(x)
    save({"x": x}, tmp_path / "x")
    y = load(tmp_path / "x")["x"]
    assert isinstance(y, mt.Tensor)
    assert (y.dtype, y.shape) == (x.dtype, x.shape)
    np.testing.assert_array_equal(y.numpy(), x)


def test_special_values_keep_their_bits(tmp_path):
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 5e-324])
    save({"x": x}, tmp_path / "x")
    assert load(tmp_path / "x")["x"].numpy().tobytes() == x.tobytes()


@pytest.mark.parametrize(
    "view", [lambda x: x.T, lambda x: x[::-1], lambda x: x[:, 1::2], lambda x: np.broadcast_to(x[0], (5, 4))]
)
def test_values_that_do_not_lie_in_order_are_written_in_order(tmp_path, view):
    x = view(np.arange(12.0).reshape(3, 4))
    save({"x": x, "big": x.astype(">f8")}, tmp_path / "x")
    np.testing.assert_array_equal(load(tmp_path / "x")["x"].numpy(), x)
    np.testing.assert_array_equal(load(tmp_path / "x")["big"].numpy(), x)


def test_what_is_loaded_belongs_to_the_caller(tmp_path):
    save({"x": np.zeros(3), "y": np.zeros(3)}, tmp_path / "x")
    state = load(tmp_path / "x")
    nn.init.ones_(state["x"])
    assert not state["y"].numpy().any()
    assert not load(tmp_path / "x")["x"].numpy().any()


def test_names_come_sorted_and_may_be_any_text(tmp_path):
    save({"ß.ü": np.ones(1), "a b": np.ones(2), "": np.ones(3)}, tmp_path / "x")
    assert list(load(tmp_path / "x")) == ["", "a b", "ß.ü"]
    save({}, tmp_path / "x")
    assert load(tmp_path / "x") == {}


def test_the_safetensors_package_reads_the_file_and_we_read_its_files(tmp_path):
    from safetensors.numpy import load_file, save_file

    save({"w": mt.tensor([[1.0, 2.0]]), "n": np.array(3)}, tmp_path / "ours")
    theirs = load_file(tmp_path / "ours")
    assert theirs["w"].tolist() == [[1.0, 2.0]]
    assert theirs["w"].dtype == np.float32
    assert theirs["n"].item() == 3
    save_file({"w": np.ones((2, 2), np.float16)}, tmp_path / "theirs", metadata={"format": "pt"})
    assert load(tmp_path / "theirs")["w"].numpy().tolist() == [[1, 1], [1, 1]]


def test_the_file_is_the_format_as_its_description_has_it(tmp_path):
    save({"w": np.array([1.5, -2.0], np.float32)}, tmp_path / "x")
    data = (tmp_path / "x").read_bytes()
    (n,) = struct.unpack("<Q", data[:8])
    assert json.loads(data[8 : 8 + n]) == {"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
    assert data[8 + n :] == struct.pack("<2f", 1.5, -2.0)


def test_bfloat16_comes_as_the_float32_of_the_same_value(tmp_path):
    wanted = np.array([1.0, -2.5, np.inf, 1e-38], np.float32)
    bits = wanted.view(np.uint32) >> 16
    header = {"w": {"dtype": "BF16", "shape": [2, 2], "data_offsets": [0, 8]}}
    (tmp_path / "x").write_bytes(file_of(header, bits.astype("<u2").tobytes()))
    w = load(tmp_path / "x")["w"]
    assert (w.dtype, w.shape) == (np.float32, (2, 2))
    np.testing.assert_array_equal(w.numpy().ravel(), (bits << 16).view(np.float32))


@pytest.mark.torch
def test_pytorch_reads_and_writes_the_same_files(tmp_path):
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file, save_file

    layer, theirs = nn.Linear(3, 2), torch.nn.Linear(3, 2)
    save(layer.state_dict(), tmp_path / "ours")
    theirs.load_state_dict(load_file(tmp_path / "ours"))
    x = np.ones((1, 3), np.float32)
    np.testing.assert_allclose(theirs(torch.tensor(x)).detach().numpy(), layer(x).numpy(), rtol=1e-6)
    save_file({"w": torch.arange(6).reshape(2, 3).to(torch.bfloat16)}, tmp_path / "theirs")
    assert load(tmp_path / "theirs")["w"].numpy().tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.torch
def test_a_models_weights_go_to_pytorch_and_back_through_files_and_dictionaries(tmp_path):
    """Every weight that could be square is: a transposed one would load without a word."""
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file, save_file

    def model(of, last):
        return of.Sequential(
            of.Embedding(7, 4),
            of.Linear(4, 4),
            of.LayerNorm(4),
            of.Linear(4, 4, bias=False),
            of.Conv1d(4, 4, 3, padding=1),
            of.GroupNorm(2, 4),
            of.LayerNorm((4, 4)),
            of.RMSNorm(4),
            *last(of),
        )

    def equal(ours, theirs, ids):
        y, wanted = ours(ids), theirs(torch.tensor(ids))
        np.testing.assert_allclose(y.numpy(), wanted.detach().numpy(), rtol=0, atol=1e-6)

    last = lambda of: [of.Flatten(), of.Linear(16, 3)]
    ids = np.arange(12).reshape(3, 4) % 7
    ours, theirs = model(nn, last), model(torch.nn, last)
    save_file(theirs.state_dict(), tmp_path / "theirs")
    ours.load_state_dict(load(tmp_path / "theirs"))
    equal(ours, theirs, ids)

    ours = model(nn, last)
    save(ours.state_dict(), tmp_path / "ours")
    theirs.load_state_dict(load_file(tmp_path / "ours"))
    equal(ours, theirs, ids)

    theirs = model(torch.nn, last)
    ours.load_state_dict(theirs.state_dict())
    equal(ours, theirs, ids)
    assert [(n, p.shape) for n, p in ours.named_parameters()] == [
        (n, tuple(p.shape)) for n, p in theirs.named_parameters()
    ]


# -- bad files ---------------------------------------------------------------------------------------------------------


def whole(tmp_path):
    save({"a": np.ones((4, 4)), "b": np.zeros(3)}, tmp_path / "whole")
    return (tmp_path / "whole").read_bytes()


def test_a_file_that_is_cut_off_anywhere_is_refused(tmp_path):
    data = whole(tmp_path)
    for n in [*range(0, len(data), 7), len(data) - 1]:
        (tmp_path / "cut").write_bytes(data[:n])
        with pytest.raises(StateError, match="not a complete safetensors file: truncated, damaged or of another kind"):
            load(tmp_path / "cut")


@pytest.mark.parametrize(
    "header",
    [
        {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}},  # fewer bytes than the shape needs
        {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 800]}},  # beyond the end
        {"a": {"dtype": "F32", "shape": [2], "data_offsets": [4, 12]}},  # a hole at the start
        {"a": {"dtype": "X9", "shape": [2], "data_offsets": [0, 8]}},
        {"a": 3},
        b"not json",
    ],
)
def test_a_header_that_contradicts_itself_is_refused(tmp_path, header):
    (tmp_path / "x").write_bytes(file_of(header, bytes(8)))
    with pytest.raises(StateError, match="nothing was loaded"):
        load(tmp_path / "x")


def test_a_header_that_claims_to_be_huge_is_refused_without_reading_it(tmp_path):
    (tmp_path / "x").write_bytes(file_of({}, length=2**62))
    with pytest.raises(StateError, match="nothing was loaded"):
        load(tmp_path / "x")


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        (b"PK\x03\x04" + bytes(99), "a zip, as torch.save writes it"),
        (b"\x80\x04\x95" + bytes(99), "a pickle; it could run any code"),
        (b"\x93NUMPY" + bytes(99), "a NumPy array; read it with np.load"),
        (b"", "not a complete safetensors file"),
        (b"hello, world, this is a text", "not a complete safetensors file"),
    ],
)
def test_a_file_of_another_kind_is_refused_by_name(tmp_path, data, wanted):
    (tmp_path / "model.pt").write_bytes(data)
    with pytest.raises(StateError, match=wanted) as caught:
        load(tmp_path / "model.pt")
    assert "model.pt" in said(caught.value)


def test_dtypes_that_numpy_has_not_are_listed(tmp_path):
    header = {
        "a": {"dtype": "F8_E4M3", "shape": [4], "data_offsets": [0, 4]},
        "b": {"dtype": "F8_E5M2", "shape": [4], "data_offsets": [4, 8]},
    }
    (tmp_path / "x").write_bytes(file_of(header, bytes(8)))
    with pytest.raises(StateError, match=r"dtypes that NumPy has not; nothing was loaded.\n  a: F8_E4M3\n  b: F8_E5M2"):
        load(tmp_path / "x")


def test_a_file_that_is_not_there_is_the_usual_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none")
    with pytest.raises(OSError, match="none"):
        save({"a": np.ones(1)}, tmp_path / "none" / "x")


# -- writing -----------------------------------------------------------------------------------------------------------


def test_what_cannot_be_written_is_listed_at_once_and_the_old_file_stays(tmp_path):
    save({"old": np.ones(1)}, tmp_path / "x")
    with pytest.raises(TypeError) as caught:
        save({"ok": np.ones(1), "c": np.ones(1, complex), "l": [1.0], 3: np.ones(1), "__metadata__": np.ones(1)},
             tmp_path / "x")  # fmt: skip
    lines = str(caught.value).splitlines()
    assert lines[0] == "save: these cannot be written; nothing was."
    assert [line.split(":")[0].strip() for line in lines[1:5]] == ["c", "l", "3", "'__metadata__'"]
    assert list(load(tmp_path / "x")) == ["old"]
    with pytest.raises(TypeError, match=r"got a Linear; it takes a dictionary .* Pass model.state_dict\(\)"):
        save(nn.Linear(1, 1), tmp_path / "x")


@pytest.mark.parametrize("fails", ["safetensors.numpy.save_file", "os.fsync", "os.replace"])
def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, fails):
    import safetensors.numpy

    save({"old": np.ones(1)}, tmp_path / "x")

    def broken(*args, **kwargs):
        if fails == "safetensors.numpy.save_file":
            args[1].write_bytes(b"half")
        raise OSError("no space left on device")

    owner, name = (safetensors.numpy, "save_file") if "numpy" in fails else (os, fails.split(".")[1])
    monkeypatch.setattr(owner, name, broken)
    with pytest.raises(OSError, match="no space left"):
        save({"new": np.ones(1)}, tmp_path / "x")
    assert [p.name for p in tmp_path.iterdir()] == ["x"]
    assert list(load(tmp_path / "x")) == ["old"]


def test_a_reader_sees_the_old_file_until_the_new_one_is_complete(tmp_path, monkeypatch):
    seen, replace = [], os.replace

    def watched(source, target):
        seen.append((list(load(target)), list(load(source)), os.path.dirname(source) == os.path.dirname(target)))
        replace(source, target)

    save({"old": np.ones(1)}, tmp_path / "x")
    monkeypatch.setattr(os, "replace", watched)
    save({"new": np.ones(1)}, tmp_path / "x")
    assert seen == [(["old"], ["new"], True)]
    assert list(load(tmp_path / "x")) == ["new"]


@pytest.mark.skipif(os.name == "nt", reason="permissions and links are POSIX's")
def test_a_replaced_file_keeps_its_permissions_and_a_link_keeps_pointing(tmp_path):
    umask = os.umask(0)
    os.umask(umask)
    save({"a": np.ones(1)}, tmp_path / "x")
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o666 & ~umask
    (tmp_path / "x").chmod(0o600)
    (tmp_path / "link").symlink_to(tmp_path / "x")
    save({"b": np.ones(1)}, tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert list(load(tmp_path / "x")) == ["b"]
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o600


def test_without_the_package_a_sentence_says_what_to_install(tmp_path, monkeypatch):
    save({"a": np.ones(1)}, tmp_path / "x")
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.split(".")[0] == "safetensors":
            raise ModuleNotFoundError("No module named 'safetensors'", name="safetensors")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    for call in (lambda: load(tmp_path / "x"), lambda: save({}, tmp_path / "x")):
        with pytest.raises(ModuleNotFoundError, match=r"pip install 'minitorch-transformer\[models\]'"):
            call()
