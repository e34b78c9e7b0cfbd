"""The archive that a command talks to: its address and user from the options, secrets from the environment."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from MedSegAI.CommandLine.progress import ConsoleReporter

if TYPE_CHECKING:
    from MedSegAI.Logic.files.dicom.web_archive import WebArchive

_PASSWORD, _TOKEN = "MEDSEGAI_DICOMWEB_PASSWORD", "MEDSEGAI_DICOMWEB_TOKEN"
TOKEN_SENTENCE = f"A bearer token is read from the environment variable {_TOKEN}."


def add_user_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--user``; a password on the command line could be read by every user of the computer."""
    parser.add_argument(
        "--user", metavar="NAME", default="", help=f"user name; the password is read from the variable {_PASSWORD}"
    )


def archive_at(url: str, options: argparse.Namespace, reporter: ConsoleReporter) -> WebArchive:
    """The archive at an address; says where somebody on the way could read along.

    Raises:
        InputError: if the address is none of a web service.
    """
    from MedSegAI.Logic.files.dicom.web_archive import WebArchive

    archive = WebArchive(url, options.user, os.environ.get(_PASSWORD, ""), os.environ.get(_TOKEN, ""))
    if not archive.is_private:
        reporter.message(f"{url} is not encrypted: files, passwords and tokens can be read on the way.")
    return archive
