"""Runs for asyncio: what may take long is awaited, nothing blocks the loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, AsyncIterator, Awaitable, Callable, Iterator, Mapping, Optional, TypeVar, Union

from tiphys._artifacts import Artifacts
from tiphys._events import Event
from tiphys._follow import Following
from tiphys._nodes import Node, Nodes, Outputs, Parameters
from tiphys._run import Run
from tiphys._submit import Submission, Warm, submit

if TYPE_CHECKING:
    from tiphys._client import Client

T = TypeVar("T")


async def arun(
    client: Client,
    x: Any,
    parameters: Optional[Mapping[str, Any]],
    runtime: Optional[str],
    wait: bool,
    *,
    name: str = "",
    entrypoint: str = "",
    labels: Optional[Mapping[str, str]] = None,
    artifacts: Optional[Mapping[str, Any]] = None,
    timeout: Optional[float] = None,
    warm: Warm = None,
) -> AsyncRun:
    submission = Submission(parameters, runtime, name, entrypoint, labels or {}, artifacts, warm)
    run = AsyncRun(Run(client, await _call(lambda: submit(client, x, submission))))
    return await run.wait(timeout) if wait else run


class AsyncRun:
    """A Run whose questions and deeds are awaited; `run` is the run itself."""

    def __init__(self, run: Run) -> None:
        self.run = run

    @property
    def name(self) -> str:
        return self.run.name

    @property
    def parameters(self) -> Parameters:
        return self.run.parameters

    async def wait(self, timeout: Optional[float] = None, check: bool = True) -> AsyncRun:
        """As Run.wait(). Cancelled, it waits no more; the run goes on."""
        following = await _call(lambda: self.run.follow(with_nodes=False))
        loop = asyncio.get_running_loop()
        ended = loop.create_future()
        listener = _told_to(loop, lambda event: None if event or ended.done() else ended.set_result(None))
        following.listen(listener)
        try:
            await asyncio.wait_for(ended, timeout)
        except asyncio.TimeoutError:
            raise TimeoutError(f"{self.name} has not finished within {timeout:g} seconds; it goes on") from None
        finally:
            following.forget(listener)
        await _call(lambda: self.run.wait(check=check, progress=False))
        return self

    async def status(self) -> str:
        return await _call(lambda: self.run.status)

    async def message(self) -> str:
        return await _call(lambda: self.run.message)

    async def finished(self) -> bool:
        return await _call(lambda: self.run.finished)

    async def succeeded(self) -> bool:
        return await _call(lambda: self.run.succeeded)

    async def workflow(self) -> Mapping[str, Any]:
        return await _call(lambda: self.run.workflow)

    async def nodes(self) -> Nodes:
        return await _call(lambda: self.run.nodes)

    async def outputs(self) -> Outputs:
        """Waits for the run's end, as Run.outputs does."""
        await self.wait(check=False)
        return await _call(lambda: self.run.outputs)

    async def artifacts(self) -> Artifacts:
        return await _call(lambda: self.run.artifacts)

    async def logs(self, node: Union[Node, str, None] = None, container: str = "main", tail: Optional[int] = None, grep: str = "") -> str:
        return await _call(lambda: self.run.logs(node, container, tail, grep))

    async def follow_logs(self, node: Union[Node, str, None] = None, container: str = "main", grep: str = "") -> AsyncIterator[str]:
        lines = self.run.follow_logs(node, container, grep)
        async for line in _pulled(lines):
            yield line

    async def stop(self) -> AsyncRun:
        return await self._act(self.run.stop)

    async def terminate(self) -> AsyncRun:
        return await self._act(self.run.terminate)

    async def suspend(self) -> AsyncRun:
        return await self._act(self.run.suspend)

    async def resume(self) -> AsyncRun:
        return await self._act(self.run.resume)

    async def retry(self, restart_successful: bool = False, nodes: str = "", parameters: Optional[Mapping[str, Any]] = None) -> AsyncRun:
        return await self._act(lambda: self.run.retry(restart_successful, nodes, parameters))

    async def resubmit(self, memoized: bool = False, parameters: Optional[Mapping[str, Any]] = None) -> AsyncRun:
        return AsyncRun(await _call(lambda: self.run.resubmit(memoized, parameters)))

    async def delete(self) -> None:
        await _call(self.run.delete)

    async def __aiter__(self) -> AsyncIterator[Event]:
        """The run's events, as iterating over a Run gives them."""
        following: Following = await _call(lambda: self.run.follow(with_nodes=True))
        events: asyncio.Queue[Optional[Event]] = asyncio.Queue()
        listener = _told_to(asyncio.get_running_loop(), events.put_nowait)
        following.listen(listener)
        try:
            while True:
                event = await events.get()
                if event is None:
                    break
                yield event
        finally:
            following.forget(listener)
        if following.error:
            raise following.error

    def __repr__(self) -> str:
        return f"<Async{repr(self.run)[1:]}"

    async def _act(self, deed: Callable[[], Run]) -> AsyncRun:
        await _call(deed)
        return self


def _call(ask: Callable[[], T]) -> Awaitable[T]:
    return asyncio.to_thread(ask)


def _told_to(loop: asyncio.AbstractEventLoop, hear: Callable[[Optional[Event]], None]) -> Callable[[Optional[Event]], None]:
    """A listener for other threads; who listens no more because its loop has ended is not told."""

    def listener(event: Optional[Event]) -> None:
        if not loop.is_closed():
            loop.call_soon_threadsafe(hear, event)

    return listener


async def _pulled(lines: Iterator[str]) -> AsyncIterator[str]:
    end = object()
    try:
        while True:
            line = await _call(lambda: next(lines, end))
            if line is end:
                return
            yield line  # type: ignore[misc]
    finally:
        lines.close()  # type: ignore[attr-defined]
