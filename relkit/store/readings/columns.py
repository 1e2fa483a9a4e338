"""Columns of a reading as numpy arrays of one known type."""

from typing import Any

import numpy as np
import numpy.typing as npt

from relkit.store.open import Store


def int_columns(store: Store, sql: str, values: list[Any]) -> dict[str, npt.NDArray[np.int64]]:
    """Run a query whose columns are whole numbers without NULL; return them by name."""
    return {name: np.asarray(column).astype(np.int64) for name, column in _columns(store, sql, values).items()}


def columns(store: Store, sql: str, values: list[Any]) -> dict[str, npt.NDArray[Any]]:
    """Run a query; return its columns by name, of whatever type they are."""
    return {name: np.asarray(column) for name, column in _columns(store, sql, values).items()}


def _columns(store: Store, sql: str, values: list[Any]) -> dict[str, Any]:
    return dict(store.connection.execute(sql, values).fetchnumpy())
