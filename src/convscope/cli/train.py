"""``convscope train``"""

import time

from convscope.cli.options import settings_of, with_options
from convscope.cli.train_options import TrainOptions
from convscope.errors import ConfigError


@with_options(TrainOptions)
def train(options: TrainOptions) -> None:
    """Train a network on DATA and write a run folder with the network, its scores and a report.

    Settings that are not given are chosen from the data. The run's recipe.toml lists every setting with its source.
    Ctrl-C or a kill loses at most the current epoch; continue with `--resume RUN`.

    Example: `convscope train digits`

    Example: `convscope train photos --from imagenet --budget 5m --out runs/photos`
    """
    started = time.monotonic()  # importing PyTorch counts towards a budget too
    data, recipe, out, resume = options.data, options.recipe, options.out, options.resume
    if (resume is None) == (data is None and recipe is None):
        raise ConfigError("convscope train: give either DATA, as in: convscope train photos, or --resume RUN")
    if options.check_data and resume is None:
        raise ConfigError(
            "convscope train --check-data: compares the files of a stopped run; give it with --resume RUN"
        )
    from convscope.api import (
        as_overrides,
        data_source,
        lay,
        next_name,
        resuming,
        settings_from_flags,
        settings_from_options,
        training,
    )
    from convscope.cli.show import watch

    flags = settings_from_flags(options.set_ or [])
    overrides = lay(as_overrides(recipe), flags, settings_from_options(settings_of(options)))
    if resume is None:
        source = data or data_source(overrides)
        path = out or next_name(source)
        events = lambda on_progress: training(source, path, overrides, on_progress, started)  # noqa: E731
    elif overrides or out:
        raise ConfigError("convscope train --resume: continues with the run's own settings; remove the other flags")
    else:
        path, events = resume, lambda on_progress: resuming(resume, on_progress, options.check_data)
    watch(events, path, options.json, options.log)
