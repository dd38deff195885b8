"""Input images, maps and units equal the values that the network computes."""

import numpy as np
import pytest
import torch

from convscope.explainers import record
from convscope.web.uploads import MAX_BYTES
from helpers.explorer_client import decoded, png


@pytest.fixture
def loaded_model(client):
    """The network that the client shows."""
    return client.session.run.loaded_model()


def test_the_scores_of_an_image_are_the_network_s_probabilities(client, loaded_model):
    response = client.get("/api/inputs/validation-3").json()
    images = client.session.run.images("validation").select([3])
    with torch.no_grad():
        logits = loaded_model.subject.model(loaded_model.subject.input(images))
    shares = loaded_model.task.class_probabilities(logits)[0]
    assert [one["class"] for one in response["scores"]] == shares.argsort(descending=True).tolist()
    assert response["scores"][0]["probability"] == pytest.approx(float(shares.max()))
    assert (response["id"], response["name"], response["truth"]) == ("validation-3", images.names[0], images.targets[0])
    assert (response["output"], response["network"]) == ("head", loaded_model.version)


def test_maps_equal_the_recorded_outputs(client, loaded_model):
    images = client.session.run.images("validation").select([3])
    with record(loaded_model.subject.model, "stages.0") as outputs, torch.no_grad():
        loaded_model.subject.model(loaded_model.subject.input(images))
    maps = outputs["stages.0"][0].numpy()
    head, exact, _ = decoded(client.get("/api/inputs/validation-3/maps?layer=stages.0&values=float").content)
    assert np.array_equal(exact, maps)
    assert (head["total"], head["full"], head["kind"]) == (len(maps), list(maps.shape[1:]), "maps")
    head, near, levels = decoded(client.get("/api/inputs/validation-3/maps?layer=stages.0&from=1&to=3").content)
    assert head["channels"] == [1, 2]
    assert np.abs(near - maps[1:3]).max() <= np.ptp(maps[1:3], axis=(1, 2)).max() / 255
    assert levels.dtype == np.uint8
    head, _, _ = decoded(client.get("/api/inputs/validation-3/maps?layer=stages.0&sort=strength&to=1").content)
    assert head["channels"] == [int(np.abs(maps).mean((1, 2)).argmax())]


def test_maps_are_average_pooled_to_the_requested_side(client):
    path = "/api/inputs/validation-3/maps?layer=stem&to=2"
    _, exact, _ = decoded(client.get(f"{path}&values=float").content)
    head, small, _ = decoded(client.get(f"{path}&side=4").content)
    assert (head["shape"], head["full"]) == ([4, 4], [8, 8])
    expected = exact.reshape(2, 4, 2, 4, 2).mean((2, 4))
    assert np.abs(small - expected).max() <= np.ptp(expected) / 255


def test_a_vector_is_maps_of_one_position_and_the_input_is_normalised(client, loaded_model):
    head, logits, _ = decoded(client.get("/api/inputs/validation-3/maps?layer=head&values=float").content)
    assert (head["kind"], logits.shape) == ("vector", (10, 1, 1))
    _, picture, _ = decoded(client.get("/api/inputs/validation-3/maps?layer=input&values=float").content)
    pixels = client.session.run.images("validation").select([3]).pixels()[0].numpy()
    assert np.allclose(picture, (pixels - loaded_model.subject.mean[0]) / loaded_model.subject.std[0], atol=1e-6)


def test_the_summary_lists_the_empty_channels(client):
    summary = client.get("/api/inputs/validation-3/maps/summary?layer=stages.0").json()
    _, exact, _ = decoded(client.get("/api/inputs/validation-3/maps?layer=stages.0&values=float").content)
    assert summary["empty"] == [c for c in range(len(exact)) if not exact[c].any()]
    assert np.allclose(summary["mean"], exact.mean((1, 2)), atol=1e-6)


def test_watched_layers_are_computed_in_the_same_pass(client):
    calls = []
    model = client.session.run.loaded_model().subject.model
    handle = model.register_forward_hook(lambda *_: calls.append(1))
    try:
        own = client.post("/api/inputs?watch=stem&watch=stages.0", content=png(np.eye(8, dtype=np.uint8) * 250)).json()
        for layer in ("stem", "stages.0"):
            assert client.get(f"/api/inputs/{own['id']}/maps?layer={layer}").status_code == 200
    finally:
        handle.remove()
    assert len(calls) == 1


def test_an_uploaded_image_of_the_network_s_size_is_used_pixel_for_pixel(client):
    pixels = np.random.default_rng(0).integers(0, 255, (8, 8), np.uint8)
    own = client.post("/api/inputs?name=mine&like=validation-3", content=png(pixels)).json()
    assert own["id"].startswith("own-")
    assert own["name"] == "mine"
    assert own["truth"] == client.get("/api/inputs/validation-3").json()["truth"], "an edited image keeps its class"
    _, picture, _ = decoded(client.get(f"/api/inputs/{own['id']}/maps?layer=input&values=float").content)
    explored = client.session.run.loaded_model().subject
    assert np.allclose(picture[0] * explored.std[0] + explored.mean[0], pixels / 255, atol=1e-6)
    assert client.post("/api/inputs", content=png(pixels)).json()["id"] == own["id"], "the same pixels, the same id"


def test_a_downloaded_image_uploaded_again_has_the_same_logits(client):
    picture = client.get("/api/images/validation-3/picture.png").content
    own, known = client.post("/api/inputs", content=picture).json(), client.get("/api/inputs/validation-3").json()
    assert own["scores"][0]["logit"] == pytest.approx(known["scores"][0]["logit"], abs=1e-5)


