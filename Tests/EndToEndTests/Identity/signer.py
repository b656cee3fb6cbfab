"""Signs requests with an implementation of RFC 9421 that is not Sluice's, and says how they were answered."""

import http.client
import sys

import http_message_signatures as signatures

PORT = int(sys.argv[1])
BODY = b'{"hello": "world"}'


class Secrets(signatures.HTTPSignatureKeyResolver):
    def __init__(self, secret):
        self.secret = secret

    def resolve_private_key(self, key_id):
        return self.secret

    resolve_public_key = resolve_private_key


class Request:
    """What the signer wants of a request."""

    def __init__(self, method, path, body):
        self.method, self.body = method, body
        self.url = f"http://127.0.0.1:{PORT}{path}"
        self.path = path
        self.headers = {"Host": f"127.0.0.1:{PORT}"}
        if body is not None:
            self.headers["Content-Type"] = "application/json"

    def sign(self, secret=b"partner-secret-for-tests", nonce="1"):
        signer = signatures.HTTPMessageSigner(
            signature_algorithm=signatures.algorithms.HMAC_SHA256, key_resolver=Secrets(secret))
        covered = ["@method", "@authority", "@path"]
        if "?" in self.path:
            covered.append("@query")
        if self.body is not None:
            covered.append("content-type")
        # With a body it adds Content-Digest, and signs that too.
        signer.sign(self, key_id="partner-1", covered_component_ids=covered, nonce=nonce, body=self.body)
        return self

    def send(self):
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=20)
        connection.request(self.method, self.path, body=self.body, headers=self.headers)
        response = connection.getresponse()
        response.read()
        connection.close()
        return response.status


def expect(status, request, what):
    got = request.send()
    assert got == status, f"{what}: {got}"


expect(200, Request("GET", "/a", None).sign(), "without a body")
expect(200, Request("GET", "/a?b=c%20d&e", None).sign(), "with a query")
post = Request("POST", "/v1/tickets", BODY).sign()
expect(200, post, "with a body")
expect(401, post, "again")
changed = Request("POST", "/v1/tickets", BODY).sign(nonce="2")
changed.body = BODY + b" "
expect(401, changed, "with another body")
expect(401, Request("POST", "/v1/tickets", BODY).sign(b"other", "3"), "with another secret")
expect(401, Request("POST", "/v1/tickets", BODY), "unsigned")
