"""A provider that others wrote, `llmock`, and how the gateway stands what it does on purpose.

    opinion.py PORT LLMOCK

The gateway on PORT has the providers `openai`, `anthropic`, `gemini` and `mistral`, all of `llmock` on the port LLMOCK.
Exits 0 when all was as it should be.
"""

import contextlib
import json
import socket
import subprocess
import sys
import time
import traceback
import urllib.request

import anthropic
import openai

BASE, LLMOCK = f"http://127.0.0.1:{sys.argv[1]}", f"http://127.0.0.1:{sys.argv[2]}"
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
SAID = [{"role": "user", "content": "Tell me of the weather in Paris, with all that there is to know"}]
CHAT = openai.OpenAI(base_url=BASE + "/v1", api_key="unused", max_retries=0)
MESSAGES = anthropic.Anthropic(base_url=BASE, api_key="unused", max_retries=0)
MODELS = {"openai": "gpt-4o", "anthropic": "claude-sonnet-4-5", "gemini": "gemini-2.5-flash", "mistral": "mistral-large-latest"}


def check(condition, what):
    if not condition:
        raise AssertionError(f"not as it should be: {what}")


def tell(path, body):
    request = urllib.request.Request(LLMOCK + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    urllib.request.urlopen(request, timeout=10).read()


def breaks(*behaviors):
    """What `llmock` does to the next requests."""
    tell("/_llmock/reset", {})
    if behaviors:
        tell("/_llmock/scenario", {"behaviors": list(behaviors)})


def whole(model):
    answer = CHAT.chat.completions.create(model=model, messages=SAID)
    check(answer.choices[0].message.content and answer.usage.completion_tokens > 0, answer)
    text = answer.choices[0].message.content
    chunks = list(CHAT.chat.completions.create(model=model, messages=SAID, stream=True))
    check("".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == text, chunks)
    check([c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop", chunks)
    answer = MESSAGES.messages.create(model=model, max_tokens=999, messages=SAID)
    check(answer.content[0].text and answer.usage.output_tokens > 0, answer)
    with MESSAGES.messages.stream(model=model, max_tokens=999, messages=SAID) as stream:
        check(stream.get_final_text() == answer.content[0].text, "a stream of Messages")


def tools(model):
    tool = {"name": "weather", "description": "The weather of a city"}
    offered = [{"type": "function", "function": {**tool, "parameters": CITY}}]
    answer = CHAT.chat.completions.create(model=model, messages=SAID, tools=offered)
    call = answer.choices[0].message.tool_calls[0]
    check(call.function.name == "weather" and "city" in json.loads(call.function.arguments), answer)
    turns = [*SAID, answer.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "18 C"}]
    check(CHAT.chat.completions.create(model=model, messages=turns, tools=offered).choices[0].message.content, "a result")
    with CHAT.chat.completions.stream(model=model, messages=SAID, tools=offered) as stream:
        call = stream.get_final_completion().choices[0].message.tool_calls[0]
    check("city" in json.loads(call.function.arguments), call)
    offered = [{**tool, "input_schema": CITY}]
    with MESSAGES.messages.stream(model=model, max_tokens=999, messages=SAID, tools=offered) as stream:
        check("city" in stream.get_final_message().content[-1].input, "a stream of Messages")


def schema(model):
    wanted = {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY}}
    answer = CHAT.chat.completions.create(model=model, messages=SAID, response_format=wanted)
    check("city" in json.loads(answer.choices[0].message.content), answer)


def ends_in_error(model):
    for client, ask in [
        (openai, lambda: list(CHAT.chat.completions.create(model=model, messages=SAID, stream=True))),
        (anthropic, lambda: list(MESSAGES.messages.create(model=model, max_tokens=999, messages=SAID, stream=True))),
    ]:
        for kind in ("disconnect", "truncate", "malformed"):
            breaks({"type": "stream_fault", "kind": kind, "after_chunks": 3})
            try:
                ask()
            except client.APIError:
                continue
            raise AssertionError(f"{kind} of {model} was taken for an answer by {client.__name__}")


def limits(model):
    for client, ask in [
        (openai, lambda: CHAT.chat.completions.create(model=model, messages=SAID)),
        (anthropic, lambda: MESSAGES.messages.create(model=model, max_tokens=999, messages=SAID)),
    ]:
        breaks({"type": "fail", "status": 429, "retry_after": 2})
        try:
            ask()
        except client.RateLimitError as found:
            check(found.response.headers["retry-after"] == "2", found.response.headers)
        else:
            raise AssertionError(f"429 of {model} was taken for an answer")
        for status in (400, 404, 500, 503):
            breaks({"type": "fail", "status": status})
            try:
                ask()
            except client.APIStatusError as found:
                check(found.status_code == status, found)
            else:
                raise AssertionError(f"{status} of {model} was taken for an answer")


def await_listening(port, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise SystemExit("llmock does not listen")


def main():
    failed = 0
    await_listening(int(sys.argv[2]))
    for provider, name in MODELS.items():
        for part in (whole, tools, schema, ends_in_error, limits):
            # It knows no schema of Anthropic's.
            if part is schema and provider == "anthropic":
                continue
            breaks()
            try:
                part(f"{provider}/{name}")
            except Exception:
                failed += 1
                print(f"--- {part.__name__} of {provider}")
                traceback.print_exc(limit=3, file=sys.stdout)
    return 1 if failed else 0


if __name__ == "__main__":
    serving = [sys.executable, "-c", "from llmock.cli import app; app()", "serve", "-p", sys.argv[2], "--log-level", "warning"]
    with subprocess.Popen(serving, stdout=subprocess.DEVNULL) as llmock:
        try:
            status = main()
        finally:
            llmock.terminate()
    sys.exit(status)
