"""Label corrections are saved in the run and can be trained on."""

import csv
import io
import json

import numpy as np
import pytest
from PIL import Image

from convscope.api import RunFolder
from helpers.small_runs import train

GIVE = 'correction: give {"kind": "label", "class": 3} or {"kind": "exclude"}'


@pytest.fixture
def photos(few, tmp_path, no_report):  # noqa: ARG001
    """A run on sixty photos in two folders."""
    train(tmp_path / "run", few, train__epochs=1, train__probes=0)
    return tmp_path / "run"


def rows(client) -> dict[str, dict[str, str]]:
    """The table's rows by their images."""
    return {row["image"]: row for row in csv.DictReader(io.StringIO(client.get("/api/corrections.csv").text))}


def tail(name: str) -> str:
    """An image's folder and file, which are the same however its path is written."""
    return "/".join(name.split("/")[-2:])


def test_the_corrected_table_can_be_trained_on(explored, photos, tmp_path):
    client = explored(photos)
    first, second = client.get("/api/images?split=train&count=2").json()["images"]
    classes = client.get("/api/run").json()["classes"]
    other = 1 - first["truth"]
    assert client.put(f"/api/corrections/{first['id']}", json={"kind": "label", "class": other}).json() == {
        "id": first["id"], "correction": {"kind": "label", "class": other},
    }  # fmt: skip
    client.put(f"/api/corrections/{second['id']}", json={"kind": "exclude"})
    corrections = client.get("/api/corrections").json()
    assert [one["name"] for one in corrections["corrections"]] == [first["name"], second["name"]]
    assert corrections["command"] == f"convscope train {photos / 'corrections' / 'data.csv'}"
    table = rows(client)
    assert len(table) == 59
    (corrected,) = [row for image, row in table.items() if image.endswith(first["name"])]
    assert (corrected["label"], corrected["split"]) == (classes[other], "train")

    train(tmp_path / "again", corrections["file"], train__epochs=1, train__probes=0)
    before, after = RunFolder.open(photos).data()["splits"], RunFolder.open(tmp_path / "again").data()
    for role, names in before.items():
        assert {tail(name) for name in after["splits"][role]} == {tail(name) for name in names} - {tail(second["name"])}
    assert after["classes"] == classes
    result = explored(tmp_path / "again")
    (learnt,) = result.get(f"/api/images?split=train&search={tail(first['name'])}").json()["images"]
    assert learnt["truth"] == other


@pytest.mark.slow
def test_images_that_are_not_files_are_written_next_to_the_table(explored, own_copy, tmp_path, no_report):  # noqa: ARG001
    client = explored(own_copy)
    client.put("/api/corrections/validation-3", json={"kind": "exclude"})
    name = client.get("/api/inputs/validation-3").json()["name"]
    table = rows(client)
    assert len(table) == 1796
    assert f"images/{name.rpartition('/')[2]}.png" not in table
    picture = client.get("/api/inputs/validation-4").json()["name"].rpartition("/")[2]
    pixels = np.asarray(Image.open(own_copy / "corrections" / "images" / f"{picture}.png"))
    known = client.session.run.images("validation").select([4]).pixels()[0, 0].numpy()
    assert np.array_equal(pixels, np.rint(known * 255))
    train(
        tmp_path / "again",
        str(own_copy / "corrections" / "data.csv"),
        train__epochs=1,
        train__probes=0,
        train__batch=128,
    )
    assert len(RunFolder.open(tmp_path / "again").data()["splits"]["validation"]) == 179


def test_corrections_survive_a_restart_and_can_be_removed(explored, own_copy):
    client = explored(own_copy)
    client.put("/api/corrections/train-7", json={"kind": "exclude"})
    again = explored(own_copy)
    (correction,) = again.get("/api/corrections").json()["corrections"]
    assert (correction["id"], correction["correction"]) == ("train-7", {"kind": "exclude"})
    assert again.get("/api/inputs/train-7").json()["correction"] == {"kind": "exclude"}
    assert again.delete("/api/corrections/train-7").json() == {"id": "train-7", "correction": None}
    assert again.get("/api/corrections").json()["corrections"] == []
    assert len(rows(again)) == 1797


@pytest.mark.parametrize(
    ("correction", "message"),
    [
        ({"kind": "wrong"}, GIVE),
        ({"kind": "label", "class": 10}, "correction: no class 10; choose from 0 to 9"),
        ({"kind": "exclude", "path": "/etc/passwd"}, GIVE),
    ],
)
def test_an_invalid_correction_is_rejected(client, correction, message):
    response = client.put("/api/corrections/train-0", json=correction)
    assert (response.status_code, response.json()["error"]) == (400, message)


def test_damaged_corrections_are_reported_when_the_explorer_starts(explored, own_copy):
    (own_copy / "corrections").mkdir()
    (own_copy / "corrections" / "corrections.json").write_text(json.dumps({"a": {"kind": "?"}}))
    with pytest.raises(Exception, match="damaged; delete it to start without corrections"):
        explored(own_copy)
