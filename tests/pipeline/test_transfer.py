"""Transfer learning: frozen layers, their verification, cached features, and the effect of unfreezing."""

import json

import pytest
import torch

from convscope.api import Epoch, Note, PretrainedLoaded, RunFolder, as_lines, resuming
from convscope.bundle import load_config
from convscope.pipeline.transfer_plan import plan_for
from convscope.reports.transfer_summary import transfer_summary
from helpers.small_runs import PLAIN, photos, same, start, state, tensors, train, weights


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run whose encoder the other runs start from."""
    home = tmp_path_factory.mktemp("origin")
    train(home / "run", str(photos(home / "photos", each=30, seed=1)), **PLAIN, train__epochs=3)
    return home / "run"


@pytest.fixture(autouse=True)
def _no_report(no_report):
    """See `no_report`."""


def frozen_of(path):
    return {name: one for name, one in tensors(path).items() if name.startswith(("stem.", "stages."))}


def test_a_frozen_encoder_is_verified_bit_for_bit_and_reported(tmp_path, few, trained):
    train(tmp_path / "run", few, transfer__checkpoint=str(trained), train__epochs=6)
    assert same(frozen_of(tmp_path / "run"), frozen_of(trained))
    assert not same(tensors(tmp_path / "run"), tensors(trained)), "the head is new"
    transfer = RunFolder(tmp_path / "run").transfer()
    assert transfer["proof"]["changed"] == []
    assert transfer["proof"]["tensors"] == len(frozen_of(trained))
    assert transfer["plan"][-1]["frozen_until"] == 0
    assert [row["frozen_until"] for row in transfer["plan"][:-1]] == [None] * 3
    config = load_config(tmp_path / "run" / "model")
    assert config.origin["source"] == str((trained / "model").resolve())
    assert config.origin["licence"] == "not stated"
    assert config.preprocessing == load_config(trained / "model").preprocessing, "images are normalised as then"


def test_the_plan_is_shown_as_a_table_before_training(tmp_path, few, trained):
    events = start(tmp_path / "run", few, transfer__checkpoint=str(trained), transfer__unfreeze_at=2, train__epochs=4)
    adopted = next(event for event in events if isinstance(event, PretrainedLoaded))
    events.close()
    assert as_lines(adopted) == [
        f"pretrained weights: resnet18 from {trained / 'model'} (licence: not stated)",
        "plan: 24 training images per class, fewer than 500: only the last layer is new, and the encoder stays frozen; "
        "set by the user: unfreeze_at 2",
        "  stage     parameters  frozen until  learning rate",
        "  stem             116  epoch 1       0.000192",
        "  stages.0         304  epoch 1       0.00024",
        "  stages.1         944  epoch 1       0.0003",
        "  head.fc           18  never         0.001",
    ]


@pytest.mark.parametrize("change", [{}, {"step__micro_batch": 3}, {"train__average": 0.9}, {"transfer__views": 0}])
def test_frozen_is_frozen_also_with_accumulation_averaging_and_without_kept_features(tmp_path, few, trained, change):
    train(tmp_path / "run", few, transfer__checkpoint=str(trained), train__epochs=3, **change)
    assert same(frozen_of(tmp_path / "run"), frozen_of(trained))
    assert RunFolder(tmp_path / "run").transfer()["proof"]["changed"] == []


@pytest.mark.parametrize("stop", [1, 3])
def test_a_resumed_run_ends_with_the_same_bits(tmp_path, few, trained, stop):
    settings = {
        "transfer__checkpoint": str(trained),
        "transfer__unfreeze_at": 3,
        "train__epochs": 4,
        "transfer__views": 1,
    }
    train(tmp_path / "straight", few, **settings)
    events = start(tmp_path / "run", few, **settings)
    for event in events:
        if isinstance(event, Epoch) and event.epoch == stop:
            break
    events.close()
    list(resuming(tmp_path / "run"))
    assert weights(tmp_path / "run") == weights(tmp_path / "straight")
    assert same(state(tmp_path / "run")["model"], state(tmp_path / "straight")["model"])
    proofs = [RunFolder(tmp_path / name).transfer()["proof"] for name in ("run", "straight")]
    assert proofs[0] == proofs[1]


@pytest.mark.parametrize("stop", [1, 2, 3, 4])
def test_what_is_verified_of_frozen_layers_survives_a_stop_after_any_epoch(tmp_path, few, trained, stop):
    """Stopped after the last epoch of a stage, the comparison of that stage was lost for ever."""
    settings = {"transfer__checkpoint": str(trained), "transfer__unfreeze_at": 2, "transfer__views": 0}
    events = start(tmp_path / "run", few, **settings, train__epochs=4, transfer__unfreeze_every=1)
    for event in events:
        if isinstance(event, Epoch) and event.epoch == stop:
            break
    events.close()
    list(resuming(tmp_path / "run"))
    stages = RunFolder(tmp_path / "run").transfer()["stages"]
    assert [(stage["first"], stage["last"], stage["num_fixed"], stage["identical"]) for stage in stages] == [
        (1, 1, 36, True),
        (2, 2, 18, True),
        (3, 3, 6, True),
        (4, 4, 0, True),
    ]


def test_moved_weights_are_noticed_after_a_stop_too(tmp_path, few, trained):
    run = tmp_path / "run"
    events = start(
        run, few, transfer__checkpoint=str(trained), transfer__unfreeze_at=3, transfer__views=0, train__epochs=4
    )
    for event in events:
        if isinstance(event, Epoch) and event.epoch == 1:
            break
    events.close()
    content = state(run)
    content["model"]["stem.conv.weight"] += 1e-6
    torch.save(content, run / "checkpoint" / "last.pt")
    notes = [event.text for event in resuming(run) if isinstance(event, Note)]
    assert "expected to be frozen in epochs 1 to 2, but changed; please report this" in notes


def test_a_missing_comparison_is_called_missing():
    stage = {"first": 1, "last": 3, "num_fixed": 0, "identical": None, "views": 0, "probe": None, "images": 0}
    content = {
        "stages": [{**stage, "seconds": 0, "seconds_saved": 0}],
        "frozen_score": None,
        "last_score": None,
        "proof": {"changed": [], "tensors": 0},
    }
    assert transfer_summary(content, str) == ["frozen in epochs 1 to 3, but not verified: the comparison is missing"]


def test_training_on_cached_features_gives_the_same_weights_as_recomputing_them(tmp_path, few, trained):
    """Without augmentation equal to the bit; the time saved is reported."""
    settings = {
        "transfer__checkpoint": str(trained),
        "train__epochs": 3,
        "augment__policy": "none",
        "model__options": {},
        "transfer__fit_head": False,
    }
    kept = train(tmp_path / "kept", few, **settings, transfer__views=1)
    train(tmp_path / "anew", few, **settings, transfer__views=0)
    assert torch.allclose(tensors(tmp_path / "kept")["head.fc.weight"], tensors(tmp_path / "anew")["head.fc.weight"])
    stages = RunFolder(tmp_path / "kept").transfer()["stages"]
    assert [(stage["first"], stage["last"], stage["views"], stage["identical"]) for stage in stages] == [
        (1, 3, 1, True)
    ]
    notes = [event.text for event in kept if isinstance(event, Note)]
    assert any(text.startswith("features of 48 views were computed once, in ") for text in notes)
    assert RunFolder(tmp_path / "anew").transfer()["stages"][0]["views"] == 0


def test_the_last_layer_is_fitted_in_one_epoch_and_compared_with_the_neighbours(tmp_path, few, trained):
    events = train(tmp_path / "run", few, transfer__checkpoint=str(trained), train__epochs=6)
    assert [event.epoch for event in events if isinstance(event, Epoch)] == [6]
    folder, finished = RunFolder(tmp_path / "run"), events[-1]
    (stage,) = folder.transfer()["stages"]
    assert (stage["views"], stage["images"]) == (4, 4 * 48)
    assert stage["probe"] == finished.probe == pytest.approx(finished.scores["accuracy"])
    assert stage["neighbours"] == finished.neighbours
    notes = [event.text for event in events if isinstance(event, Note)]
    assert notes[0] == (
        f"last layer fitted to convergence on cached features, penalty {stage['penalty']:g} chosen by cross-validation "
        f"({100 * stage['held_out']:.2f} %)"
    )
    assert as_lines(finished)[1] == (
        f"on the frozen features: linear probe {100 * finished.probe:.2f} %, "
        f"nearest neighbours {100 * finished.neighbours:.2f} %"
    )


def test_fine_tuning_starts_from_the_fitted_layer(tmp_path, few, trained):
    settings = {"transfer__checkpoint": str(trained), "train__batch": 48, "optimiser__learning_rate": 1e-9}
    train(tmp_path / "frozen", few, **settings, train__epochs=2)
    events = train(tmp_path / "tuned", few, **settings, train__epochs=3, transfer__unfreeze_at=3)
    assert [event.epoch for event in events if isinstance(event, Epoch)] == [2, 3]
    fitted, tuned = (tensors(tmp_path / name)["head.fc.weight"] for name in ("frozen", "tuned"))
    assert torch.allclose(fitted, tuned, atol=1e-5)


@pytest.mark.parametrize("change", [{"transfer__fit_head": False}, {"train__balanced_batches": True}])
def test_the_last_layer_is_trained_by_epochs_where_that_is_set_or_classes_are_balanced(tmp_path, few, trained, change):
    events = train(tmp_path / "run", few, transfer__checkpoint=str(trained), train__epochs=6, **change)
    assert [event.epoch for event in events if isinstance(event, Epoch)] == [1, 2, 3, 4, 5, 6]
    assert events[-1].probe is None


def test_when_validation_falls_after_unfreezing_the_frozen_stage_is_the_answer(tmp_path, trained):
    few = str(photos(tmp_path / "four", "abcd", each=40))
    settings = {"transfer__checkpoint": str(trained), "train__epochs": 9, "transfer__unfreeze_at": 9}
    events = train(
        tmp_path / "run", few, **settings, transfer__encoder_lr="3000x", transfer__layer_lr_decay=1.0, step__clip=1e9
    )
    folder = RunFolder(tmp_path / "run")
    transfer = folder.transfer()
    assert transfer["last_score"] < transfer["frozen_score"]
    assert load_config(folder.model).epoch == 8
    assert same(frozen_of(tmp_path / "run"), frozen_of(trained)), "the network that is kept, not the spoilt one"
    assert events[-1].epoch == 8
    assert not folder.frozen_model.exists()
    texts = [event.text for event in events if isinstance(event, Note)]
    assert any(text.startswith("validation score fell after unfreezing (") for text in texts)
    assert any(text.endswith("with the encoder frozen, was selected") for text in texts)


def test_the_plan_is_chosen_from_the_images_of_a_class():
    assert plan_for(40, layers=3)[0] == {"replace_fc": 1}
    assert plan_for(5000, layers=3)[0]["replace_fc"] == 3
    assert plan_for(5000, layers=3)[0]["unfreeze_at"] > 1
    assert plan_for(5000, layers=1)[0]["replace_fc"] == 1


def test_transfer_json_records_the_source_and_the_plan(tmp_path, few, trained):
    train(tmp_path / "run", few, transfer__checkpoint=str(trained), train__epochs=2)
    content = json.loads((tmp_path / "run" / "transfer.json").read_text())
    assert set(content) == {
        "why", "origin", "plan", "stages", "frozen_epoch", "frozen_score", "last_score", "kept_epoch", "proof",
    }  # fmt: skip
    assert len(content["origin"]["sha256"]) == 64
