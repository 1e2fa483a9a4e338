"""Third wave, written by a stranger to the rules: what providers answer, and clients no rule had seen.

The answers stand in third_answers.csv, one a row: which client is sent to the loopback server, what it is answered, and
what an honest person would call it. The rest are mail, file transfer, queues and timeouts of other kinds.
"""

import asyncio
import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .case import UNDECIDED, Cases
from .loopback import Server, answer, hang

cases = Cases(wave=3)
_TRUTH = {"true": True, "false": False, "": UNDECIDED}
_TALK: Any = [{"role": "user", "content": "hi"}]


def _openai(url: str) -> None:
    import openai

    openai.OpenAI(api_key="sk-x", base_url=url, max_retries=0).chat.completions.create(model="m", messages=_TALK)


def _azure_openai(url: str) -> None:
    import openai

    client = openai.AzureOpenAI(api_key="x", azure_endpoint=url, api_version="2024-10-21", max_retries=0)
    client.chat.completions.create(model="m", messages=_TALK)


def _groq(url: str) -> None:
    import groq

    groq.Groq(api_key="gsk_x", base_url=url, max_retries=0).chat.completions.create(model="m", messages=_TALK)


def _anthropic(url: str) -> None:
    import anthropic

    client = anthropic.Anthropic(api_key="sk-ant-x", base_url=url, max_retries=0)
    client.messages.create(model="m", max_tokens=5, messages=_TALK)


def _google_genai(url: str) -> None:
    from google import genai
    from google.genai import types

    client = genai.Client(api_key="k", http_options=types.HttpOptions(base_url=url))
    client.models.generate_content(model="m", contents="hi")


def _mistralai(url: str) -> None:
    from mistralai.client import Mistral

    Mistral(api_key="k", server_url=url).chat.complete(model="m", messages=_TALK)


def _cohere(url: str) -> None:
    import cohere

    cohere.ClientV2(api_key="k", base_url=url).chat(model="m", messages=_TALK, request_options={"max_retries": 0})


def _huggingface_hub(url: str) -> None:
    from huggingface_hub import InferenceClient

    InferenceClient(base_url=url, api_key="k").chat_completion(_TALK)


def _google_api_core(url: str) -> None:
    import requests
    from google.api_core import exceptions

    raise exceptions.from_http_response(requests.post(url, timeout=2))


def _azure_core(url: str) -> None:
    from azure.core import PipelineClient
    from azure.core.rest import HttpRequest

    PipelineClient(url, policies=[]).send_request(HttpRequest("POST", url)).raise_for_status()


def _httpx(url: str) -> None:
    import httpx

    httpx.post(url, json={}, timeout=2).raise_for_status()


def _requests(url: str) -> None:
    import requests

    requests.post(url, json={}, timeout=2).raise_for_status()


def _urllib(url: str) -> None:
    import urllib.request

    urllib.request.urlopen(url, b"{}", timeout=2).read()


def _aiohttp(url: str) -> None:
    import aiohttp

    async def call() -> None:
        async with aiohttp.ClientSession() as session, session.post(url, json={}) as got:
            got.raise_for_status()

    asyncio.run(call())


def _botocore(service: str, method: str, **arguments: object) -> Callable[[str], None]:
    def call(url: str) -> None:
        import botocore.session
        from botocore.config import Config

        config = Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"})
        client = botocore.session.get_session().create_client(
            service, "eu-west-1", endpoint_url=url, aws_access_key_id="a", aws_secret_access_key="b", config=config
        )
        getattr(client, method)(**arguments)

    return call


_CALLS: dict[str, Callable[[str], None]] = {
    "openai": _openai,
    "azure openai": _azure_openai,
    "groq": _groq,
    "anthropic": _anthropic,
    "google genai": _google_genai,
    "mistralai": _mistralai,
    "cohere": _cohere,
    "huggingface_hub": _huggingface_hub,
    "google-api-core": _google_api_core,
    "azure-core": _azure_core,
    "httpx": _httpx,
    "requests": _requests,
    "urllib": _urllib,
    "aiohttp": _aiohttp,
    "botocore dynamodb": _botocore("dynamodb", "put_item", TableName="bookings", Item={"id": {"S": "1"}}),
    "botocore bedrock-runtime": _botocore(
        "bedrock-runtime", "converse", modelId="m", messages=[{"role": "user", "content": [{"text": "x"}]}]
    ),
    "botocore s3": _botocore("s3", "put_object", Bucket="b", Key="k", Body=b"x"),
    "botocore sqs": _botocore("sqs", "send_message", QueueUrl="http://q/1", MessageBody="x"),
}


def _add(row: dict[str, str]) -> None:
    body = json.loads(row["body"]) if row["body"][:1] in {"{", "["} else row["body"].encode()
    sent = answer(int(row["status"]), json.loads(row["headers"] or "{}"), body)
    name, call = f"{row['client']}: w3 {row['name']}", _CALLS[row["client"]]
    told = [float(part) for part in row["retry_after_s"].split("..") if part]
    wait = None if not told else told[0] if len(told) == 1 else tuple(told)
    cases.add(
        name,
        lambda net: call(net.http.address(name.replace(":", ""), sent)),
        row["kinds"],
        _TRUTH[row["retryable"]],
        _TRUTH[row["maybe_executed"]],
        wait,
    )


