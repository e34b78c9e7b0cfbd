"""What the gateway serves, and what it refuses to serve without a token."""

from __future__ import annotations

import pytest

from MedSegAI.Logic.errors import InputError
from MedSegAI.Web.gateway.settings import GatewaySettings, is_loopback
from Testing.Web.gateway.running_gateway import TOKEN


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "::1", "[::1]"])
def test_this_computer_alone_needs_no_token(host):
    assert GatewaySettings(host=host).checked().host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org", "localhost.example.org", "", "127.1"])
def test_what_others_can_reach_is_refused_without_a_token(host):
    with pytest.raises(InputError, match="everyone who reaches this computer") as refusal:
        GatewaySettings(host=host).checked()
    assert "--token-file" in refusal.value.advice
    assert GatewaySettings(host=host, token=TOKEN).checked()
    assert not is_loopback(host)


def test_a_token_that_can_be_guessed_is_refused():
    with pytest.raises(InputError, match="too short: 5 characters"):
        GatewaySettings(token="short").checked()


def test_a_scan_that_is_not_there_is_refused_before_anything_starts(tmp_path):
    with pytest.raises(InputError, match=r"no file or folder .*head\.nii"):
        GatewaySettings(scan=tmp_path / "head.nii").checked()
    assert GatewaySettings(scan=tmp_path).checked()


def test_settings_that_are_shown_do_not_show_the_token():
    assert TOKEN not in repr(GatewaySettings(token=TOKEN))
