"""One question to a language model behind an OpenAI-compatible address, and its answer as a JSON object."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from newsletter import __version__
from newsletter.text import tidy

if TYPE_CHECKING:
    import httpx

__all__ = ["Endpoint", "NoAnswerError", "ask", "open_client"]

_ATTEMPTS = 3
_LARGEST = 256 * 1024  # bytes of an answer; two sentences need a thousandth, a thinking model a tenth
_BUSY = {408, 409, 429, 500, 502, 503, 504}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the model is. `url` is the address above ``/chat/completions``; `timeout` seconds for one question, with
    all its tries."""

    url: str
    model: str
    key: str = field(default="", repr=False)
    timeout: float = 30.0


class NoAnswerError(Exception):
    """No answer that can be used, and why. `retryable` where another try may mend it."""

    def __init__(self, why: str, *, retryable: bool = False) -> None:
        super().__init__(why)
        self.retryable = retryable


def open_client(endpoint: Endpoint) -> httpx.Client:
    """A client that gives the key to this address alone: redirects are not followed."""
    import httpx

    headers = {"User-Agent": f"newsletter/{__version__}"}
    if endpoint.key:
        headers["Authorization"] = f"Bearer {endpoint.key}"
    return httpx.Client(headers=headers, timeout=endpoint.timeout, follow_redirects=False)


def ask(
    client: httpx.Client,
    endpoint: Endpoint,
    told: str,
    data: Mapping[str, Any],
    *,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Any]:
    """The JSON object that the model answers to the instruction `told` and the `data`, within `seconds`.

    Raises NoAnswerError. The request holds the model and the messages alone: temperature, token limits and answer
    formats are refused by some servers, and what comes back is checked anyway.
    """
    import stamina

    end = clock() + seconds
    question = {
        "model": endpoint.model,
        "messages": [
            {"role": "system", "content": told},
            {"role": "user", "content": json.dumps(data, ensure_ascii=False)},
        ],
    }
    retries = stamina.retry_context(
        on=_worth_another_try, attempts=_ATTEMPTS, timeout=seconds, wait_initial=0.5, wait_max=5.0
    )
    for attempt in retries:
        with attempt:
            return _object(_said(_answer(client, endpoint, question, end, clock)))
    raise AssertionError("a retry either returns or raises")


def _worth_another_try(error: Exception) -> bool:
    return isinstance(error, NoAnswerError) and error.retryable


def _answer(
    client: httpx.Client, endpoint: Endpoint, question: Mapping[str, Any], end: float, clock: Callable[[], float]
) -> bytes:
    """The body of one answer; however slowly it drips, it ends with the time."""
    import httpx

    url = f"{endpoint.url.rstrip('/').removesuffix('/chat/completions')}/chat/completions"
    left = end - clock()
    if left <= 0:
        raise NoAnswerError("no answer in time")
    body = bytearray()
    try:
        with client.stream(
            "POST", url, json=dict(question), timeout=httpx.Timeout(left, connect=min(left, 10.0))
        ) as response:
            if response.status_code != httpx.codes.OK:
                busy = response.status_code in _BUSY
                why = f"the server answered {response.status_code} {response.reason_phrase}".strip()
                raise NoAnswerError(why, retryable=busy)
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > _LARGEST:
                    raise NoAnswerError(f"the answer is larger than {_LARGEST // 1024} KiB")
                if clock() > end:
                    raise NoAnswerError("no answer in time")
    except httpx.TimeoutException as error:
        raise NoAnswerError("no answer in time") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        why = tidy(str(error)) or type(error).__name__
        raise NoAnswerError(f"no connection ({why})", retryable=isinstance(error, httpx.TransportError)) from error
    return bytes(body)


def _said(body: bytes) -> str:
    """The text of the first choice."""
    try:
        text = json.loads(body)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise NoAnswerError("the answer is no chat completion", retryable=True) from error
    if not isinstance(text, str):
        raise NoAnswerError("the answer holds no text", retryable=True)
    return text


def _object(text: str) -> dict[str, Any]:
    """The JSON object in the text: alone, in a code fence, or after thoughts."""
    start, last = text.rfind("</think>") + 1, text.rfind("}")
    found = text.find("{", start)
    try:
        value = json.loads(text[found : last + 1]) if 0 <= found < last else None
    except (ValueError, RecursionError) as error:
        raise NoAnswerError("the answer is no JSON", retryable=True) from error
    if not isinstance(value, dict):
        raise NoAnswerError("the answer is no JSON object", retryable=True)
    return value
