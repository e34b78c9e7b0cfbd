"""The one server that a browser speaks to: lets people in, opens cases, and hands everything else on to them."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
from aiohttp import web

from MedSegAI.Logic.errors import InputError, MedSegAIError
from MedSegAI.Web.gateway import headers, pages, pass_through
from MedSegAI.Web.gateway.access import TOKEN_QUERY, Access, is_a_persons_visit
from MedSegAI.Web.gateway.app_folder import make_app_folder
from MedSegAI.Web.gateway.case_process import Case, CaseState
from MedSegAI.Web.gateway.open_cases import OpenCases
from MedSegAI.Web.gateway.settings import GatewaySettings

_SECONDS_TO_CLOSE = 2.0
_SECONDS_TO_DIE = 1.0

logger = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Gateway:
    """The web application of one gateway.

    Args:
        access: Who may come in.
        cases: The open cases.
        session: What speaks to them.
    """

    def __init__(self, access: Access, cases: OpenCases, session: aiohttp.ClientSession) -> None:
        self._access = access
        self._cases = cases
        self._session = session

    def application(self) -> web.Application:
        """Routes and rules, ready to be served."""
        application = web.Application(middlewares=[self._guard()])
        application.on_response_prepare.append(_add_headers)
        application.router.add_get("/", self._open_case, allow_head=False)
        application.router.add_get("/case/{case_id}", self._with_slash)
        # trame's page asks here before it connects; see connection_of.
        application.router.add_post("/case/{case_id}/paraview/", self._tell_connection)
        application.router.add_route("*", "/case/{case_id}/{below:.*}", self._hand_on)
        return application

    def _guard(self) -> Handler:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            if self._access.brings_token(request):
                response = web.HTTPSeeOther(request.rel_url.without_query_params(TOKEN_QUERY))
                self._access.let_in(response)
                return response
            refusal = self._access.refusal(request)
            if refusal:
                return pages.refused(refusal)
            try:
                return await handler(request)
            except web.HTTPNotFound:
                return pages.unknown_page()

        return guard

    async def _open_case(self, request: web.Request) -> web.StreamResponse:
        if not is_a_persons_visit(request):
            return pages.refused("A case is opened only for a window.")
        try:
            case = await self._cases.open()
        except MedSegAIError as error:
            return pages.cannot_open(error)
        return web.HTTPSeeOther(case.url_base)

    async def _with_slash(self, request: web.Request) -> web.StreamResponse:
        return web.HTTPSeeOther(f"{request.rel_url.raw_path}/")

    async def _tell_connection(self, request: web.Request) -> web.StreamResponse:
        case = self._case_of(request)
        if case is None or case.state is not CaseState.SERVING:
            return self._gone(request)
        return web.json_response(pass_through.connection_of(case))

    async def _hand_on(self, request: web.Request) -> web.StreamResponse:
        case = self._case_of(request)
        if case is None:
            return self._gone(request)
        if case.state is CaseState.OPENING:
            case.seen()
            return pages.opening(case.age)
        try:
            return await pass_through.hand_on(request, case, self._session)
        except aiohttp.ClientError:
            died = await case.has_ended(within=_SECONDS_TO_DIE)
            return pages.ended(case.why_ended) if died else pages.silent()

    def _case_of(self, request: web.Request) -> Case | None:
        return self._cases.find(request.match_info["case_id"])

    def _gone(self, request: web.Request) -> web.StreamResponse:
        why = self._cases.why_ended(request.match_info["case_id"])
        return pages.ended(why) if why else pages.unknown_case()


async def serve(settings: GatewaySettings, *, on_ready: Callable[[str, str], None]) -> None:
    """Serve until Ctrl-C or SIGTERM; then end every case. A second Ctrl-C does not wait for them.

    Args:
        settings: How to serve.
        on_ready: Called with the address, and the address that lets one browser in, as soon as it works.

    Raises:
        InputError: if the address cannot be listened on.
    """
    settings = settings.checked()
    access = Access.of(settings)
    async with _cases(settings) as cases, pass_through.new_session() as session:
        runner = web.AppRunner(
            Gateway(access, cases, session).application(),
            access_log=None,
            handle_signals=False,
            shutdown_timeout=_SECONDS_TO_CLOSE,
        )
        stopped = _stop_on_signals(cases)
        await runner.setup()
        try:
            address = await _listen(runner, settings)
            await cases.start_spare()
            ticket = access.ticket()
            on_ready(address, f"{address}?{TOKEN_QUERY}={ticket}" if ticket else address)
            await stopped.wait()
        finally:
            await asyncio.gather(cases.end_all(), runner.cleanup())


@contextlib.asynccontextmanager
async def _cases(settings: GatewaySettings) -> AsyncIterator[OpenCases]:
    folder = make_app_folder()
    cases = OpenCases(settings, folder)
    looking = asyncio.create_task(cases.end_forgotten_ones())
    try:
        yield cases
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        await cases.end_all()
        folder.remove()


def _stop_on_signals(cases: OpenCases) -> asyncio.Event:
    stopped = asyncio.Event()

    def stop() -> None:
        if stopped.is_set():
            cases.kill_all()
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    return stopped


async def _listen(runner: web.AppRunner, settings: GatewaySettings) -> str:
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
    except OSError as error:
        raise InputError(
            f"Port {settings.port} of {settings.host} cannot be listened on"
            f"{': it is in use already' if error.errno == errno.EADDRINUSE else ''}.",
            advice="Choose another with --port; --port 0 takes any free one.",
        ) from error
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{runner.addresses[0][1]}/"


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    for name, value in headers.for_every_answer().items():
        response.headers.setdefault(name, value)
    response.headers.update(headers.SERVER)
