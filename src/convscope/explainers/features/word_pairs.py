"""Classifiers of texts on the presence of words and pairs of words."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

WORD_CLASSIFIERS = ("naive-bayes", "logistic")
"""Naive Bayes (Wang & Manning 2012, "Baselines and bigrams") and logistic regression."""


def word_pair_score(
    name: str,
    texts: tuple[Sequence[str], NDArray[np.int64]],
    test: tuple[Sequence[str], NDArray[np.int64]],
    split: Callable[[str], list[str]],
) -> float:
    """Return the accuracy of a classifier on which words and pairs of neighbouring words occur in a text.

    Args:
        name: one of `WORD_CLASSIFIERS`.
        texts: of training, and their (N,) classes.
        test: likewise, to predict.
        split: divides a text into words.
    """
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.naive_bayes import MultinomialNB
    from sklearn.pipeline import make_pipeline

    words = CountVectorizer(
        tokenizer=split, token_pattern=None, lowercase=False, ngram_range=(1, 2), binary=True, dtype=np.float32
    )
    makers: dict[str, Callable[[], Any]] = {
        "naive-bayes": MultinomialNB,
        "logistic": lambda: LogisticRegression(max_iter=1000),
    }
    model = make_pipeline(words, makers[name]()).fit(*texts)
    return float(model.score(*test))
