"""``medsegai dicom``: what is in a DICOM folder, whether it can be used, and the way from and to an archive."""

from __future__ import annotations

import argparse

from MedSegAI.CommandLine import dicom_check, dicom_deidentify, dicom_export, dicom_fetch, dicom_list, dicom_send

_ACTIONS = (dicom_list, dicom_check, dicom_fetch, dicom_export, dicom_deidentify, dicom_send)


def add_parser(commands: argparse._SubParsersAction, common: argparse.ArgumentParser) -> None:
    """Add ``dicom`` and its actions, one file each: ``dicom_list.py`` and so on."""
    parser = commands.add_parser("dicom", help="list, check, fetch and send DICOM")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True, dest="action")
    for action in _ACTIONS:
        action.add_parser(actions, common)