def test_a_drawing_is_centred_as_the_training_images_are(client):
    drawn = np.zeros((160, 160), np.uint8)
    drawn[10:60, 5:25] = 255  # a bar in the corner
    plain = client.post("/api/inputs", content=png(drawn)).json()
    centred = client.post("/api/inputs?centre=1", content=png(drawn)).json()
    _, before, _ = decoded(client.get(f"/api/inputs/{plain['id']}/maps?layer=input&values=float").content)
    _, after, _ = decoded(client.get(f"/api/inputs/{centred['id']}/maps?layer=input&values=float").content)
    ink = after[0] > after.mean()
    columns, rows = np.flatnonzero(ink.any(0)), np.flatnonzero(ink.any(1))
    assert abs(columns.mean() - 3.5) <= 1, "in the middle"
    assert len(rows) >= 6, "as high as digits are"
    assert (before[0] > before.mean())[:, 4:].sum() == 0, "and was not before"


HOSTILE = {
    "nothing": (b"", 415, "the file is empty, 0 bytes; copy it again or delete it"),
    "text": (b"<script>alert(1)</script>", 415,
             "not an image in a supported format; convert it to PNG or JPEG, or delete it"),
    "cut off": (png(np.zeros((64, 64, 3), np.uint8))[:60], 415, "damaged or truncated; copy it again or delete it"),
    "too long": (b"\x89PNG" + bytes(MAX_BYTES), 413, f"more than {MAX_BYTES:,} bytes; reduce the image"),
}  # fmt: skip


@pytest.mark.parametrize("what", HOSTILE)
def test_a_file_that_is_not_an_image_is_an_error(client, what):
    content, status, message = HOSTILE[what]
    response = client.post("/api/inputs", content=content)
    assert (response.status_code, response.json()["error"]) == (status, f"upload: {message}")


def test_a_decompression_bomb_is_rejected_from_its_header(client):
    header = bytearray(png(np.zeros((2, 2), np.uint8)))
    import struct
    import zlib

    header[16:24] = struct.pack(">II", 50_000, 50_000)
    header[29:33] = struct.pack(">I", zlib.crc32(bytes(header[12:29])))
    response = client.post("/api/inputs", content=bytes(header))
    assert response.status_code in (413, 415)
    assert "pixels" in response.json()["error"]


def test_a_format_whose_decoder_would_start_a_program_is_rejected(client):
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\n" + b"0 0 moveto\n" * 20
    response = client.post("/api/inputs", content=eps)
    assert response.status_code == 415
    assert (
        response.json()["error"]
        == "upload: not an image in a supported format; convert it to PNG or JPEG, or delete it"
    )


def test_an_animation_is_rejected(client, tmp_path):
    from PIL import Image

    frames = [Image.new("L", (8, 8), 40 * i) for i in range(4)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    response = client.post("/api/inputs", content=(tmp_path / "a.gif").read_bytes())
    assert (response.status_code, response.json()["error"]) == (
        413,
        "upload: more than one frame; upload a single image",
    )


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("own-123", 404, "input: no longer in the cache; upload it again"),
        ("validation-999", 404, "image validation-999: not in the train or validation split; choose another"),
        ("test-1", 404, "image test-1: not in the train or validation split; choose another"),
        ("..%2f..%2fetc", 404, "/api/inputs/../../etc: no such address; see docs/reference/explorer-api.md"),
        ("validation-3/maps?layer=stm", 400, "layer stm: the network has no such layer; did you mean stem?"),
        ("validation-3/maps?layer=stem&from=99", 400,
         "channels: none from 99 to None in layer stem, which has 4; choose from 0 to 4"),
        ("validation-3/maps", 400, "layer: field required"),
        ("validation-3/unit?layer=stem&channel=4", 400, "channel: no 4 in layer stem, which has 4; choose from 0 to 3"),
        ("validation-3/maps?layer=stem&side=x", 400,
         "side: it should be a valid integer, unable to parse string as an integer"),
    ],
)  # fmt: skip
def test_a_missing_resource_is_an_error_in_one_sentence(client, path, status, message):
    response = client.get(f"/api/inputs/{path}")
    assert (response.status_code, response.json()["error"]) == (status, message)


def test_only_the_last_uploaded_images_are_kept(client):
    ids = [
        client.post("/api/inputs", content=png(np.full((8, 8), level, np.uint8))).json()["id"] for level in range(40)
    ]  # fmt: skip
    assert client.get(f"/api/inputs/{ids[0]}").status_code == 404
    assert client.get(f"/api/inputs/{ids[-1]}").status_code == 200


def test_the_arithmetic_of_a_unit_adds_up_to_the_map_s_value(client):
    _, exact, _ = decoded(client.get("/api/inputs/validation-3/maps?layer=stem&values=float").content)
    unit = client.get("/api/inputs/validation-3/unit?layer=stem&channel=2&row=0&column=7&most=4").json()
    assert unit["value"] == exact[2, 0, 7]
    assert unit["field"] == [6, 0, 8, 2], "clipped at the corner"
    first = unit["steps"][0]
    assert (first["op"], first["count"], first["padding"], len(first["terms"])) == ("convolution", 9, 5, 4)
    whole = sum(term["product"] for term in first["terms"]) + first["rest"]["sum"] + (first["bias"] or 0)
    assert whole == pytest.approx(first["sum"], abs=1e-12)
    assert abs(first["sum"] - first["value"]) <= first["bound"]
    assert [step["op"] for step in unit["steps"]] == ["convolution", "norm", "activation"]
    assert first["terms"][0]["layer"] == "input"
