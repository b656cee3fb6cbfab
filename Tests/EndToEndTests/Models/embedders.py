"""Providers of embeddings of every dialect, by hand after each provider's own reference; prints the port.

A text's vector is its length, its place and halves, as many as are asked for. `/embeddings`
(https://platform.openai.com/docs/api-reference/embeddings/create), `/v1beta/models/…:batchEmbedContents`
(https://ai.google.dev/api/embeddings), `/v2/embed` (https://docs.cohere.com/reference/embed) and `/model/…/invoke`
(https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html and
…/model-parameters-embed-v3.html), whose requests botocore checks. It counts tokens too, for
https://docs.anthropic.com/en/api/messages-count-tokens and https://ai.google.dev/api/tokens.
"""

import base64
import json
import struct
from http.server import ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import botocore.session
from botocore.validate import ParamValidator

import bedrock

INVOKE = botocore.session.get_session().get_service_model("bedrock-runtime").operation_model("InvokeModel").input_shape


class Refused(Exception):
    def __init__(self, status, body):
        self.status, self.body = status, body


def need(condition, what):
    if not condition:
        raise Refused(400, {"error": {"message": what, "code": 400, "status": "INVALID_ARGUMENT"}, "message": what})


def known(body, *names):
    need(set(body) <= set(names), f"unknown fields in {sorted(body)}")


def vectors(texts, size):
    return [[len(text), place] + [0.5] * ((size or 4) - 2) for place, text in enumerate(texts)]


def openai(body):
    known(body, "model", "input", "encoding_format", "dimensions", "user")
    if body["model"] == "busy":
        raise Refused(429, {"error": {"message": "Slow down", "type": "requests", "code": "rate_limit_exceeded"}})
    texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
    said = vectors(texts, body.get("dimensions"))
    if body["encoding_format"] == "base64":
        said = [base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode() for vector in said]
    data = [{"object": "embedding", "index": place, "embedding": vector} for place, vector in enumerate(said)]
    return {"object": "list", "data": data, "model": body["model"], "usage": {"prompt_tokens": 6, "total_tokens": 6}}


def gemini(path, body):
    name = path.split("/models/")[1].split(":")[0]
    if path.endswith(":countTokens"):
        return {"totalTokens": 31, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 31}]}
    need(path.endswith(":batchEmbedContents"), path)
    for request in body["requests"]:
        known(request, "model", "content", "taskType", "title", "outputDimensionality")
        need(request["model"] == f"models/{name}", "model")
    texts = [request["content"]["parts"][0]["text"] for request in body["requests"]]
    said = vectors(texts, body["requests"][0].get("outputDimensionality"))
    return {"embeddings": [{"values": vector} for vector in said], "usageMetadata": {"promptTokenCount": 6}}


def cohere(body, floats=False):
    known(body, *["texts", "input_type", "embedding_types", "output_dimension", "truncate"], *([] if floats else ["model"]))
    need(body["input_type"] in ("search_document", "search_query", "classification", "clustering"), "input_type")
    said = vectors(body["texts"], body.get("output_dimension"))
    answer = {"id": "1", "texts": body["texts"], "embeddings": said if floats else {"float": said}}
    return answer if floats else {**answer, "meta": {"billed_units": {"input_tokens": 6}}}


def titan(body):
    known(body, "inputText", "dimensions", "normalize", "embeddingTypes")
    need(isinstance(body["inputText"], str), "inputText")
    vector = vectors([body["inputText"]], body.get("dimensions"))[0]
    return {"embedding": vector, "inputTextTokenCount": 6, "embeddingsByType": {"float": vector}}


class Handler(bedrock.Handler):
    def respond(self, path, octets):
        body = json.loads(octets)
        if path.startswith("/model/"):
            need(path.endswith("/invoke") and self.is_signed(octets), "the signature")
            model = unquote(path.split("/")[2])
            asked = {"modelId": model, "body": octets, "contentType": self.headers["Content-Type"]}
            report = ParamValidator().validate(asked, INVOKE)
            need(not report.has_errors(), report.generate_report())
            return cohere(body, floats=True) if "cohere" in model else titan(body)
        if path.startswith("/v1beta/"):
            return gemini(path, body)
        if path == "/v1/messages/count_tokens":
            need(self.headers["anthropic-version"], "anthropic-version")
            return {"input_tokens": 31}
        return cohere(body) if path == "/v2/embed" else openai(body)

    def do_POST(self):
        octets = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            status, said = 200, self.respond(urlsplit(self.path).path, octets)
        except Refused as refused:
            status, said = refused.status, refused.body
        except (KeyError, ValueError, IndexError) as mistake:
            status, said = 400, {"error": {"message": repr(mistake)}, "message": repr(mistake)}
        self.answer(status, json.dumps(said).encode())


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()
