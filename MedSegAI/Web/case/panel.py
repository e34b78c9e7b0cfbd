"""What all panels share: a slice of the browser's state, and a way to act on the session that shows what goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from trame_server.utils.typed_state import TypedState

if TYPE_CHECKING:
    from MedSegAI.Session.session import Session
    from MedSegAI.Web.case.app import CaseApp

T = TypeVar("T")


class Panel(Generic[T]):
    """A part of the drawer over the session; what it keeps is only what is on the screen.

    Args:
        case: The app it belongs to.
        kind: Dataclass of what it shows; each field becomes a variable of the browser's state.
    """

    def __init__(self, case: CaseApp, kind: type[T]) -> None:
        self.case = case
        self._state = TypedState(case.server.state, kind)
        self.shown: T = self._state.data
        """The values in the browser; assigning to a field changes it there."""
        self.names: T = self._state.name
        """The names of the variables that hold them, for expressions in the page."""

    @property
    def session(self) -> Session:
        """The case that is shown."""
        return self.case.session

    def build(self) -> None:
        """Add the widgets to the page being built."""
        raise NotImplementedError

    def refresh(self) -> None:
        """Take over the session's present state."""
        raise NotImplementedError

    def acts(self, action: Callable[..., object]) -> Callable[..., None]:
        """A listener for a widget that runs ``action``, and shows the sentence of an error that a person can mend."""
        return lambda *arguments, **_options: self.case.attempt(lambda: action(*arguments))
