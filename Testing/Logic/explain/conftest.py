"""The network that the tests of heat maps explain."""

from __future__ import annotations

import pytest

from Testing.Logic.explain.blob_finder import BlobFinder, trained_blob_finder


@pytest.fixture(scope="session")
def finder() -> BlobFinder:
    """The network, trained here and now until it finds the ball; tests leave it as it is."""
    return trained_blob_finder()
