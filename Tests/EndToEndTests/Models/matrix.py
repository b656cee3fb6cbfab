"""Asks models of every provider dialect through the gateway, with every official package: text, tools, a picture, a
schema, streams, an error, a stream that is cut.

    matrix.py PORT PROVIDER…

Each PROVIDER has the models `model` and `busy` of `providers.py`. Exits 0 when all was as it should be.
"""

import base64
import json
import sys
import traceback

import anthropic
import openai
from google import genai
from google.genai import types
from mistralai.client import Mistral

from providers import PICTURE

BASE = f"http://127.0.0.1:{sys.argv[1]}"
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
SAID = "Zürich 😀"
FILLED = {"city": SAID}


def check(condition, what):
    if not condition:
        raise AssertionError(f"not as it should be: {what}")


def refuses(error, call):
    """Whether the call ends in an error of this kind; returns it."""
    try:
        call()
    except error as found:
        return found
    raise AssertionError(f"no {error}")


def chat(model, busy):
    client = openai.OpenAI(base_url=BASE + "/v1", api_key="unused", max_retries=0)
    user = [{"role": "user", "content": SAID}]
    create = client.chat.completions.create
    answer = create(model=model, messages=[{"role": "system", "content": "Be brief."}, *user])
    check(answer.choices[0].message.content == f"You said: {SAID}" and answer.choices[0].finish_reason == "stop", answer)
    check((answer.usage.prompt_tokens, answer.usage.completion_tokens) == (5, 3), answer.usage)
    chunks = list(create(model=model, messages=user, stream=True, stream_options={"include_usage": True}))
    check("".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == f"You said: {SAID}", chunks)
    check(chunks[-1].usage.total_tokens == 8, chunks[-1])
    picture = [{"type": "text", "text": "See"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64," + PICTURE}}]
    answer = create(model=model, messages=[{"role": "user", "content": picture}])
    check(answer.choices[0].message.content == "You showed 1", answer)
    wanted = {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY}}
    answer = create(model=model, messages=user, response_format=wanted)
    check(json.loads(answer.choices[0].message.content) == FILLED, answer)
    with client.chat.completions.stream(model=model, messages=user, response_format=wanted) as stream:
        check(json.loads(stream.get_final_completion().choices[0].message.content) == FILLED, "a schema's stream")
    tools = [{"type": "function", "function": {"name": "weather", "description": "Now", "parameters": CITY}}]
    answer = create(model=model, messages=user, tools=tools)
    call = answer.choices[0].message.tool_calls[0]
    check(json.loads(call.function.arguments) == FILLED and answer.choices[0].finish_reason == "tool_calls", answer)
    turns = [*user, answer.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "18 C"}]
    check(create(model=model, messages=turns, tools=tools).choices[0].message.content == "The tool said: 18 C", "a result")
    with client.chat.completions.stream(model=model, messages=user, tools=tools) as stream:
        call = stream.get_final_completion().choices[0].message.tool_calls[0]
    check(json.loads(call.function.arguments) == FILLED, call)
    check(refuses(openai.RateLimitError, lambda: create(model=busy, messages=user)).body["message"], "an error")
    cut = [{"role": "user", "content": "cut"}]
    refuses(openai.APIError, lambda: list(create(model=model, messages=cut, stream=True)))


