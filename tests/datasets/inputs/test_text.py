"""Texts as numbers of tokens: the vocabulary of the training texts, unknown words, lengths, and files to predict."""

from pathlib import Path

import numpy as np
import pytest
import torch

from convscope.datasets.augment.text import TextAugment, TextPolicy, text_augment
from convscope.datasets.inputs.settings import InputSettings
from convscope.datasets.inputs.text import TextPreprocessing
from convscope.datasets.inputs.text_reading import TextReading, learned_vocabulary, numbered
from convscope.datasets.inputs.text_tokens import TOKENISERS
from convscope.datasets.text_duplicates import duplicate_texts, shingles
from convscope.errors import ConfigError, DataError

WORDS = TOKENISERS["words"]
TEXT = TextPreprocessing(size=(6,), vocabulary=("good", "film", "a"), column="written")


def test_the_vocabulary_is_that_of_the_training_texts_the_most_frequent_first() -> None:
    texts = ["b a a", "a b", "c c c c"]
    reading = TextReading(InputSettings(fewest=2), ("a", "b", "c"))
    stored = numbered(texts, WORDS, reading.known, 4)
    assert learned_vocabulary(stored, np.array([0, 1]), reading) == ("a", "b")
    one = TextReading(InputSettings(fewest=1, vocabulary=1), reading.known)
    assert learned_vocabulary(stored, np.array([0, 1, 2]), one) == ("c",)


def test_unknown_words_are_1_and_the_end_is_0() -> None:
    assert TEXT.decode(b"A good, bad film").values.tolist() == [[4, 2, 1, 1, 3, 0]]
    assert TEXT.decode(b"good " * 9).values.tolist() == [[2] * 6]
    assert TEXT.words(np.array([4, 1, 3, 0, 0, 0])) == [
        ("a", range(1)), ("[unknown]", range(1, 2)), ("film", range(2, 3)),
    ]  # fmt: skip


def test_stored_numbers_become_those_of_the_vocabulary() -> None:
    class Data:
        reading = TextReading(InputSettings(), ("a", "bad", "film"))

    assert TEXT.in_own_numbers(Data(), np.array([0, 1, 2, 3, 4])).tolist() == [0, 1, 4, 1, 3]


def test_bytes_are_tokens_of_any_language() -> None:
    found = TextPreprocessing(size=(8,), tokens="bytes", vocabulary=(*"Ã©!", "ta"))
    assert found.decode("é !".encode()).values.tolist() == [[2, 3, 1, 4, 0, 0, 0, 0]]


def test_a_file_is_one_text_or_one_per_row_or_line(tmp_path: Path) -> None:
    for name, content in {
        "one.txt": b"good\nfilm", "rows.csv": b"written,n\ngood film,1\n,2\na film,3\n", "lines.pos": b"good\n\nfilm\n",
        "rows.jsonl": b'{"n": 1, "written": "a"}\n{"n": 2}\n',
    }.items():  # fmt: skip
        (tmp_path / name).write_bytes(content)
    found = {path.name: TEXT.decode_all(path) for path in sorted(tmp_path.iterdir())}
    assert {name: [one.values[0].tolist()[:2] for _, one in some] for name, some in found.items()} == {
        "lines.pos": [[2, 0], [3, 0]], "one.txt": [[2, 3]], "rows.csv": [[2, 3], [4, 3]], "rows.jsonl": [[4, 0]],
    }  # fmt: skip
    assert [name for name, _ in found["rows.csv"]] == [f"{tmp_path / 'rows.csv'}:{row}" for row in (2, 4)]
    with pytest.raises(DataError) as caught:
        TEXT.decode(tmp_path / "rows.csv")
    assert str(caught.value) == f"{tmp_path / 'rows.csv'}: holds 2 texts, not one; give a file of one text"
    with pytest.raises(DataError) as caught:
        TEXT.decode_all(tmp_path / "one.png")
    assert str(caught.value) == (
        f"{tmp_path / 'one.png'}: is no file of texts, but .png; give .txt, a table, or a file of one text per line"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b" \n", "text: has no text"),
        (b"a text\0of parts", "text: is no text, it holds bytes of 0; give a file of text"),
        ("café ".encode() + b"caf\xe9", "text: mixes UTF-8 and another encoding; save it in one"),
    ],
)
def test_what_is_no_text_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(DataError) as caught:
        TEXT.decode(content)
    assert str(caught.value) == message


def test_word_dropout_makes_a_share_of_the_words_unknown_and_leaves_the_end() -> None:
    x = torch.full((50, 1, 40), 5, dtype=torch.int32)
    x[..., 30:] = 0
    y = torch.arange(50)
    changed, same = TextAugment(TextPolicy(word_dropout=0.25)).augment_pair(
        x, y, "classes", torch.Generator().manual_seed(0)
    )
    assert torch.equal(same, y)
    assert not changed[..., 30:].any()
    assert set(changed[..., :30].unique().tolist()) == {1, 5}
    assert (changed[..., :30] == 1).float().mean().item() == pytest.approx(0.25, abs=0.03)
    with pytest.raises(ConfigError):
        text_augment("strongest")


def test_texts_that_share_most_sequences_of_three_words_are_duplicates() -> None:
    text = np.arange(2, 22)
    near, half = text.copy(), text.copy()
    near[0] = 99  # 17 of 19 sequences in common
    half[::3] = 99
    stored = np.stack([text, half, near, text])[:, None].astype(np.int32)
    found = duplicate_texts(stored, np.arange(4))
    assert [pair[:2] for pair in found.pairs] == [(0, 2), (0, 3)]
    assert found.groups.tolist() == [0, 1, 0, 0]
    assert found.pairs[0][2] == pytest.approx(1 - 17 / 19)
    assert shingles(stored[:, 0]).shape == (4, 18)
