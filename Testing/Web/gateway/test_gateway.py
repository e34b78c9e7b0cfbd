"""Windows and their cases: each its own, kept over a reload, ended in order, with nothing left behind."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import psutil
import pytest

from Testing.Web.gateway.running_gateway import RunningGateway, Window, eventually, running_gateway, visit


async def facts_of(window: Window, case: str) -> dict[str, str]:
    async with window.connected(case) as call:
        facts = (await call.state())["facts"]
    return dict(fact.split("=", 1) for fact in facts.split())


async def count_up(window: Window, case: str, *, times: int) -> int:
    async with window.connected(case) as call:
        await call("trame.state.update", [{"key": "count", "value": times}])
        return (await call.state())["count"]


async def text_of(window: Window, address: str) -> tuple[int, str]:
    async with window.session.get(address) as answer:
        return answer.status, await answer.text()


def is_gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def everything_of(gateway: RunningGateway) -> list[int]:
    children = psutil.Process(gateway.process.pid).children(recursive=True)
    assert len(children) > 1
    return [child.pid for child in children]


def test_two_windows_have_two_cases_and_a_reload_keeps_its_own():
    async def story(window: Window):
        first, second = await window.open_case(), await window.open_case()
        assert first != second
        assert await count_up(window, first, times=3) == 3
        assert await count_up(window, second, times=5) == 5
        await window.wait_for(first)
        for case, count in ((first, 3), (second, 5)):
            async with window.connected(case) as call:
                assert (await call.state())["count"] == count
        assert (await facts_of(window, first))["child"] != (await facts_of(window, second))["child"]

    with running_gateway() as gateway:
        visit(gateway, story)
        assert len(gateway.cases()) == 2


def test_a_case_that_is_still_starting_says_so_and_then_opens():
    async def story(window: Window):
        async with window.session.get(window.address) as answer:
            text, case = await answer.text(), str(answer.url)
        assert "Opening a case" in text
        assert 'http-equiv="refresh"' in text
        assert "vue.global.js" in await window.wait_for(case)

    with running_gateway() as gateway:
        visit(gateway, story)


def test_the_scan_of_the_command_line_is_opened_in_every_case(tmp_path):
    scan = tmp_path / "my head.nii"
    scan.touch()

    async def story(window: Window):
        return await facts_of(window, await window.open_case())

    with running_gateway(scan=str(tmp_path)) as gateway:
        assert visit(gateway, story)["scan"] == tmp_path.name


def test_an_address_without_a_case_says_so_and_leads_to_a_new_one():
    async def story(window: Window):
        for path in ("case/0123456789abcdef/", "case/0123456789abcdef/assets/x.js"):
            status, text = await text_of(window, window.address + path)
            assert (status, "There is no open case at this address" in text) == (404, True)
            assert '<a href="/">Open a new case</a>' in text
        status, text = await text_of(window, window.address + "wp-admin")
        assert (status, "There is nothing at this address" in text) == (404, True)

    with running_gateway() as gateway:
        visit(gateway, story)
        assert gateway.cases() == []


def test_a_killed_case_says_so_and_leaves_the_others_alone():
    async def story(window: Window):
        doomed, other = await window.open_case(), await window.open_case()
        facts = await facts_of(window, doomed)
        killed = next(case for case in gateway.cases() if doomed.split("/")[-2] in " ".join(case.cmdline()))
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        status, text = await text_of(window, doomed)
        assert (status, "its process was killed (signal 9)" in text) == (410, True)
        assert '<a href="/">Open a new case</a>' in text
        assert await count_up(window, other, times=1) == 1
        eventually(lambda: not Path(facts["file"]).exists())

    with running_gateway() as gateway:
        visit(gateway, story)


def test_a_case_is_known_to_be_dead_the_moment_it_dies():
    async def story(window: Window):
        case = await window.open_case()
        gateway.cases()[0].kill()
        status, text = await text_of(window, case)
        assert (status, "its process was killed (signal 9)" in text) == (410, True)

    with running_gateway() as gateway:
        for _ in range(3):
            visit(gateway, story)


def test_a_case_that_lives_but_closed_its_port_says_that_it_does_not_answer():
    async def story(window: Window):
        case = await window.open_case()
        async with window.connected(case) as call:
            await call("trame.trigger", "close_port", [], {})
        await asyncio.sleep(0.3)
        status, text = await text_of(window, case)
        assert (status, "too busy to answer" in text) == (503, True)

    with running_gateway() as gateway:
        visit(gateway, story)


def test_a_case_that_cannot_open_its_scan_says_why():
    async def story(window: Window):
        async with window.session.get(window.address) as answer:
            case = str(answer.url)
        status, text = await text_of(window, case)
        while status == 200:
            status, text = await text_of(window, case)
        assert status == 410
        assert "The scan &lt;b&gt; is broken." in text
        assert "Try another." in text

    with running_gateway("--fail") as gateway:
        visit(gateway, story)


def test_only_so_many_cases_are_open_at_once():
    async def story(window: Window):
        for _ in range(2):
            await window.open_case()
        status, text = await text_of(window, window.address)
        assert (status, "2 cases are open" in text) == (503, True)
        assert "--most-cases" in text
        gateway.cases()[0].kill()
        # The gateway learns of it a moment after the process is gone.
        for _ in range(200):
            status, text = await text_of(window, window.address)
            if status != 503:
                break
            await asyncio.sleep(0.05)
        assert status == 200, text

    with running_gateway(most_cases=2) as gateway:
        visit(gateway, story)


def test_a_case_is_kept_while_a_window_is_open_and_ended_some_time_after():
    async def story(window: Window):
        case = await window.open_case()
        async with window.connected(case) as call:
            await asyncio.sleep(2.5)
            assert (await call.state())["count"] == 0
        await asyncio.sleep(0.5)
        assert (await text_of(window, case))[0] == 200
        return case

    with running_gateway(seconds_without_window=1.0) as gateway:
        case = visit(gateway, story)
        eventually(lambda: not gateway.cases())
        status, text = visit(gateway, lambda window: text_of(window, case))
        assert (status, "its last window was closed long ago" in text) == (410, True)


def test_a_spare_case_is_ready_before_anyone_asks():
    async def story(window: Window):
        case = await window.open_case()
        assert case.split("/")[-2] in " ".join(spare.cmdline())

    with running_gateway(keep_spare=True) as gateway:
        (spare,) = gateway.cases()
        visit(gateway, story)
        eventually(lambda: len(gateway.cases()) == 2)


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_ending_the_gateway_ends_everything_and_leaves_no_file(sign):
    with running_gateway() as gateway:
        visit(gateway, Window.open_case, Window.open_case)
        processes = everything_of(gateway)
        gateway.process.send_signal(sign)
        assert gateway.process.wait(10) == 0
        assert [pid for pid in processes if not is_gone(pid)] == []
        assert list(gateway.folder.iterdir()) == []
        assert gateway.log.read_text() == ""


def test_a_gateway_that_is_ended_while_a_case_is_opening_leaves_nothing():
    async def open_and_go(window: Window):
        async with window.session.get(window.address) as answer:
            assert "Opening a case" in await answer.text()

    with running_gateway() as gateway:
        visit(gateway, open_and_go)
        processes = everything_of(gateway)
        gateway.process.terminate()
        assert gateway.process.wait(15) == 0
        assert [pid for pid in processes if not is_gone(pid)] == []
        assert list(gateway.folder.iterdir()) == []


def test_a_second_ctrl_c_does_not_wait_for_a_case_that_hangs():
    with running_gateway("--hang") as gateway:
        visit(gateway, Window.open_case)
        processes = everything_of(gateway)
        gateway.process.send_signal(signal.SIGINT)
        with pytest.raises(Exception, match="timed out"):
            gateway.process.wait(1)
        gateway.process.send_signal(signal.SIGINT)
        assert gateway.process.wait(4) == 0
        assert [pid for pid in processes if not is_gone(pid)] == []


@pytest.mark.parametrize("options", [[], ["--hang"]], ids=["cases that end", "a case that hangs"])
def test_a_killed_gateway_leaves_neither_process_nor_file(options):
    with running_gateway(*options) as gateway:
        visit(gateway, Window.open_case, Window.open_case)
        processes = everything_of(gateway)
        gateway.process.kill()
        gateway.process.wait()
        eventually(lambda: all(map(is_gone, processes)))
        assert list(gateway.folder.iterdir()) == []
