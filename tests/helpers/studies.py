"""Searches without training: records of a log as a search would write them."""

from convscope.tuning.parameter import Parameter
from convscope.tuning.space import Space
from convscope.tuning.study import Study

SPACE = Space(
    (
        Parameter("model.options.width", "int", 4, 256, log=True, start=32, label="filters"),
        Parameter("optimiser.rate", "float", 0.1, 10.0, log=True, start=1.0, label="rate x"),
        Parameter("model.options.kernel", "choice", choices=(3, 5, 7), start=3, label="kernel"),
    )
)


def trial(number, values=None, macs=1000):
    """The record of a new trial."""
    chosen = {"model.options.width": 32, "optimiser.rate": 1.0, "model.options.kernel": 3} | (values or {})
    return {"event": "trial", "number": number, "values": chosen, "num_parameters": 10, "macs": macs} | moment()


def started(number, rung=0, worker="here:1:a"):
    """The record of a trial that a process took."""
    return {"event": "started", "number": number, "rung": rung, "worker": worker} | moment()


def reached(number, rung, score, epochs=None, seconds=1.0):
    """The record of a trial at the end of a rung of 1, 3 or 9 epochs."""
    epochs = epochs or 3**rung
    fields = {"score": score, "loss": 1 - score, "first": score, "epochs": epochs, "seconds": seconds}
    return {"event": "rung", "number": number, "rung": rung, "worker": "here:1:a"} | fields | moment()


def stopped(number, reason):
    """The record of a trial that was stopped."""
    return {"event": "stopped", "number": number, "reason": reason} | moment()


def moment(clock=0.0):
    """The seconds of the search and the time of a record."""
    return {"clock": clock, "at": 1.0}


def study_of(scores, rung=0):
    """A study of trials that completed the rungs up to `rung` with these scores."""
    study = Study()
    for number, score in enumerate(scores):
        study.add([trial(number), *(reached(number, below, score) for below in range(rung + 1))])
    return study
