"""OpenVINO without its messages to its maker: nothing about a scan, a model or a run leaves the computer."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType


def without_telemetry(package: str) -> ModuleType:
    """Import ``openvino``, ``nncf`` or another package so that OpenVINO sends nothing; the only way to import it here.

    Unless a person has declined, both tell their maker over the network which conversions were done. They do so by
    way of the package ``openvino_telemetry``, and go without where it cannot be imported.

    Raises:
        ImportError: if the package is not installed.
    """
    sender = sys.modules.get("openvino_telemetry")
    if sender is None:
        sys.modules["openvino_telemetry"] = None
    else:
        # Somebody in this process imported OpenVINO before, so what would send is in place already.
        sender.Telemetry.send_event = sender.Telemetry.send_error = _send_nothing
        sender.Telemetry.start_session = sender.Telemetry.end_session = _send_nothing
    return importlib.import_module(package)


def _send_nothing(*_told: object, **_more: object) -> None:
    """Stand in for whatever would send something."""
