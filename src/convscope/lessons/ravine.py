"""Gradient descent in a ravine, with and without momentum, as numbers and as text."""

from convscope.lessons.drawing import beside

MOST_STEPS = 2000
GOAL = 1e-3
WIDTH, HEIGHT = 36, 11


def loss(a: float, b: float, steep: float) -> float:
    """Return a^2/2 + steep/2 b^2."""
    return a * a / 2 + steep * b * b / 2


def ravine_path(start: float, steep: float, momentum: float, rate: float | None = None) -> list[tuple[float, float]]:
    """Return the places of gradient descent from (start, 1) until the loss is below 0.001.

    Args:
        start: the place along the ravine.
        steep: the curvature across it; along it the curvature is 1.
        momentum: from 0 to below 1.
        rate: the learning rate, by default 1/steep.

    >>> len(ravine_path(8, 20, 0)) > len(ravine_path(8, 20, 0.8))
    True
    """
    step = 1 / steep if rate is None else rate
    a, b, speed_a, speed_b = start, 1.0, 0.0, 0.0
    path = [(a, b)]
    while loss(a, b, steep) >= GOAL and len(path) <= MOST_STEPS:
        speed_a, speed_b = momentum * speed_a + a, momentum * speed_b + steep * b
        a, b = a - step * speed_a, b - step * speed_b
        path.append((a, b))
    return path


def ravine_text(steep: float = 20, momentum: float = 0.7) -> str:
    """Return two drawings: the ways without and with momentum, at a rate near the largest stable one."""
    rate = 1.8 / steep
    paths = [ravine_path(8, steep, beta, rate) for beta in (0.0, momentum)]
    names = [f"no momentum: {len(paths[0]) - 1} steps", f"momentum {momentum:g}: {len(paths[1]) - 1} steps"]
    drawn = beside([(name, _drawing(path)) for name, path in zip(names, paths, strict=True)])
    return f"a ravine, steep from top to bottom; from S to the minimum X, the first 20 places as 1 2 3 ...\n{drawn}"


def _drawing(path: list[tuple[float, float]]) -> str:
    cells = [[" "] * WIDTH for _ in range(HEIGHT)]
    for index, place in reversed(list(enumerate(path[:21]))):
        row, column = _cell(*place)
        cells[row][column] = "S" if not index else str(index % 10)
    row, column = _cell(0, 0)
    cells[row][column] = "X"
    return "\n".join(["┌" + "─" * WIDTH + "┐", *(f"│{''.join(row)}│" for row in cells), "└" + "─" * WIDTH + "┘"])


def _cell(a: float, b: float) -> tuple[int, int]:
    column = round((a + 4) / 12.5 * (WIDTH - 1))
    row = round((b + 1.2) / 2.4 * (HEIGHT - 1))
    return min(max(row, 0), HEIGHT - 1), min(max(column, 0), WIDTH - 1)
