"""A target that breaks a call of gRPC off after messages. `broken.py GATEWAY-PORT TARGET-PORT` ends with 0 when the
caller has them, and a status behind them."""

import os
import sys

import grpc

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "HTTP2"))
from origin import Origin

Origin("h2c", int(sys.argv[2]))
messages = []
with grpc.insecure_channel(f"127.0.0.1:{sys.argv[1]}") as calls:
    try:
        for message in calls.unary_stream("/test.Calls/broken-call")(b"", timeout=20):
            messages.append(message)
        raise AssertionError("the call ended well")
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.UNAVAILABLE and "behind the gateway" in error.details(), error
assert messages == [b"hello"] * 2, messages
