"""Asks models through the gateway with the official packages `openai`, `anthropic`, `google-genai` and `mistralai`.

The gateway is on PORT; it has the model `fast`, a stand-in that says again what it was told, and `busy`, which is
always too busy. Exits 0 when all was as it should be.
"""

import asyncio
import json
import sys

import anthropic
import openai
from google import genai
from google.genai import types
from mistralai.client import Mistral

BASE = f"http://127.0.0.1:{sys.argv[1]}"
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
SAID = [{"role": "user", "content": "Zürich 😀"}]


def check(condition, what):
    if not condition:
        raise SystemExit(f"not as it should be: {what}")


def chat():
    client = openai.OpenAI(base_url=BASE + "/v1", api_key="unused", max_retries=0)
    answer = client.chat.completions.create(model="fast", messages=SAID)
    check(answer.choices[0].message.content == "You said: Zürich 😀", answer)
    check(answer.usage.total_tokens == 6, answer.usage)
    check([model.id for model in client.models.list()] == ["fast", "busy"], "models")
    check(client.models.retrieve("fast").id == "fast", "a model")

    chunks = list(client.chat.completions.create(model="fast", messages=SAID, stream=True))
    text = "".join(c.choices[0].delta.content or "" for c in chunks)
    check(text == "You said: Zürich 😀" and all(c.usage is None for c in chunks), chunks)
    chunks = list(
        client.chat.completions.create(
            model="demo/stand-in", messages=SAID, stream=True, stream_options={"include_usage": True}
        )
    )
    check(chunks[-1].usage.prompt_tokens == 2 and not chunks[-1].choices, chunks[-1])

    tools = [{"type": "function", "function": {"name": "weather", "parameters": CITY}}]
    answer = client.chat.completions.create(model="fast", messages=SAID, tools=tools)
    call = answer.choices[0].message.tool_calls[0]
    check(json.loads(call.function.arguments) == {"city": "Zürich 😀"}, call)
    turns = SAID + [answer.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "18 C"}]
    answer = client.chat.completions.create(model="fast", messages=turns, tools=tools)
    check(answer.choices[0].message.content == "The tool said: 18 C", answer)
    with client.chat.completions.stream(model="fast", messages=SAID, tools=tools) as stream:
        call = stream.get_final_completion().choices[0].message.tool_calls[0]
    check(json.loads(call.function.arguments) == {"city": "Zürich 😀"}, call)

    near, far = client.embeddings.create(model="fast", input=["A red apple", "red Apple, a"]).data
    check(near.embedding == far.embedding and len(near.embedding) == 64, near)
    far = client.embeddings.create(model="fast", input="blue sky", dimensions=32, encoding_format="float").data[0]
    check(abs(sum(number * number for number in far.embedding) - 1) < 1e-6 and len(far.embedding) == 32, far)

    for model, error, status in [("none", openai.NotFoundError, 404), ("busy", openai.RateLimitError, 429)]:
        try:
            client.chat.completions.create(model=model, messages=SAID)
            check(False, model)
        except error as found:
            check(found.status_code == status and found.body["message"], found)


def responses():
    client = openai.OpenAI(base_url=BASE + "/v1", api_key="unused", max_retries=0)
    answer = client.responses.create(model="fast", instructions="Be brief.", input="Zürich 😀", store=False)
    check(answer.output_text == "You said: Zürich 😀" and answer.usage.input_tokens == 4, answer)
    tools = [{"type": "function", "name": "weather", "parameters": CITY, "strict": True}]
    with client.responses.stream(model="fast", input="Zürich 😀", tools=tools) as stream:
        call = stream.get_final_response().output[0]
    check(json.loads(call.arguments) == {"city": "Zürich 😀"}, call)
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "18 C"}
    said = {"type": "function_call", "call_id": call.call_id, "name": call.name, "arguments": call.arguments}
    turns = [{"role": "user", "content": "Zürich 😀"}, said, result]
    with client.responses.stream(model="fast", input=turns, tools=tools) as stream:
        deltas = [event.delta for event in stream if event.type == "response.output_text.delta"]
    check("".join(deltas) == "The tool said: 18 C", deltas)
    try:
        client.responses.create(model="fast", input="x", previous_response_id="resp_1")
        check(False, "previous_response_id")
    except openai.BadRequestError as found:
        check(found.body["param"] == "previous_response_id", found)