with (Path(__file__).parent / "third_answers.csv").open(encoding="utf-8", newline="") as _file:
    for _row in csv.DictReader(_file):
        _add(_row)


# --- Mail and file transfer ------------------------------------------------------------------------------------------


def _lines(greeting: bytes, reply: bytes) -> int:
    """Greet, and answer every line alike; return the port."""

    def handle(connection: Any) -> None:
        connection.sendall(greeting)
        while connection.recv(9_999):
            connection.sendall(reply)

    return Server(handle).port


def _mail(greeting: bytes, reply: bytes) -> Callable[[Any], object]:
    def send(net: Any) -> None:
        import smtplib

        smtplib.SMTP("127.0.0.1", _lines(greeting, reply), timeout=1).sendmail("a@b.c", ["x@y.z"], "hi")

    return send


def _transfer(greeting: bytes, reply: bytes) -> Callable[[Any], object]:
    def send(net: Any) -> None:
        import ftplib

        client = ftplib.FTP()
        client.connect("127.0.0.1", _lines(greeting, reply), timeout=1)
        client.login("a", "b")

    return send


_HELLO = b"220 hi\r\n"
_BUSY = b"421 4.3.2 Service not available, too many connections\r\n"
_LATER = "API_SERVER_ERROR|API_RATE_LIMIT|MODEL_OVERLOADED|API_CONFLICT|NETWORK_ERROR|NETWORK_REFUSED|UNKNOWN"
cases.add("smtplib: w3 greylist 451", _mail(_HELLO, b"451 4.7.1 Greylisting in action\r\n"), _LATER, True, False)
cases.add("smtplib: w3 421 connect", _mail(_BUSY, b""), _LATER, True, False)
cases.add(
    "smtplib: w3 550 no user",
    _mail(_HELLO, b"550 5.1.1 User unknown\r\n"),
    "API_INVALID_REQUEST|API_NOT_FOUND|VALIDATION_ERROR|API_AUTH_ERROR|UNKNOWN",
    False,
    False,
)
cases.add("ftplib: w3 530", _transfer(_HELLO, b"530 Login incorrect.\r\n"), "API_AUTH_ERROR", False, False)
cases.add("ftplib: w3 421", _transfer(b"421 Too many connections (8) from this IP\r\n", b""), _LATER, True, False)


# --- Other libraries -------------------------------------------------------------------------------------------------


@cases.case("elasticsearch: w3 timeout", "NETWORK_TIMEOUT", True, True)
def _(net):
    from elasticsearch import Elasticsearch

    url = net.http.address("w3 hang", hang)
    Elasticsearch(url, max_retries=0, request_timeout=0.2).index(index="i", document={})


@cases.case("kafka: w3 not leader", "NETWORK_ERROR|API_SERVER_ERROR|API_CONFLICT|MODEL_OVERLOADED", True, UNDECIDED)
def _(net):
    from kafka import errors

    raise errors.for_code(6)("not leader")


@cases.case("kafka: w3 too large", "API_INVALID_REQUEST|VALIDATION_ERROR|MODEL_CONTEXT_LENGTH", False, False)
def _(net):
    from kafka import errors

    raise errors.for_code(10)("message of 2 MB")


@cases.case("pymongo: w3 BadValue", "DATABASE_QUERY_ERROR", False, False)
def _(net):
    from pymongo.helpers_shared import _check_command_response

    said = {"ok": 0, "code": 2, "codeName": "BadValue", "errmsg": "unknown operator: $foo"}
    _check_command_response(said, 21)


@cases.case("trio: w3 fail_after", "NETWORK_TIMEOUT", True, True)
def _(net):
    import trio

    async def call() -> None:
        with trio.fail_after(0.01):
            await trio.sleep(1)

    trio.run(call)


@cases.case("asyncio: w3 queue full", "LOCAL_RESOURCE|MODEL_OVERLOADED|API_RATE_LIMIT|UNKNOWN", UNDECIDED, False)
def _(net):
    full: asyncio.Queue[int] = asyncio.Queue(1)
    full.put_nowait(1)
    full.put_nowait(2)


@cases.case("struct: w3 unpack", "PROGRAMMING_ERROR|VALIDATION_ERROR", False, UNDECIDED)
def _(net):
    import struct

    struct.unpack("I", b"x")


@cases.case("csv: w3 field too long", "PROGRAMMING_ERROR|VALIDATION_ERROR", False, UNDECIDED)
def _(net):
    list(csv.reader(io.StringIO("x" * 200_000)))


@cases.case("yaml: w3 parse", "PROGRAMMING_ERROR|VALIDATION_ERROR|MODEL_OUTPUT_INVALID", False, UNDECIDED)
def _(net):
    import yaml

    yaml.safe_load("a: [1")
