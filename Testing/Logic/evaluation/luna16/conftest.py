"""The tiny data set, made once and never changed."""

from __future__ import annotations

import pytest

from Testing.tiny_luna16 import TinyLuna16, make_luna16


@pytest.fixture(scope="session")
def luna16(tmp_path_factory: pytest.TempPathFactory) -> TinyLuna16:
    return make_luna16(tmp_path_factory.mktemp("luna16"))
