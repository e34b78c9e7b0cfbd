"""Addresses of archives, and what their refusals mean."""

from __future__ import annotations

import sys

import pytest

from MedSegAI.Logic.errors import DependencyError, InputError
from MedSegAI.Logic.files.dicom.web_archive import WebArchive


@pytest.mark.parametrize("url", ["pacs.example/dicom-web", "ftp://pacs.example", "https://", ""])
def test_what_is_no_web_address_is_refused(url):
    with pytest.raises(InputError, match="no address of a DICOMweb service"):
        WebArchive(url)


def test_a_password_in_the_address_is_refused_without_repeating_it():
    with pytest.raises(InputError) as refused:
        WebArchive("https://anna:geheim@pacs.example/dicom-web")
    assert "geheim" not in str(refused.value)


def test_secrets_stay_out_of_its_text():
    text = repr(WebArchive("https://pacs.example", "anna", "geheim", "abcdef"))
    assert "geheim" not in text and "abcdef" not in text


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("https://pacs.example/dicom-web", True),
        ("http://127.0.0.1:8042/dicom-web", True),
        ("http://[::1]:8042/", True),
        ("http://pacs.example/dicom-web", False),
    ],
)
def test_only_encryption_or_this_very_computer_is_private(url, private):
    assert WebArchive(url).is_private is private


def test_user_and_token_go_into_the_requests():
    pytest.importorskip("dicomweb_client")
    client = WebArchive("https://pacs.example/dicom-web/", "anna", "geheim").client()
    assert client._session.auth == ("anna", "geheim")
    assert client.base_url == "https://pacs.example/dicom-web"
    client = WebArchive("https://pacs.example", token="abcdef").client()
    assert client._session.headers["Authorization"] == "Bearer abcdef"


def test_every_way_to_fail_is_a_sentence():
    requests = pytest.importorskip("requests")
    archive = WebArchive("https://pacs.example/dicom-web")
    for error, sentence in (
        (requests.exceptions.SSLError(), "could not prove who it is"),
        (requests.Timeout(), "does not answer in time"),
        (requests.ConnectionError(), "cannot be reached"),
        (ValueError(), "answered with something that is no DICOMweb"),
    ):
        told = archive.error(error)
        assert isinstance(told, InputError)
        assert sentence in told.problem
        assert told.advice


def test_without_the_client_a_sentence_names_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "dicomweb_client", None)
    with pytest.raises(DependencyError, match="pip install dicomweb-client"):
        WebArchive("https://pacs.example").client()
