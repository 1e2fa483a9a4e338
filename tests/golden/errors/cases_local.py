"""asyncio, groups, chains, retry libraries, LangChain, pydantic, process pools and Python's own."""

import asyncio
import concurrent.futures
import errno
import os
import socket
import subprocess
import sys

import httpx
import langchain_core.exceptions as langchain
import openai
import pydantic
import requests
import stamina
import tenacity

from .case import Cases
from .loopback import answer, hang

cases = Cases()
case = cases.case


def fails_with(status, net, headers=None, body=b""):
    httpx.get(net.http.address(f"local_{status}", answer(status, headers, body))).raise_for_status()


def refused(net):
    httpx.get(net.refused)


def slow(net):
    httpx.get(net.http.address("hang", hang), timeout=0.2)


async def _in_threads(*calls):
    async with asyncio.TaskGroup() as group:
        for call in calls:
            group.create_task(asyncio.to_thread(call))


@case("asyncio: wait_for", "NETWORK_TIMEOUT", True, True)
def _(net):
    asyncio.run(asyncio.wait_for(asyncio.sleep(5), 0.05))


@case("asyncio: timeout block", "NETWORK_TIMEOUT", True, True)
def _(net):
    async def work():
        async with asyncio.timeout(0.05):
            await asyncio.sleep(5)

    asyncio.run(work())


@case("asyncio: cancelled", "CANCELLED", False, None)
def _(net):
    async def work():
        task = asyncio.create_task(asyncio.sleep(5))
        await asyncio.sleep(0)
        task.cancel()
        await task

    asyncio.run(work())


@case("asyncio: refused", "NETWORK_REFUSED", True, False)
def _(net):
    asyncio.run(asyncio.open_connection("127.0.0.1", int(net.refused.rpartition(":")[2])))


@case("group: two timeouts", "NETWORK_TIMEOUT", True, True)
def _(net):
    asyncio.run(_in_threads(lambda: slow(net), lambda: slow(net)))


@case("group: refused and a bug", "PROGRAMMING_ERROR|NETWORK_REFUSED", False, None)
def _(net):
    asyncio.run(_in_threads(lambda: refused(net), lambda: None.text))


@case("group: timeout and 401", "API_AUTH_ERROR|NETWORK_TIMEOUT", False, None)
def _(net):
    asyncio.run(_in_threads(lambda: slow(net), lambda: fails_with(401, net)))


@case("group: nested, all 503", "MODEL_OVERLOADED|API_SERVER_ERROR", True, None, 4.0)
def _(net):
    async def outer():
        async with asyncio.TaskGroup() as group:
            group.create_task(_in_threads(lambda: fails_with(503, net, {"Retry-After": "4"})))

    asyncio.run(outer())


@case("tenacity: gave up on refused", "NETWORK_REFUSED", True, False)
def _(net):
    tenacity.Retrying(stop=tenacity.stop_after_attempt(2))(refused, net)


@case("tenacity: gave up on 400", "API_INVALID_REQUEST", False, False)
def _(net):
    tenacity.Retrying(stop=tenacity.stop_after_attempt(2))(fails_with, 400, net)


@case("tenacity: gave up on 429 with a wait", "API_RATE_LIMIT", True, False, 11.0)
def _(net):
    tenacity.Retrying(stop=tenacity.stop_after_attempt(1))(fails_with, 429, net, {"Retry-After": "11"})


@case("stamina: gave up on 502", "API_SERVER_ERROR", True, True)
def _(net):
    for attempt in stamina.retry_context(on=httpx.HTTPError, attempts=2, wait_initial=0.01):
        with attempt:
            fails_with(502, net)


@case("chain: an app's error from a timeout", "NETWORK_TIMEOUT", True, True)
def _(net):
    class SearchFailed(Exception):
        pass

    try:
        slow(net)
    except httpx.HTTPError as error:
        raise SearchFailed("the search failed") from error


@case("chain: an app's error while handling 401", "API_AUTH_ERROR", False, False)
def _(net):
    class SearchFailed(Exception):
        pass

    try:
        fails_with(401, net)
    except httpx.HTTPError:
        raise SearchFailed("the search failed")  # noqa: B904


@case("chain: a bug while handling a timeout", "PROGRAMMING_ERROR", False, None)
def _(net):
    try:
        slow(net)
    except httpx.HTTPError as error:
        error.retires  # noqa: B018


@case("chain: not in the cache, then refused", "NETWORK_REFUSED", True, False)
def _(net):
    try:
        {}["slot"]
    except KeyError:
        requests.get(net.refused, timeout=1)


@case("chain: hidden by from None", "UNKNOWN", False, None)
def _(net):
    class Failed(Exception):
        pass

    try:
        refused(net)
    except httpx.HTTPError:
        raise Failed("failed") from None


@case("chain: 429 after the first model timed out", "API_RATE_LIMIT", True, False)
def _(net):
    try:
        slow(net)
    except httpx.HTTPError:
        fails_with(429, net)


@case("chain: declared by attribute", "BOOKING_CONFLICT", False, False)
def _(net):
    class SlotTaken(Exception):
        error_type = "BOOKING_CONFLICT"

    raise SlotTaken("09:00 is gone")


