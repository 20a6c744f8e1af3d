"""Can our models run what others trained?  Three of the story's kinds, from the files in which they are passed around.

    pretrained.minilm().embed(["a sentence"])           an encoder: BERT, safetensors
    pretrained.g2p_en().pronounce(["attention"])        a recurrent encoder-decoder: GRU, npz
    pretrained.llama().complete([504, 3575], 20)        a decoder: Llama, safetensors or GGUF

`files.py` reads, `names.py` maps names and checks, and each model's file has its equations.  No file is executed, no
package of weights is imported; what does not fit is listed at once, and nothing is half loaded.
"""

from transformer.pretrained.bert import Bert, SentenceEncoder, minilm
from transformer.pretrained.gru import G2PEn, g2p_en
from transformer.pretrained.llama_files import llama
from transformer.pretrained.llama_model import Llama

__all__ = ["Bert", "G2PEn", "Llama", "SentenceEncoder", "g2p_en", "llama", "minilm"]
