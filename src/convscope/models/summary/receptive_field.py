"""Exact receptive fields along one axis: the range of input pixels that each position of a map depends on.

A layer is a rule: output position `o` reads input positions a(o) to b(o). Rules are periodic:
a(o + period) = a(o) + advance. A convolution has period 1 and advance = stride; upsampling by two has period 2 and
advance 1. Periodic fields compose exactly, also through U-Nets and unequal branches, which the usual recurrence
(Araujo, Norris and Sim 2019, Computing receptive fields of convolutional networks) does not cover.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

Reads = Callable[[int], tuple[int, int]]


@dataclass(frozen=True)
class AxisField:
    """Position ``o = cycle * period + phase`` sees pixels ``low[phase]`` to ``high[phase]``, moved by cycle * advance.

    Pixels before 0 and past the end are padding; by convention they count in `size`.
    """

    advance: int
    low: tuple[int, ...]
    high: tuple[int, ...]

    @property
    def period(self) -> int:
        """Number of positions after which the pattern repeats."""
        return len(self.low)

    @property
    def stride(self) -> float:
        """Pixels of the input between neighbouring positions."""
        return self.advance / self.period

    @property
    def size(self) -> int:
        """Pixels that a position sees; the maximum over all positions."""
        return max(high - low + 1 for low, high in zip(self.low, self.high, strict=True))

    @property
    def start(self) -> float:
        """The centre of the receptive field of position 0, in pixels."""
        return (self.low[0] + self.high[0]) / 2

    def at(self, index: int) -> tuple[int, int]:
        """Return the first and the last pixel (inclusive) that the position `index` sees."""
        cycle, phase = divmod(index, self.period)
        return self.low[phase] + cycle * self.advance, self.high[phase] + cycle * self.advance


PIXELS = AxisField(1, (0,), (0,))


def compose(field: AxisField, period: int, advance: int, reads: Reads) -> AxisField:
    """Return the field after a layer whose position o reads positions ``reads(o)`` of a map with this field."""
    repeats = field.period // math.gcd(field.period, advance) if advance else 1
    lows, highs = [], []
    for index in range(period * repeats):
        first, last = reads(index)
        lows.append(field.at(first)[0])
        highs.append(field.at(last)[1])
    return simplify(AxisField(field.advance * (advance * repeats // field.period), tuple(lows), tuple(highs)))


def simplify(field: AxisField) -> AxisField:
    """Return the same field with the shortest period."""
    for period in range(1, field.period):
        repeats = field.period // period
        if field.period % period or field.advance % repeats:
            continue
        short = AxisField(field.advance // repeats, field.low[:period], field.high[:period])
        if all(short.at(index) == field.at(index) for index in range(field.period)):
            return short
    return field


def window(field: AxisField, size: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> AxisField:
    """Return the field after a convolution or a pool.

    >>> three = window(PIXELS, 3)
    >>> window(three, 3).size, window(window(three, 3), 2, 2).size, window(window(window(three, 3), 2, 2), 3).size
    (5, 6, 10)
    """
    reach = dilation * (size - 1)
    return compose(field, 1, stride, lambda o: (o * stride - padding, o * stride - padding + reach))


def transposed(field: AxisField, size: int, stride: int, padding: int = 0, dilation: int = 1) -> AxisField:
    """Return the field after a transposed convolution, whose position o depends on (o + padding - tap) / stride.

    If the window is smaller than the stride, some positions depend on no input; they get the nearest one before.
    """
    reach = dilation * (size - 1)

    def reads(index: int) -> tuple[int, int]:
        last = (index + padding) // stride
        return min(-((reach - index - padding) // stride), last), last

    return compose(field, stride, 1, reads)


def resized(field: AxisField, before: int, after: int, smooth: bool = False) -> AxisField:
    """Return the field after resizing from `before` to `after` positions, nearest or (`smooth`) linear."""
    common = math.gcd(before, after)
    period, advance = after // common, before // common

    def nearest(index: int) -> tuple[int, int]:
        position = index * before // after
        return position, position

    def linear(index: int) -> tuple[int, int]:
        position = Fraction(2 * index + 1, 2) * Fraction(before, after) - Fraction(1, 2)
        return math.floor(position), math.ceil(position)

    return compose(field, period, advance, linear if smooth else nearest)


def adaptive_window(field: AxisField, before: int, after: int) -> AxisField:
    """Return the field after adaptive pooling from `before` to `after` positions."""
    common = math.gcd(before, after)
    return compose(
        field, after // common, before // common, lambda o: (o * before // after, -(-(o + 1) * before // after) - 1)
    )


def shifted(field: AxisField, offset: int, step: int = 1) -> AxisField:
    """Return the field after cropping (offset > 0) or padding (offset < 0) at the start, and subsampling by `step`."""
    return compose(field, 1, step, lambda o: (o * step + offset, o * step + offset))


def whole_axis(field: AxisField, positions: int) -> AxisField:
    """Return the field of an operation that reads all `positions` of a map."""
    return AxisField(0, (field.at(0)[0],), (field.at(positions - 1)[1],))


def union(fields: Iterable[AxisField], positions: int) -> AxisField:
    """Return the union of the fields of maps with `positions` positions: from the first to the last pixel of any."""
    joined, *rest = fields
    for other in rest:
        if joined.advance * other.period == other.advance * joined.period:
            period = math.lcm(joined.period, other.period)
            pairs = [(joined.at(index), other.at(index)) for index in range(period)]
            lows = tuple(min(one[0], two[0]) for one, two in pairs)
            highs = tuple(max(one[1], two[1]) for one, two in pairs)
            joined = simplify(AxisField(joined.advance * period // joined.period, lows, highs))
        else:  # a gate over the whole image, or resizing by a non-integer factor
            one, two = whole_axis(joined, positions), whole_axis(other, positions)
            joined = AxisField(0, (min(one.low[0], two.low[0]),), (max(one.high[0], two.high[0]),))
    return joined
