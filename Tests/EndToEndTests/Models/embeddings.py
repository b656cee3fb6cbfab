"""Asks for embeddings through the gateway with the official packages `openai` and `google-genai`, and has tokens counted
with `anthropic` and `google-genai`.

    embeddings.py PORT PROVIDER=MODEL…

The providers are those of `embedders.py`. Exits 0 when all was as it should be.
"""

import sys
import traceback

import anthropic
import openai
from google import genai
from google.genai import types

BASE = f"http://127.0.0.1:{sys.argv[1]}"
TEXT = "Zürich 😀"


def check(condition, what):
    if not condition:
        raise AssertionError(f"not as it should be: {what}")


def openais(model):
    client = openai.OpenAI(base_url=BASE + "/v1", api_key="unused", max_retries=0)
    # The package asks for base64 by itself, and decodes it.
    answer = client.embeddings.create(model=model, input=TEXT)
    check(answer.data[0].embedding == [8, 0, 0.5, 0.5], answer)
    counted = "embed-english" not in model
    check(answer.usage.prompt_tokens == 6 if counted else answer.usage.prompt_tokens > 0, answer.usage)
    answer = client.embeddings.create(model=model, input=[TEXT], dimensions=256, encoding_format="float")
    check(len(answer.data[0].embedding) == 256, answer)
    if "titan" in model:
        try:
            client.embeddings.create(model=model, input=[TEXT, "b"])
            check(False, "two texts at a time")
        except openai.BadRequestError as found:
            check(found.body["param"] == "input", found.body)
        return
    answer = client.embeddings.create(model=model, input=[TEXT, "b"])
    check([(d.index, d.embedding) for d in answer.data] == [(0, [8, 0, 0.5, 0.5]), (1, [1, 1, 0.5, 0.5])], answer)


def googles(model):
    for version in ("v1", "v1beta"):
        client = genai.Client(api_key="unused", http_options={"base_url": BASE, "api_version": version})
        answer = client.models.embed_content(model=model, contents=TEXT)
        check(answer.embeddings[0].values == [8, 0, 0.5, 0.5], answer)
        config = types.EmbedContentConfig(output_dimensionality=256)
        answer = client.models.embed_content(model=model, contents=TEXT, config=config)
        check(len(answer.embeddings[0].values) == 256, answer)
        if "titan" in model:
            continue
        answer = client.models.embed_content(model=model, contents=[TEXT, "b"])
        check([e.values[:2] for e in answer.embeddings] == [[8, 0], [1, 1]], answer)
        if "embed-english" not in model:
            check(answer.usage_metadata.prompt_token_count == 6, answer)


def errors():
    client = openai.OpenAI(base_url=BASE + "/v1", api_key="unused", max_retries=0)
    try:
        client.embeddings.create(model="anthropic/claude", input=TEXT)
        check(False, "Anthropic embeds nothing")
    except openai.BadRequestError as found:
        check(found.body["param"] == "model", found.body)
    google = genai.Client(api_key="unused", http_options={"base_url": BASE})
    try:
        google.models.embed_content(model="openai/busy", contents=TEXT)
        check(False, "busy")
    except genai.errors.ClientError as found:
        check(found.code == 429 and found.message == "Slow down", found)


def counts():
    client = anthropic.Anthropic(base_url=BASE, api_key="unused", max_retries=0)
    said = [{"role": "user", "content": TEXT}]
    check(client.messages.count_tokens(model="anthropic/claude", messages=said).input_tokens == 31, "count_tokens")
    google = genai.Client(api_key="unused", http_options={"base_url": BASE})
    check(google.models.count_tokens(model="gemini/flash", contents=TEXT).total_tokens == 31, "countTokens")
    try:
        client.messages.count_tokens(model="openai/small", messages=said)
        check(False, "OpenAI counts nothing")
    except anthropic.BadRequestError as found:
        check(found.body["error"]["type"] == "invalid_request_error", found.body)


failed = 0
models = [argument.replace("=", "/", 1) for argument in sys.argv[2:]]
for run in [(front, model) for model in models for front in (openais, googles)] + [(errors,), (counts,)]:
    try:
        run[0](*run[1:])
    except Exception:
        failed += 1
        print("---", *run)
        traceback.print_exc(limit=3, file=sys.stdout)
sys.exit(1 if failed else 0)
