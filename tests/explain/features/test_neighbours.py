import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors

from convscope import explain
from convscope.errors import ConfigError, DataError


@pytest.fixture(scope="module")
def vectors(trained, unseen):
    return explain.feature_vectors(trained, "7", unseen.x.split(50))


def test_neighbours_equal_sklearns_brute_force(vectors):
    theirs, indices = NearestNeighbors(algorithm="brute").fit(vectors.astype(np.float64)).kneighbors(n_neighbors=5)
    ours = explain.nearest(vectors, 5)
    assert np.allclose(ours.distances, theirs, atol=1e-6)
    assert (ours.indices == indices).mean() > 0.99  # near-ties may be in another order


def test_queries_find_their_neighbours_and_may_find_themselves(vectors):
    found = explain.nearest(vectors, 1, vectors[[7, 3]] + 1e-9)
    assert found.indices.tolist() == [[7], [3]]
    assert found.to_json()["indices"] == [[7], [3]]


def test_queries_in_several_chunks_exclude_themselves():
    points = np.arange(600, dtype=np.float32)[:, None] ** 1.5
    found = explain.nearest(points, 1)
    assert (found.indices[1:, 0] == np.arange(599)).all()


def test_ties_are_broken_by_index():
    assert explain.nearest(np.array([[0.0], [1.0], [-1.0], [0.0]]), 3).indices[0].tolist() == [3, 1, 2]


def test_purity_equals_a_count_in_plain_python(vectors, unseen):
    targets = unseen.targets.numpy()
    found = explain.nearest(vectors, 5)
    by_hand = [sum(targets[j] == targets[i] for j in row) / 5 for i, row in enumerate(found.indices)]
    assert explain.purity(found, targets).tolist() == by_hand


def test_features_of_a_trained_network_are_purer_than_pixels(vectors, unseen):
    targets = unseen.targets.numpy()
    pixels = explain.pixel_vectors(unseen.x.split(50))
    assert pixels.shape == (120, 24 * 24)
    in_features, in_pixels = (explain.purity(explain.nearest(v, 5), targets).mean() for v in (vectors, pixels))
    assert in_features > 0.95 > in_pixels + 0.1


def test_feature_vectors_are_spatial_means_of_unit_length(trained, unseen, vectors):
    maps = explain.activations(trained, unseen.x, ["7"])["7"].maps.mean((2, 3))
    assert np.allclose(vectors, maps / np.linalg.norm(maps, axis=1, keepdims=True), atol=1e-5)


def test_features_of_selected_channels_have_unit_length(trained, unseen):
    maps = explain.activations(trained, unseen.x[:20], ["7"])["7"].maps.mean((2, 3))[:, [3, 8]]
    found = explain.feature_vectors(trained, "7", [unseen.x[:20]], channels=[3, 8])
    assert np.allclose(found, maps / np.linalg.norm(maps, axis=1, keepdims=True).clip(1e-12), atol=1e-5)


def test_pixel_vectors_are_downsampled_by_averaging(unseen):
    small = explain.pixel_vectors([unseen.x[:2]], 6)
    assert np.allclose(small, unseen.x[:2].reshape(2, 6, 4, 6, 4).mean((2, 4)).flatten(1), atol=1e-6)


def test_look_alikes_of_other_classes_are_sorted_by_distance_and_listed_once():
    points = np.array([[0.0], [0.1], [5.0], [5.5], [9.0], [9.05]])
    pairs = explain.look_alikes(explain.nearest(points, 2), np.array([0, 1, 1, 2, 3, 3]), "pixels")
    assert [(pair.first, pair.second) for pair in pairs] == [(0, 1), (2, 3)]
    assert pairs[0].to_json() == {
        "first": 0,
        "second": 1,
        "space": "pixels",
        "distance": pytest.approx(0.1),
        "share": 0.0,
    }
    assert len(explain.look_alikes(explain.nearest(points, 2), np.array([0, 1, 1, 2, 3, 3]), "pixels", most=1)) == 1


def test_the_pca_projection_equals_sklearns_up_to_sign(vectors):
    assert np.allclose(np.abs(explain.map_2d(vectors)), np.abs(PCA(2).fit_transform(vectors)), atol=1e-4)


def test_t_sne_is_deterministic_for_a_seed_and_preserves_class_neighbourhoods(vectors, unseen):
    first, second = (explain.map_2d(vectors, "tsne", seed=1) for _ in range(2))
    assert np.array_equal(first, second)
    assert explain.purity(explain.nearest(first, 5), unseen.targets.numpy()).mean() > 0.9


def test_error_messages(trained):
    for call, kind, message in [
        (lambda: explain.feature_vectors(trained, "7", []), DataError,
         "feature vectors: no images; pass at least one batch"),
        (lambda: explain.pixel_vectors([]), DataError, "pixel vectors: no images; pass at least one batch"),
        (lambda: explain.nearest(np.zeros((1, 2))), ConfigError,
         "nearest: 0 neighbours among 1 vectors; choose at least 1 among at least 2"),
        (lambda: explain.map_2d(np.zeros((2, 2))), ConfigError, "map: 2 vectors; pass at least 3"),
        (lambda: explain.map_2d(np.zeros((3, 2)), "umap"), ConfigError, "map: no method umap; choose pca or tsne"),
    ]:  # fmt: skip
        with pytest.raises(kind) as error:
            call()
        assert str(error.value) == message
