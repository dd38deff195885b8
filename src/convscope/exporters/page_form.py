"""The form `page`: one HTML file in which a browser computes the answers, without a server or a network."""

from convscope.errors import ConfigError
from convscope.exporters.page_html import facts, html
from convscope.exporters.page_proof import proven_graph
from convscope.exporters.request import ExportedFiles, ExportRequest, written
from convscope.exporters.source import Source, open_source_model, preprocessing_of

PAGE_FILE, PARITY_FILE = "page.html", "page.parity.json"
MOST_PARAMETERS = 6_000_000
"""As a page of 16 MB: mail servers refuse more than 20 to 25, and a phone computes such a network in about a second."""


def write(request: ExportRequest) -> ExportedFiles:
    """Write ``page.html`` and its proof; see `forms.export_model`."""
    request.no_bare("page")
    source = open_source_model(request.model)
    check_size(source)
    examples = request.examples(source)
    graph, proven = proven_graph(source, examples)
    content = html(facts(source, graph, proven), graph)
    return written(request.folder, {PAGE_FILE: content.encode()}, proven, PARITY_FILE, examples[0])


def check_size(source: Source) -> None:
    """Refuse networks that are too large for a page, and inputs that a browser cannot read.

    Raises:
        ConfigError: it is.
    """
    config = source.config
    channels = preprocessing_of(source.network, config).channels
    if channels not in (1, 3):
        raise ConfigError(
            f"export --to page: the network takes images of {channels} channels, and browsers read 1 or 3; export it "
            "with --to onnx"
        )
    if config.num_parameters > MOST_PARAMETERS:
        raise ConfigError(
            f"export --to page: the network {config.architecture.name} has {config.num_parameters:,} parameters, more "
            f"than the {MOST_PARAMETERS:,} of a page; train a narrower network, or export it with --to onnx"
        )
