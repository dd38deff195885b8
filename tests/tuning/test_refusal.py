"""Networks that are refused, or made smaller, before a trial is spent."""

import pytest

from convscope.errors import ModelError
from convscope.tuning.refusal import check_memory


def test_parameters_must_fit_in_half_of_the_memory():
    check_memory(10**8, 16 * 2**30)
    with pytest.raises(ModelError) as caught:
        check_memory(10**9, 16 * 2**30)
    assert str(caught.value) == (
        "training 1,000,000,000 parameters takes 14.9 GiB, more than half of the machine's 16.0 GiB"
    )
