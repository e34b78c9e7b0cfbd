"""A DICOMweb archive: where it is, who asks, and what its refusals mean in plain words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlparse

from MedSegAI.Logic.errors import DependencyError, InputError, MedSegAIError

_TIMEOUT_S = (10, 120)
# The client sends larger bodies in chunks, which it cannot repeat and which not every archive takes.
_ONE_BODY = 1 << 31
_OWN = {"localhost", "127.0.0.1", "::1"}
_REFUSALS = {
    401: ("asks who you are, or does not know you", "Give a user name and a password, or a token."),
    403: ("does not allow this", "Ask whoever runs the archive for the right to do it."),
    404: ("has no DICOMweb service at this address", "Check the path, which often ends in /dicom-web or /dicomweb."),
    405: ("does not take what was asked of it", "Ask whoever runs the archive whether it offers this service."),
    411: ("does not take what was asked of it", "Ask whoever runs the archive whether it offers this service."),
    413: ("finds a file too large", "Ask whoever runs the archive to raise its limit."),
    415: ("does not take this kind of file", "Ask whoever runs the archive which kinds of DICOM it takes."),
    507: ("is full", "Ask whoever runs the archive for more room."),
}


@dataclass(frozen=True)
class WebArchive:
    """An archive that speaks DICOMweb.

    Args:
        url: Address of its DICOMweb service, such as "https://pacs.example/dicom-web".
        user: User name; may be empty.
        password: The user's password.
        token: Bearer token, instead of user and password; may be empty.

    Raises:
        InputError: if the address is none of a web service.
    """

    url: str
    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        parts = urlparse(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InputError(
                f"'{self.url}' is no address of a DICOMweb service.",
                advice="It begins with https:// or http://, and often ends in /dicom-web.",
            )
        if parts.username or parts.password:
            raise InputError(
                "The address holds a user name or a password, which would end up in logs.",
                advice="Give them apart from the address.",
            )

    @property
    def is_private(self) -> bool:
        """Whether nobody on the way can read along: encrypted, or on this very computer."""
        parts = urlparse(self.url)
        return parts.scheme == "https" or parts.hostname in _OWN

    def client(self) -> Any:
        """A ``dicomweb_client.DICOMwebClient`` for it.

        Raises:
            DependencyError: if the package dicomweb-client is not installed.
        """
        try:
            import requests
            from dicomweb_client import DICOMwebClient
        except ImportError as error:
            raise DependencyError(
                "Talking to a DICOM archive needs the package dicomweb-client.",
                advice="Install it: pip install dicomweb-client.",
            ) from error
        session = requests.Session()
        if self.user:
            session.auth = (self.user, self.password)
        if self.token:
            session.headers["Authorization"] = f"Bearer {self.token}"
        client = DICOMwebClient(self.url.rstrip("/"), session=session, timeout=_TIMEOUT_S, chunk_size=_ONE_BODY)
        client.set_http_retry_params(retry=False)
        return client

    def error(self, error: Exception) -> MedSegAIError:
        """The sentence for what the client raised."""
        import requests

        if isinstance(error, requests.HTTPError) and error.response is not None:
            status = error.response.status_code
            said, advice = _REFUSALS.get(
                status, ("failed" if status >= 500 else "refused", "Ask whoever runs the archive to look at its log.")
            )
            return InputError(f"The archive at {self.url} {said} (HTTP {status}).", advice=advice)
        if isinstance(error, requests.exceptions.SSLError):
            return InputError(
                f"The archive at {self.url} could not prove who it is (TLS).",
                advice="Ask whoever runs it for its certificate, and set REQUESTS_CA_BUNDLE to that file.",
            )
        if isinstance(error, requests.Timeout):
            return InputError(f"The archive at {self.url} does not answer in time.", advice="Try again later.")
        if isinstance(error, requests.ConnectionError):
            return InputError(
                f"The archive at {self.url} cannot be reached.",
                advice="Check the address, the network, and whether the archive runs.",
            )
        return InputError(
            f"The archive at {self.url} answered with something that is no DICOMweb ({type(error).__name__}).",
            advice="Check the path, which often ends in /dicom-web or /dicomweb.",
        )
