"""The form `hub`: a folder as the Hugging Face Hub expects it; nothing is uploaded."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from convscope.bundle import load_bundle
from convscope.bundle.bundle import CONFIG_FILE, WEIGHTS_FILE
from convscope.exporters.hub_card import card
from convscope.exporters.proof import Answers, Example, Parity, ProofError, compare, expected_answers
from convscope.exporters.request import ExportedFiles, ExportRequest, refusal, written
from convscope.exporters.source import Source, open_source_model, preprocessing_of
from convscope.runs.folder import RunFolder, model_folder

FOLDER, CARD_FILE, PARITY_FILE = "hub", "README.md", "parity.json"


def write(request: ExportRequest) -> ExportedFiles:
    """Write the folder ``hub``: weights, configuration, model card and proof; see `forms.export_model`."""
    request.no_bare("hub")
    source = open_source_model(request.model)
    preprocessing_of(source.network, source.config)
    folder = model_folder(request.model)
    contents = {name: (folder / name).read_bytes() for name in (CONFIG_FILE, WEIGHTS_FILE)}
    examples = request.examples(source)
    proven = prove_folder(source, contents, examples)
    run = RunFolder.open(request.model) if request.is_run else None
    contents[CARD_FILE] = card(source, run, proven).encode()
    return written(request.folder / FOLDER, contents, proven, PARITY_FILE, examples[0])


def prove_folder(source: Source, contents: Mapping[str, bytes], examples: Sequence[Example]) -> Parity:
    """Open a copy of the files, as a person who downloads them does, and compare its answers with the source's.

    Raises:
        ProofError: it gives other answers.
        ModelError: it cannot be opened.
    """
    with tempfile.TemporaryDirectory(prefix="convscope-") as name:
        for file, content in contents.items():
            (Path(name) / file).write_bytes(content)
        copy = Source(*load_bundle(Path(name)), source.digest, {})
    answers = {one.content: one.answers for one in expected_answers(copy, [one.content for one in examples])}

    def run(batch: Sequence[Example]) -> list[Answers]:
        return [answers[one.content] for one in batch]

    found = Parity(len(examples), *compare(examples, source.task.answer_places, run))
    if not found.passed:
        raise ProofError(f"{refusal('folder', source, found)}; nothing was written")
    return found