def messages():
    client = anthropic.Anthropic(base_url=BASE, api_key="unused", max_retries=0)
    answer = client.messages.create(model="fast", max_tokens=99, system="Be brief.", messages=SAID)
    check(answer.content[0].text == "You said: Zürich 😀" and answer.stop_reason == "end_turn", answer)
    check(answer.usage.input_tokens == 4 and answer.usage.output_tokens == 4, answer.usage)
    check([model.id for model in client.models.list()] == ["fast", "busy"], "models")
    check(client.models.retrieve("fast").id == "fast", "a model")

    with client.messages.stream(model="fast", max_tokens=99, messages=SAID) as stream:
        check("".join(stream.text_stream) == "You said: Zürich 😀", "the stream's text")
        answer = stream.get_final_message()
    check(answer.usage.output_tokens == 4 and answer.stop_reason == "end_turn", answer)

    tools = [{"name": "weather", "description": "Now", "input_schema": CITY}]
    answer = client.messages.create(model="fast", max_tokens=99, messages=SAID, tools=tools)
    call = answer.content[0]
    check(call.input == {"city": "Zürich 😀"} and answer.stop_reason == "tool_use", answer)
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "18 C"}
    turns = SAID + [{"role": "assistant", "content": answer.content}, {"role": "user", "content": [result]}]
    answer = client.messages.create(model="fast", max_tokens=99, messages=turns, tools=tools)
    check(answer.content[0].text == "The tool said: 18 C", answer)
    with client.messages.stream(model="fast", max_tokens=99, messages=SAID, tools=tools) as stream:
        check(stream.get_final_message().content[0].input == {"city": "Zürich 😀"}, "the stream's tool")

    errors = [
        ("none", {}, anthropic.NotFoundError, "not_found_error"),
        ("busy", {}, anthropic.RateLimitError, "rate_limit_error"),
        ("fast", {"extra_body": {"top_k": 5}}, anthropic.BadRequestError, "invalid_request_error"),
    ]
    for model, more, error, kind in errors:
        try:
            client.messages.create(model=model, max_tokens=9, messages=SAID, **more)
            check(False, model)
        except error as found:
            check(found.body["error"]["type"] == kind, found)


def google():
    client = genai.Client(api_key="unused", http_options={"base_url": BASE})
    answer = client.models.generate_content(model="fast", contents="Zürich 😀")
    check(answer.text == "You said: Zürich 😀" and answer.usage_metadata.total_token_count == 6, answer)
    vectors = client.models.embed_content(model="fast", contents=["Zürich", "Bern"]).embeddings
    check([sum(vector.values) for vector in vectors] == [1, 1], vectors)
    chunks = list(client.models.generate_content_stream(model="fast", contents="Zürich 😀"))
    check("".join(c.text or "" for c in chunks) == "You said: Zürich 😀", chunks)
    check([model.name for model in client.models.list()] == ["models/fast", "models/busy"], "models")
    check(client.models.get(model="fast").name == "models/fast", "a model")
    tool = types.Tool(function_declarations=[types.FunctionDeclaration(name="weather", parameters_json_schema=CITY)])
    by_hand = types.AutomaticFunctionCallingConfig(disable=True)
    config = types.GenerateContentConfig(tools=[tool], automatic_function_calling=by_hand)
    answer = client.models.generate_content(model="fast", contents="Zürich 😀", config=config)
    check(answer.function_calls[0].args == {"city": "Zürich 😀"}, answer)
    for model, status in [("none", 404), ("busy", 429)]:
        try:
            client.models.generate_content(model=model, contents="x")
            check(False, model)
        except genai.errors.ClientError as found:
            check(found.code == status and found.message, found)


def mistral():
    client = Mistral(api_key="unused", server_url=BASE)
    check([model.id for model in client.models.list().data] == ["fast", "busy"], "models")
    answer = client.chat.complete(model="fast", messages=SAID)
    check(answer.choices[0].message.content == "You said: Zürich 😀", answer)
    events = [event.data for event in client.chat.stream(model="fast", messages=SAID)]
    text = "".join(e.choices[0].delta.content or "" for e in events if e.choices)
    check(text == "You said: Zürich 😀", events)
    tools = [{"type": "function", "function": {"name": "weather", "parameters": CITY}}]
    answer = client.chat.complete(model="fast", messages=SAID, tools=tools)
    call = answer.choices[0].message.tool_calls[0]
    check(json.loads(call.function.arguments) == {"city": "Zürich 😀"}, call)


async def together():
    """Many streams at once."""
    client = openai.AsyncOpenAI(base_url=BASE + "/v1", api_key="unused")
    other = anthropic.AsyncAnthropic(base_url=BASE, api_key="unused")

    async def one(number):
        said = [{"role": "user", "content": f"number {number}"}]
        stream = await client.chat.completions.create(model="fast", messages=said, stream=True)
        text = "".join([c.choices[0].delta.content or "" async for c in stream])
        check(text == f"You said: number {number}", text)
        async with other.messages.stream(model="fast", max_tokens=9, messages=said) as stream:
            text = await stream.get_final_text()
        check(text == f"You said: number {number}", text)

    await asyncio.gather(*(one(number) for number in range(20)))


chat()
responses()
messages()
google()
mistral()
asyncio.run(together())
