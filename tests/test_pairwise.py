"""The generator of covering arrays that tests of combinations use."""

from itertools import combinations, product

from helpers.pairwise import covering_array, pairs_of

FACTORS = {"a": ("1", "2", "3", "4"), "b": ("1", "2", "3"), "c": ("1", "2", "3"), "d": ("1", "2")}


def free(_first, _second):
    return True


def no_a1_with_b1_and_all_d_of_a2(first, second):
    """Forbids a1 with b1, and a2 with both values of d, so that a2 never occurs."""
    return not (first == ("a", "1") and second == ("b", "1")) and not (first == ("a", "2") and second[0] == "d")


def covered(cases):
    return set().union(*map(pairs_of, cases))


def test_every_pair_occurs_in_few_cases():
    cases = covering_array(FACTORS, free)
    items = [(factor, value) for factor, values in FACTORS.items() for value in values]
    wanted = {frozenset(pair) for pair in combinations(items, 2) if pair[0][0] != pair[1][0]}
    assert covered(cases) == wanted
    assert 12 <= len(cases) <= 15, "12 is the product of the two longest factors, 72 would be all combinations"


def test_constraints_hold_and_every_pair_of_any_valid_case_is_covered():
    cases = covering_array(FACTORS, no_a1_with_b1_and_all_d_of_a2)
    every = [dict(zip(FACTORS, values, strict=True)) for values in product(*FACTORS.values())]
    valid = [case for case in every if case["a"] != "2" and (case["a"], case["b"]) != ("1", "1")]
    assert all(case in valid for case in cases)
    assert covered(cases) == covered(valid)


def test_the_same_seed_gives_the_same_cases():
    assert covering_array(FACTORS, free, seed=3) == covering_array(FACTORS, free, seed=3)
    assert covering_array(FACTORS, free, seed=3) != covering_array(FACTORS, free, seed=4)


def test_every_triple_of_chosen_factors_occurs_too():
    cases = covering_array(FACTORS, no_a1_with_b1_and_all_d_of_a2, triples=[("a", "b", "c")])
    wanted = set(product("134", "123", "123")) - set(product("1", "1", "123"))
    assert {(case["a"], case["b"], case["c"]) for case in cases} == wanted
    assert len(cases) <= 26, "24 triples"