def responses(model, busy):
    client = openai.OpenAI(base_url=BASE + "/v1", api_key="unused", max_retries=0)
    create = client.responses.create
    answer = create(model=model, instructions="Be brief.", input=SAID, store=False)
    check(answer.output_text == f"You said: {SAID}" and answer.usage.total_tokens == 8, answer)
    with client.responses.stream(model=model, input=SAID) as stream:
        check(stream.get_final_response().output_text == f"You said: {SAID}", "a stream")
    parts = [{"type": "input_text", "text": "See"}, {"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64," + PICTURE}]
    check(create(model=model, input=[{"role": "user", "content": parts}]).output_text == "You showed 1", "a picture")
    wanted = {"format": {"type": "json_schema", "name": "city", "schema": CITY}}
    check(json.loads(create(model=model, input=SAID, text=wanted).output_text) == FILLED, "a schema")
    with client.responses.stream(model=model, input=SAID, text=wanted) as stream:
        check(json.loads(stream.get_final_response().output_text) == FILLED, "a schema's stream")
    tools = [{"type": "function", "name": "weather", "description": "Now", "parameters": CITY, "strict": False}]
    call = create(model=model, input=SAID, tools=tools).output[0]
    check(json.loads(call.arguments) == FILLED, call)
    with client.responses.stream(model=model, input=SAID, tools=tools) as stream:
        check(json.loads(stream.get_final_response().output[0].arguments) == FILLED, "a tool's stream")
    said = {"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": call.arguments}
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "18 C"}
    answer = create(model=model, input=[{"role": "user", "content": SAID}, said, result], tools=tools)
    check(answer.output_text == "The tool said: 18 C", answer)
    refuses(openai.RateLimitError, lambda: create(model=busy, input=SAID))
    try:
        kinds = [event.type for event in create(model=model, input="cut", stream=True)]
        check(kinds[-1] in ("error", "response.failed"), kinds)
    except openai.APIError:
        pass


def messages(model, busy):
    client = anthropic.Anthropic(base_url=BASE, api_key="unused", max_retries=0)
    user = [{"role": "user", "content": SAID}]
    asked = {"model": model, "max_tokens": 99}
    answer = client.messages.create(**asked, system="Be brief.", messages=user)
    check(answer.content[0].text == f"You said: {SAID}" and answer.stop_reason == "end_turn", answer)
    check((answer.usage.input_tokens, answer.usage.output_tokens) == (5, 3), answer.usage)
    with client.messages.stream(**asked, messages=user) as stream:
        check("".join(stream.text_stream) == f"You said: {SAID}", "a stream")
        check(stream.get_final_message().usage.output_tokens == 3, "a stream's usage")
    source = {"type": "base64", "media_type": "image/png", "data": PICTURE}
    parts = [{"type": "text", "text": "See"}, {"type": "image", "source": source}]
    answer = client.messages.create(**asked, messages=[{"role": "user", "content": parts}])
    check(answer.content[0].text == "You showed 1", answer)
    wanted = {"output_config": {"format": {"type": "json_schema", "schema": CITY}}}
    answer = client.messages.create(**asked, messages=user, extra_body=wanted)
    check(json.loads(answer.content[0].text) == FILLED, answer)
    with client.messages.stream(**asked, messages=user, extra_body=wanted) as stream:
        check(json.loads("".join(stream.text_stream)) == FILLED, "a schema's stream")
    tools = [{"name": "weather", "description": "Now", "input_schema": CITY}]
    answer = client.messages.create(**asked, messages=user, tools=tools)
    call = answer.content[0]
    check(call.input == FILLED and answer.stop_reason == "tool_use", answer)
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "18 C"}
    turns = [*user, {"role": "assistant", "content": answer.content}, {"role": "user", "content": [result]}]
    answer = client.messages.create(**asked, messages=turns, tools=tools)
    check(answer.content[0].text == "The tool said: 18 C", answer)
    with client.messages.stream(**asked, messages=user, tools=tools) as stream:
        check(stream.get_final_message().content[0].input == FILLED, "a tool's stream")
    found = refuses(anthropic.RateLimitError, lambda: client.messages.create(model=busy, max_tokens=9, messages=user))
    check(found.body["error"]["type"] == "rate_limit_error", found.body)

    def cut():
        with client.messages.stream(**asked, messages=[{"role": "user", "content": "cut"}]) as stream:
            stream.until_done()

    refuses(anthropic.APIError, cut)