def _crash():
    os._exit(1)


def _divide():
    return 1 / 0


def _refused_there(port):
    socket.create_connection(("127.0.0.1", port), timeout=1)


@case("pool: a worker died", "LOCAL_RESOURCE|PROGRAMMING_ERROR|UNKNOWN", False, None)
def _(net):
    with concurrent.futures.ProcessPoolExecutor(1) as pool:
        pool.submit(_crash).result()


@case("pool: a bug in a worker", "PROGRAMMING_ERROR", False, None)
def _(net):
    with concurrent.futures.ProcessPoolExecutor(1) as pool:
        pool.submit(_divide).result()


@case("pool: refused in a worker", "NETWORK_REFUSED", True, False)
def _(net):
    with concurrent.futures.ProcessPoolExecutor(1) as pool:
        pool.submit(_refused_there, int(net.refused.rpartition(":")[2])).result()


@case("pool: not done in time", "NETWORK_TIMEOUT", True, True)
def _(net):
    import time

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        pool.submit(time.sleep, 0.4).result(timeout=0.05)


@case("subprocess: not done in time", "NETWORK_TIMEOUT|LOCAL_RESOURCE", None, None)
def _(net):
    subprocess.run([sys.executable, "-c", "import time; time.sleep(5)"], timeout=0.2, check=True)


@case("langchain: output parser", "MODEL_OUTPUT_INVALID", True, None)
def _(net):
    from langchain_core.output_parsers import JsonOutputParser

    JsonOutputParser().parse("no json here")


@case("pydantic: validation", "VALIDATION_ERROR", False, False)
def _(net):
    class Slot(pydantic.BaseModel):
        minutes: int

    Slot(minutes="long")


class _RateLimited(openai.RateLimitError, langchain.LangChainException):
    """What an integration raises: its SDK's class and LangChain's."""


@case("langchain: an integration's 429", "API_RATE_LIMIT", True, False, 2.0)
def _(net):
    try:
        openai.OpenAI(
            api_key="k", base_url=net.http.address("lc429", answer(429, {"retry-after": "2"})), max_retries=0
        ).models.list()
    except openai.RateLimitError as error:
        raise _RateLimited(error.message, response=error.response, body=error.body) from error


@case("python: disk full", "LOCAL_RESOURCE", False, None)
def _(net):
    with open("/dev/full", "w") as full:
        full.write("x" * 100_000)


@case("python: no such file", "LOCAL_RESOURCE", False, False)
def _(net):
    open(net.folder / "no such file")


@case("python: too many files", "LOCAL_RESOURCE", False, None)
def _(net):
    import resource

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + 8, before[1]))
    opened = []
    try:
        while True:
            opened.append(os.open("/dev/null", os.O_RDONLY))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        for each in opened:
            os.close(each)


@case("python: out of memory", "LOCAL_RESOURCE", False, None)
def _(net):
    bytearray(1 << 60)


@case("socket: name not found", "NETWORK_ERROR", True, False)
def _(net):
    socket.create_connection(("nowhere.invalid", 80), timeout=1)


@case("socket: refused", "NETWORK_REFUSED", True, False)
def _(net):
    _refused_there(int(net.refused.rpartition(":")[2]))


@case("socket: read timeout", "NETWORK_TIMEOUT", True, True)
def _(net):
    socket.create_connection(("127.0.0.1", int(net.mute_port)), timeout=0.2).recv(1)


@case("socket: broken pipe", "NETWORK_ERROR", True, True)
def _(net):
    one, two = socket.socketpair()
    two.close()
    one.sendall(b"x" * 10)
    one.sendall(b"x" * 10)


@case("socket: port in use", "LOCAL_RESOURCE", False, False)
def _(net):
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        one.listen()
        two.bind(one.getsockname())


@case("python: unreachable network", "NETWORK_ERROR", True, False)
def _(net):
    raise OSError(errno.ENETUNREACH, os.strerror(errno.ENETUNREACH))


BUGS = {
    "type": lambda: 1 + "1",
    "attribute": lambda: None.text,
    "name": lambda: undefined_name,  # noqa: F821
    "key": lambda: {}["rate_limit"],
    "index": lambda: [][0],
    "zero": lambda: 1 / 0,
    "value": lambda: int("timeout"),
    "unicode": lambda: b"\xff".decode(),
    "import": lambda: __import__("no_such_module_at_all"),
    "recursion": lambda: (lambda f: f(f))(lambda f: f(f)),
    "loop": lambda: next(iter([])),
}
for name, bug in BUGS.items():
    cases.add(f"bug: {name}", lambda net, bug=bug: bug(), "PROGRAMMING_ERROR", False, None)


@case("bug: a value named timeout", "PROGRAMMING_ERROR|VALIDATION_ERROR", False, None)
def _(net):
    raise ValueError("timeout must be greater than 0")


@case("bug: a closed loop", "PROGRAMMING_ERROR", False, None)
def _(net):
    loop = asyncio.new_event_loop()
    loop.close()
    loop.run_until_complete(asyncio.sleep(0))


@case("unknown: an app's error", "UNKNOWN", False, None)
def _(net):
    raise RuntimeError("something went sideways")
