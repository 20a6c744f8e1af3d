"""Where are the formulas printed?  The books and papers that several operations share, by author."""

from __future__ import annotations

BISHOP = "Bishop 2006, Pattern Recognition and Machine Learning"
DAO = "Dao et al. 2022, arXiv 2205.14135"
GOODFELLOW = "Goodfellow, Bengio & Courville 2016, Deep Learning"
GREFF = "Greff et al. 2015, arXiv 1503.04069"
HENDRYCKS = "Hendrycks & Gimpel 2016, arXiv 1606.08415"
VASWANI = "Vaswani et al. 2017, arXiv 1706.03762"