def google(model, busy):
    client = genai.Client(api_key="unused", http_options={"base_url": BASE})
    by_hand = types.AutomaticFunctionCallingConfig(disable=True)
    generate = client.models.generate_content
    config = types.GenerateContentConfig(system_instruction="Be brief.")
    answer = generate(model=model, contents=SAID, config=config)
    check(answer.text == f"You said: {SAID}" and answer.usage_metadata.total_token_count == 8, answer)
    chunks = list(client.models.generate_content_stream(model=model, contents=SAID))
    check("".join(c.text or "" for c in chunks) == f"You said: {SAID}", chunks)
    picture = types.Part.from_bytes(data=base64.b64decode(PICTURE), mime_type="image/png")
    check(generate(model=model, contents=["See", picture]).text == "You showed 1", "a picture")
    config = types.GenerateContentConfig(response_mime_type="application/json", response_json_schema=CITY)
    check(json.loads(generate(model=model, contents=SAID, config=config).text) == FILLED, "a schema")
    chunks = client.models.generate_content_stream(model=model, contents=SAID, config=config)
    check(json.loads("".join(c.text or "" for c in chunks)) == FILLED, "a schema's stream")
    declaration = types.FunctionDeclaration(name="weather", description="Now", parameters_json_schema=CITY)
    config = types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=[declaration])], automatic_function_calling=by_hand)
    answer = generate(model=model, contents=SAID, config=config)
    check(answer.function_calls[0].args == FILLED, answer)
    chunks = list(client.models.generate_content_stream(model=model, contents=SAID, config=config))
    calls = [call for chunk in chunks for call in chunk.function_calls or []]
    check([call.args for call in calls] == [FILLED], chunks)
    result = types.Part.from_function_response(name="weather", response={"result": "18 C"})
    turns = [types.UserContent(SAID), answer.candidates[0].content, types.Content(role="user", parts=[result])]
    answer = generate(model=model, contents=turns, config=config)
    check("18 C" in answer.text, answer)
    found = refuses(genai.errors.ClientError, lambda: generate(model=busy, contents=SAID))
    check(found.code == 429, found)
    refuses(Exception, lambda: list(client.models.generate_content_stream(model=model, contents="cut")))


def mistral(model, busy):
    client = Mistral(api_key="unused", server_url=BASE)
    user = [{"role": "user", "content": SAID}]
    answer = client.chat.complete(model=model, messages=user)
    check(answer.choices[0].message.content == f"You said: {SAID}", answer)
    events = [event.data for event in client.chat.stream(model=model, messages=user)]
    check("".join(e.choices[0].delta.content or "" for e in events if e.choices) == f"You said: {SAID}", events)
    picture = [{"type": "text", "text": "See"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64," + PICTURE}}]
    answer = client.chat.complete(model=model, messages=[{"role": "user", "content": picture}])
    check(answer.choices[0].message.content == "You showed 1", answer)
    wanted = {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY}}
    answer = client.chat.complete(model=model, messages=user, response_format=wanted)
    check(json.loads(answer.choices[0].message.content) == FILLED, answer)
    events = [event.data for event in client.chat.stream(model=model, messages=user, response_format=wanted)]
    filled = "".join(e.choices[0].delta.content or "" for e in events if e.choices)
    check(json.loads(filled) == FILLED, events)
    tools = [{"type": "function", "function": {"name": "weather", "description": "Now", "parameters": CITY}}]
    answer = client.chat.complete(model=model, messages=user, tools=tools)
    call = answer.choices[0].message.tool_calls[0]
    check(json.loads(call.function.arguments) == FILLED, call)
    # A call that comes in pieces is none to this package: it asks for the tool's name in each of them.
    check(refuses(Exception, lambda: client.chat.complete(model=busy, messages=user)).status_code == 429, "an error")


failed = 0
for provider in sys.argv[2:]:
    for front in (chat, responses, messages, google, mistral):
        try:
            front(f"{provider}/model", f"{provider}/busy")
        except Exception:
            failed += 1
            print(f"--- {front.__name__} to {provider}")
            traceback.print_exc(limit=3, file=sys.stdout)
sys.exit(1 if failed else 0)
