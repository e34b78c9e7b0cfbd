"""A session over a real scene, a real crop and a runner that computes in this process."""

from __future__ import annotations

import pytest

pytest.importorskip("slicer", reason="needs the Slicer core (pip install slicer-core)")

from MedSegAI.Bridge.scene import new_scene
from MedSegAI.Logic.files.read import read_volume
from MedSegAI.Logic.worker.runner import InlineRunner
from MedSegAI.Session.session import Session


@pytest.fixture
def a_crop(hippocampus_crops):
    """A T1 crop of one hippocampus, about 35 x 50 x 35 mm."""
    return read_volume(hippocampus_crops[0].image)


@pytest.fixture
def another_crop(hippocampus_crops):
    return read_volume(hippocampus_crops[1].image)


@pytest.fixture(scope="session")
def a_runner():
    """Computes here, so that the model is loaded once for all tests."""
    with InlineRunner() as runner:
        yield runner


@pytest.fixture
def a_session(a_runner):
    session = Session(new_scene(), a_runner)
    yield session
    session.close()


@pytest.fixture
def a_session_with_a_crop(a_session, a_crop):
    a_session.add_scan(a_crop)
    return a_session


@pytest.fixture
def a_segmented_crop(a_session_with_a_crop):
    a_session_with_a_crop.start_segment()
    work_through(a_session_with_a_crop)
    return a_session_with_a_crop


def work_through(session):
    """Poll until nothing is under way, as a face's timer does, and return the run."""
    while not session.poll():
        pass
    return session.run
