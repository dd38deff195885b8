"""Images that are unlike all others."""

import numpy as np
from numpy.typing import NDArray

from convscope.diagnosis.data.descriptors import descriptors
from convscope.diagnosis.data.view import DataView
from convscope.diagnosis.finding import Change, Finding, some_names

MOST_IMAGES = 5000
LEAST_IMAGES = 50
COMPONENTS = 32
NEIGHBOURS = 5
LEAST_DEVIATION = 6.0  # of the logarithm of the distance, in robust standard deviations
MOST_SHARE = 0.02  # of the images: more are a kind of image, not outliers
MAD = 1.4826  # from the median absolute deviation to the standard deviation of a normal distribution
SHOWN = 12


def outliers(view: DataView) -> Finding | None:
    """Find images far from their nearest neighbours (Ramaswamy, Rastogi and Shim 2000), such as a placeholder.

    The distance is that to the fifth neighbour, in the principal components of colours and edge orientations.
    """
    rows = np.sort(np.random.default_rng(0).permutation(len(view))[:MOST_IMAGES])
    if len(rows) < LEAST_IMAGES:
        return None
    deviations = outlier_deviations(descriptors(view, rows))
    order = np.argsort(-deviations)
    far = order[deviations[order] >= LEAST_DEVIATION]
    if not len(far) or len(far) > max(1, MOST_SHARE * len(rows)):
        return None
    files = tuple(view.names[i] for i in rows[far])
    are = "images are" if len(far) > 1 else "image is"
    return Finding(
        "outliers", 0.3, some_names(files),
        f"{len(far):,} {are} unlike all others: {files[0]} is {deviations[far[0]]:.0f} standard deviations further "
        f"from its nearest images than usual",
        float(deviations[far[0]]), LEAST_DEVIATION,
        Change(f"look at {'them' if len(far) > 1 else 'it'}, and remove what does not belong here", files=files),
        images=files[:SHOWN],
    )  # fmt: skip


def outlier_deviations(x: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return (N,) how far each row is from its fifth neighbour, in robust standard deviations of the logarithm."""
    from sklearn.decomposition import PCA
    from sklearn.neighbors import NearestNeighbors

    components = min(COMPONENTS, len(x) - 1, x.shape[1])
    z = PCA(components, random_state=0).fit_transform(x)
    neighbours = min(NEIGHBOURS, len(x) - 1)
    distances = NearestNeighbors(n_neighbors=neighbours).fit(z).kneighbors()[0][:, -1]
    logarithms = np.log(np.maximum(distances, 1e-6))
    centre = np.median(logarithms)
    spread = MAD * np.median(np.abs(logarithms - centre))
    return np.asarray((logarithms - centre) / max(float(spread), 1e-6))
