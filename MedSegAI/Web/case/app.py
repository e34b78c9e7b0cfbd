"""The app of one case: Slicer's core, the session, the page, and the loop that keeps them together."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from trame.app import get_server
from trame_slicer import module as trame_slicer_module

from MedSegAI.Logic.errors import MedSegAIError
from MedSegAI.Logic.worker.runner import SubprocessRunner
from MedSegAI.Session.expert_review import ExpertReview
from MedSegAI.Session.input_alignment import InputAlignment
from MedSegAI.Session.preparation import Preparation
from MedSegAI.Session.run import Outcome, RunKind
from MedSegAI.Session.session import Session, SessionEvent
from MedSegAI.Web.case.brush import Brush
from MedSegAI.Web.case.consensus_panel import ConsensusPanel
from MedSegAI.Web.case.dialogs import Dialogs
from MedSegAI.Web.case.edit_panel import EditPanel
from MedSegAI.Web.case.experts_panel import ExpertsPanel
from MedSegAI.Web.case.export_panel import ExportPanel
from MedSegAI.Web.case.file_exchange import FileExchange
from MedSegAI.Web.case.inputs_panel import InputsPanel
from MedSegAI.Web.case.model_panel import ModelPanel
from MedSegAI.Web.case.opening import Opening
from MedSegAI.Web.case.page import Page
from MedSegAI.Web.case.pointing_panel import PointingPanel
from MedSegAI.Web.case.prepare_panel import PreparePanel
from MedSegAI.Web.case.refine_panel import RefinePanel
from MedSegAI.Web.case.region_panel import RegionPanel
from MedSegAI.Web.case.results_panel import ResultsPanel
from MedSegAI.Web.case.run_panel import RunPanel
from MedSegAI.Web.case.saliency_panel import SaliencyPanel
from MedSegAI.Web.case.series_dialog import SeriesDialog
from MedSegAI.Web.case.setup_panel import SetupPanel
from MedSegAI.Web.case.slicer_core import open_scene_of, start_slicer_core
from MedSegAI.Web.case.stroke_undo import StrokeUndoStack
from MedSegAI.Web.case.texts import ENGLISH, closest_language, languages, texts_in
from MedSegAI.Web.case.views import FOUR_VIEWS, CaseViews
from MedSegAI.Web.case.web_guard import guard
from MedSegAI.Web.case.window_panel import WindowPanel

T = TypeVar("T")

_log = logging.getLogger(__name__)

WARM_UP = "MEDSEGAI_WARM_UP"
"""An environment variable: 0 leaves the model unloaded until it is first needed, which saves memory on a server."""
_POLL_SECONDS = 0.05
_MOST_UNDO_STATES = 100
_BROWSER_FILES = Path(__file__).resolve().parent / "browser"
_ICON = Path(__file__).resolve().parents[2] / "Resources" / "Icons" / "MedSegAI.png"


class CaseApp:
    """One case in one browser window.

    Args:
        secret: What every request must bring along; empty lets in whoever reaches the address.
    """

    def __init__(self, *, secret: str = "") -> None:
        self.server = get_server("medsegai-case", client_type="vue3")
        self.server.enable_module(trame_slicer_module)
        self.server.enable_module({"serve": {"medsegai": str(_BROWSER_FILES)}, "scripts": ["medsegai/page.js"]})
        self.core = start_slicer_core()
        self.session = Session(
            open_scene_of(self.core), SubprocessRunner(), undo_stack=StrokeUndoStack(undo_limit=_MOST_UNDO_STATES)
        )
        self.brush = Brush(self.core.segmentation_editor, self.session.undo_stack)
        self.review = ExpertReview(self.session)
        self.preparation, self.alignment = Preparation(self.session), InputAlignment(self.session)
        self.views = CaseViews(self.core, self.server)
        self.shortcuts: dict[str, Callable[[], object]] = {}
        self._build_page()
        self._poll: asyncio.Task | None = None
        self._show: asyncio.Handle | None = None
        self._closed = self._greeted = False
        self.server.controller.on_server_bind.add(partial(self._set_up_http, secret=secret))
        self.session.observe(self._on_event)

    @property
    def port(self) -> int:
        """The port that is served on."""
        return self.server.port

    # Start and end ------------------------------------------------------------------------------------------------

    async def start(self, *, host: str, port: int) -> asyncio.Task:
        """Serve; returns when the address answers, with the task that serves until :meth:`close`."""
        options = {"open_browser": False, "show_connection_info": False, "thread": True, "timeout": 0}
        serving = self.server.start(host=host, port=port, exec_mode="task", **options)
        ready = asyncio.ensure_future(self.server.ready)
        await asyncio.wait({serving, ready}, return_when="FIRST_COMPLETED")
        if serving.done():
            serving.result()
        return serving

    async def close(self) -> None:
        """End the worker, stop serving and remove the private files."""
        self._closed = True
        for pending in (self._show, self._poll):
            if pending is not None:
                pending.cancel()
        self.review.close()
        self.session.close()
        if self.server.running:
            await self.server.stop()
        self.files.close()

    async def open_first_scan(self, path: Path | None, *, empty: bool) -> None:
        """Open the scan (or scene) at ``path``, or the sample head; an error is shown in the page."""
        if not empty:
            await self.attempt_long(lambda: self.opening.path(path) if path is not None else self.opening.sample())
            # What the app opened by itself is where the user begins, not an action to take back.
            self.session.undo_stack.clear()
        self._show_now()

    def upload_failed(self, reason: str) -> None:
        """Show why an upload did not arrive; called by the page."""
        advice = str(reason)[:300]
        self.dialogs.show_error(MedSegAIError(texts_in(self.page.shown.language)["error_upload"], advice=advice))

    # Acting -------------------------------------------------------------------------------------------------------

    def attempt(self, action: Callable[[], object]) -> None:
        """Do something for the user; what goes wrong is shown in a dialog, and nothing else happens then."""
        with self._errors_shown():
            action()
        self.show_soon()

    async def attempt_long(self, action: Callable[[], Awaitable[object]]) -> None:
        """As :meth:`attempt`, for what waits for files."""
        with self._errors_shown():
            await action()
        self.show_soon()

    @contextmanager
    def _errors_shown(self) -> Iterator[None]:
        try:
            yield
        except MedSegAIError as error:
            shown = error
        except Exception as error:
            # A mistake of ours: the log has it all, and the user is not left waiting for something to happen.
            _log.exception("An action failed.")
            shown = MedSegAIError(
                f"Something unexpected went wrong: {type(error).__name__}: {error}.",
                advice="Download your case, open this page again, and please report this if it happens again.",
            )
        else:
            return
        with self.server.state:
            self.dialogs.show_error(shown)

    def soon(self, action: Callable[[], object]) -> None:
        """As :meth:`attempt`, once what goes on now is over: a view that tells of a click is still at work with it."""
        if not self._closed:
            asyncio.get_running_loop().call_soon(self.attempt, action)

    async def in_thread(self, work: Callable[..., T], *arguments: object) -> T:
        """Do work that touches neither scene nor page in another thread, and wait for it."""
        return await asyncio.get_running_loop().run_in_executor(None, work, *arguments)

    def press(self, key: str) -> None:
        """Do what a key on the keyboard stands for; called by the page."""
        action = {"undo": self.session.undo, "redo": self.session.redo, **self.shortcuts}.get(key)
        if action is not None:
            self.attempt(action)

    def speak(self, language: str) -> None:
        """Show all texts in this language."""
        self.page.show_language(language)
        self.server.state.t = texts_in(language)

    def greet(self, wanted: str) -> None:
        """Show all texts in the browser's language when it first opens the page; what is chosen later stays."""
        if not self._greeted:
            self._greeted = True
            self.speak(closest_language(wanted))

    # Showing ------------------------------------------------------------------------------------------------------

    def show_soon(self) -> None:
        """Bring the page up to date with the session, once for everything that happens until then."""
        if self._show is None and not self._closed:
            self._show = asyncio.get_running_loop().call_soon(self._show_now)

    def _show_now(self) -> None:
        self._show = None
        with self.server.state:
            for panel in (self.page, *(panel for panels in self.panels.values() for panel in panels)):
                panel.refresh()
        self.views.redraw()

    def _on_event(self, event: SessionEvent) -> None:
        if event is SessionEvent.RUN and self.session.is_busy and self._poll is None:
            self._poll = asyncio.get_running_loop().create_task(self._poll_session())
        if os.environ.get(WARM_UP, "1") != "0":
            self.session.warm_up()
        self.show_soon()

    async def _poll_session(self) -> None:
        try:
            while not self.session.poll():
                await asyncio.sleep(_POLL_SECONDS)
        except Exception:
            # Nobody waits for this task, so nobody else would tell.
            _log.exception("Following the work under way failed.")
            raise
        finally:
            self._poll = None
            self.show_soon()
        run = self.session.run
        if run is not None and (run.kind, run.outcome) == (RunKind.SEGMENT, Outcome.DONE):
            self.views.fit_3d()

    # Building -----------------------------------------------------------------------------------------------------

    def _build_page(self) -> None:
        state = self.server.state
        state.trame__title = "MedSegAI"
        state.trame__favicon = f"data:image/png;base64,{base64.b64encode(_ICON.read_bytes()).decode()}"
        state.t = texts_in(ENGLISH)
        self.opening, self.dialogs, self.series = Opening(self), Dialogs(self), SeriesDialog(self)
        self.run_panel, heat, prepare = RunPanel(self), SaliencyPanel(self), PreparePanel(self)
        edit, experts = EditPanel(self), ExpertsPanel(self)
        received = {"/upload": self.opening.take_upload, "/upload/mask": experts.take_mask}
        self.files = FileExchange({**received, "/upload/landmarks": prepare.take_file})
        state.case_key = self.files.key
        pointing = PointingPanel(self)
        wanted = [InputsPanel(self), ModelPanel(self), RegionPanel(self), pointing]
        self.panels = {
            "segment": [*wanted, self.run_panel, ResultsPanel(self), SetupPanel(self)],
            "prepare": [prepare, WindowPanel(self)],
            "heat": [heat],
            "edit": [edit, RefinePanel(self)],
            "experts": [experts, ConsensusPanel(self)],
            "export": [ExportPanel(self)],
        }
        self.shortcuts |= {"s": self.run_panel.segment, "h": heat.explain, "escape": pointing.escape}
        self.shortcuts |= {key: partial(edit.choose_tool, tool) for key, tool in zip("bne", ("paint", "none", "erase"))}
        self.page = Page(self)
        self.page.shown.languages = languages()
        self.page.show_language(ENGLISH)
        with self.views.drawn_once():
            self.page.build()
            self.views.arrange(FOUR_VIEWS)

    def _set_up_http(self, web_server: Any, *, secret: str) -> None:
        web_server.app.add_routes(self.files.routes())
        guard(web_server.app, secret=secret)
