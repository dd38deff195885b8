"""``POST /predict``: the answers of `convscope predict`, and its errors."""

import pytest

import convscope as cs
from convscope.web.uploads import MAX_BYTES
from helpers.bundles import drawn

NO_IMAGE = "not an image in a supported format; convert it to PNG or JPEG, or delete it"


def same(found: dict, expected: dict) -> bool:
    """Whether two predictions are equal but for rounding."""
    if found.keys() != expected.keys():
        return False
    return all(
        found[key] == (pytest.approx(value, abs=1e-6) if not isinstance(value, str) else value)
        for key, value in expected.items()
    )


def test_a_body_is_predicted_as_the_file(client, animals, tmp_path):
    file = drawn(tmp_path / "a.png", size=(50, 70))
    response = client.post("/predict", params={"name": str(file)}, content=file.read_bytes())
    assert response.status_code == 200
    content = response.json()
    assert (content["model"], len(content["predictions"])) == ("animals", 1)
    assert same(content["predictions"][0], cs.predict(animals, file).to_dicts()[0])


def test_the_files_of_a_form_are_predicted_in_order_and_an_unreadable_one_has_an_error(client, animals, tmp_path):
    files = [drawn(tmp_path / f"{number}.png", seed=number) for number in range(3)]
    form = [("image", (str(file), file.read_bytes())) for file in files]
    form.insert(1, ("image", ("notes.txt", b"notes")))
    found = client.post("/predict", files=form).json()["predictions"]
    assert found.pop(1) == {"file": "notes.txt", "error": NO_IMAGE}
    assert all(map(same, found, cs.predict(animals, files).to_dicts()))


def test_requests_at_the_same_time_are_computed_together_with_equal_answers(client, animals, tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    files = [drawn(tmp_path / f"{number}.jpg", seed=number, size=(30, 20)) for number in range(24)]

    def send(file):
        return client.post("/predict", params={"name": str(file)}, content=file.read_bytes()).json()["predictions"][0]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(send, files))
    assert all(map(same, found, cs.predict(animals, files).to_dicts()))


@pytest.mark.parametrize(
    ("content", "status", "message"),
    [
        (b"", 400, "request: no image; send the bytes of a file as the body, or a form with files"),
        (b"notes", 415, f"upload: {NO_IMAGE}"),
        (b"x" * (MAX_BYTES + 1), 413, "upload: more than 16,777,216 bytes; reduce the image"),
    ],
)
def test_a_body_that_is_not_an_image_is_refused(client, content, status, message):
    response = client.post("/predict", content=content)
    assert (response.status_code, response.json()["error"]) == (status, message)


def test_a_form_without_a_file_is_refused(client):
    response = client.post("/predict", data={"image": "a.png"}, files={})
    assert response.status_code == 415, "a body of another kind is read as an image"
    body = b'--x\r\nContent-Disposition: form-data; name="image"\r\n\r\na.png\r\n--x--\r\n'
    response = client.post("/predict", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"})
    message = "request: the form contains no file; add one, as in: curl -F image=@photo.jpg"
    assert (response.status_code, response.json()["error"]) == (400, message)
    response = client.post("/predict", content=b"x", headers={"Content-Type": "multipart/form-data"})
    message = "request: not a valid form of at most 64 files; see /docs"
    assert (response.status_code, response.json()["error"]) == (400, message)


def test_more_images_than_the_server_accepts_are_refused_with_the_time_to_try_again(served, animals, tmp_path):
    client = served(animals, max_pending=2)
    content = drawn(tmp_path / "a.png").read_bytes()
    response = client.post("/predict", files=[("image", (f"{n}.png", content)) for n in range(3)])
    message = "server: 1 of at most 2 images are in work; send the request again in 1 second"
    assert (response.status_code, response.json()) == (429, {"error": message, "kind": "busy"})
    assert response.headers["retry-after"] == "1"
    assert client.post("/predict", content=content).status_code == 200, "nothing stays counted"
    assert [client.store.metrics.total("animals", outcome) for outcome in ("ok", "busy")] == [1, 1]


def test_of_several_models_one_is_named(served, animals, finished):
    client = served(animals, finished)
    assert client.get("/models").json() == {"models": ["animals", "run"]}
    response = client.post("/predict", content=b"x")
    assert (response.status_code, response.json()["error"]) == (
        400,
        "model: 2 are served; name one of animals, run",
    )
    response = client.post("/predict?model=animal", content=b"x")
    assert (response.status_code, response.json()["error"]) == (404, "model: no animal; did you mean animals?")
    assert client.get("/card?model=run").json()["classes"] == [str(digit) for digit in range(10)]
    assert 0 <= client.get("/card?model=run").json()["scores"]["accuracy"] <= 1
    assert client.get("/card?model=animals").json()["scores"] == {}
