"""Covering arrays: few cases in which every pair of values of two factors occurs together at least once."""

import random
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations, product

Case = dict[str, str]
Allowed = Callable[[tuple[str, str], tuple[str, str]], bool]
"""Whether two (factor, value) may occur together; asked in both orders."""

TRIES = 4  # cases that are built for each case that is taken


def covering_array(
    factors: Mapping[str, Sequence[str]],
    allowed: Allowed,
    seed: int = 0,
    triples: Sequence[tuple[str, str, str]] = (),
) -> list[Case]:
    """Cases that together contain every pair of values that some case can contain.

    The greedy algorithm of Cohen, Dalal, Fredman and Patton (1997), "The AETG system": each case starts with a pair
    that is missing, and takes for one factor after the other the value with most missing pairs. The same seed gives the
    same cases.

    Args:
        factors: the values of each factor.
        allowed: the constraint.
        seed: of the order of factors and of equally good values.
        triples: three factors each, of which every triple of values occurs too.
    """
    builder = _Builder(factors, allowed, triples)
    source, cases = random.Random(seed), []
    while any(builder.missing) or builder.triples:
        built = [builder.case(source) for _ in range(TRIES)]
        best = max(built, key=lambda case: sum(builder.gain(item, case) for item in case))
        builder.take(best)
        cases.append(
            dict(sorted((builder.items[item] for item in best), key=lambda pair: list(factors).index(pair[0])))
        )
    return cases


def pairs_of(case: Mapping[str, str]) -> set[frozenset[tuple[str, str]]]:
    """All pairs of (factor, value) of a case."""
    return {frozenset(pair) for pair in combinations(case.items(), 2)}


class _Builder:
    """The items (factor, value) by number; sets of items are the bits of a number.

    `fits[i]` are the items that may occur with the item i, `missing[i]` those that have not yet, `values` those of
    each factor, and `triples` the sets of three that are missing.
    """

    def __init__(
        self, factors: Mapping[str, Sequence[str]], allowed: Allowed, triples: Sequence[tuple[str, str, str]]
    ) -> None:
        self.items = [(factor, value) for factor, values in factors.items() for value in values]
        self.fits = [
            sum(
                1 << j
                for j, two in enumerate(self.items)
                if one[0] != two[0] and allowed(one, two) and allowed(two, one)
            )
            for one in self.items
        ]
        self.values = {
            factor: sum(1 << i for i, (name, _) in enumerate(self.items) if name == factor) for factor in factors
        }
        self.missing = [self._completable(i) for i in range(len(self.items))]
        self.triples = {
            sum(1 << item for item in three)
            for names in triples
            for three in product(*(_bits(self.values[name]) for name in names))
            if self._possible(three)
        }

    def case(self, source: random.Random) -> list[int]:
        """Items of a case with a pair or triple that is missing and many others."""
        chosen, left = self._start(source), -1
        for item in chosen:
            left &= self.fits[item]
        rest = [factor for factor, values in self.values.items() if not any(values >> item & 1 for item in chosen)]
        source.shuffle(rest)
        while rest:
            factor = rest.pop()
            items = _bits(left & self.values[factor])
            source.shuffle(items)
            items.sort(key=lambda item: -self.gain(item, chosen))
            item = next(item for item in items if self._completes(left & self.fits[item], rest))
            chosen.append(item)
            left &= self.fits[item]
        return chosen

    def _start(self, source: random.Random) -> list[int]:
        """A pair that is missing, else a triple."""
        first = max(range(len(self.items)), key=lambda i: self.missing[i].bit_count())
        if self.missing[first]:
            return [first, source.choice(_bits(self.missing[first]))]
        return _bits(source.choice(sorted(self.triples)))

    def gain(self, item: int, case: Sequence[int]) -> int:
        """How many missing pairs and triples an item makes with the items of a case."""
        items = sum(1 << other for other in case) | 1 << item
        pairs = (self.missing[item] & items).bit_count()
        return pairs + sum(three >> item & 1 and three & items == three for three in self.triples)

    def take(self, case: Sequence[int]) -> None:
        """Count the pairs and triples of a case as covered."""
        items = sum(1 << item for item in case)
        for item in case:
            self.missing[item] &= ~items
        self.triples = {three for three in self.triples if three & items != three}

    def _completable(self, first: int) -> int:
        """The items that occur with an item in some case."""
        return sum(1 << second for second in _bits(self.fits[first]) if self._possible((first, second)))

    def _possible(self, chosen: Sequence[int]) -> bool:
        """Whether some case contains these items."""
        left = -1
        for item in chosen:
            left &= self.fits[item]
        if any(not self.fits[one] >> two & 1 for one, two in combinations(chosen, 2)):
            return False
        rest = [name for name, values in self.values.items() if not any(values >> item & 1 for item in chosen)]
        return self._completes(left, rest)

    def _completes(self, left: int, rest: Sequence[str]) -> bool:
        """Whether values of the other factors, of the items that are left, are allowed together.

        The factor with the fewest values left is tried first, so that a dead end shows at once.
        """
        if not rest:
            return True
        factor = min(rest, key=lambda name: (left & self.values[name]).bit_count())
        others = [name for name in rest if name != factor]
        return any(self._completes(left & self.fits[item], others) for item in _bits(left & self.values[factor]))


def _bits(items: int) -> list[int]:
    """The numbers of the items of a set."""
    return [place for place in range(items.bit_length()) if items >> place & 1]
