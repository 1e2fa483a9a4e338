"""An Exhibit holds finite numbers, or says that there is none."""

import math

import pytest

from relkit.exceptions import ParameterError
from relkit.exhibit import Exhibit


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_is_refused(number: float) -> None:
    for pair in ((number, 1.0), (1.0, number)):
        with pytest.raises(ParameterError, match="finite"):
            Exhibit("B01", "calls", *pair, "calls")
    assert Exhibit("B01", "calls", None, None, "calls").literal is None
