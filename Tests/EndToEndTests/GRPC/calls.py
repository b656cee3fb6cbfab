"""gRPC by its own library on both sides of the gateway.

`calls.py GATEWAY-PORT TARGET-PORT [AUTHORITY CERTIFICATE KEY]` ends with 0 when every kind of call does its part.
"""

import concurrent.futures
import sys
import threading
import time

import grpc

GATEWAY, TARGET = sys.argv[1:3]
FILES = [open(name, "rb").read() for name in sys.argv[3:6]]
cancelled = threading.Event()
begun = threading.Event()
deadlines = []


def whisper(request, context):
    context.send_initial_metadata((("x-begin", "here"),))
    context.set_trailing_metadata((("x-end", "there"), ("x-octets-bin", b"\x00\xff")))
    deadlines.append(context.time_remaining())
    metadata = dict(context.invocation_metadata())
    return request + b" " + metadata.get("x-word", "").encode()


def refuse(request, context):
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not now: ä")


def gather(requests, context):
    return b"%d" % sum(len(request) for request in requests)


def scatter(request, context):
    for number in range(int(request)):
        yield b"%d" % number * 1000


def echo(requests, context):
    for request in requests:
        yield request


def hang(request, context):
    context.add_callback(cancelled.set)
    begun.set()
    cancelled.wait(20)
    return b""


def handlers():
    unary, stream = grpc.unary_unary_rpc_method_handler, grpc.stream_stream_rpc_method_handler
    return grpc.method_handlers_generic_handler("test.Calls", {
        "Whisper": unary(whisper), "Refuse": unary(refuse), "Hang": unary(hang),
        "Gather": grpc.stream_unary_rpc_method_handler(gather),
        "Scatter": grpc.unary_stream_rpc_method_handler(scatter), "Echo": stream(echo),
    })


def serve():
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(32))
    server.add_generic_rpc_handlers((handlers(),))
    if FILES:
        server.add_secure_port(f"localhost:{TARGET}", grpc.ssl_server_credentials([(FILES[2], FILES[1])]))
    else:
        server.add_insecure_port(f"127.0.0.1:{TARGET}")
    server.start()
    return server


def channel():
    if FILES:
        return grpc.secure_channel(f"localhost:{GATEWAY}", grpc.ssl_channel_credentials(FILES[0]))
    return grpc.insecure_channel(f"127.0.0.1:{GATEWAY}")


def status(call):
    try:
        call()
    except grpc.RpcError as error:
        return error
    raise AssertionError("the call succeeded")


def run(calls):
    whisper = calls.unary_unary("/test.Calls/Whisper")
    answer, call = whisper.with_call(b"hello", metadata=(("x-word", "world"),), timeout=20)
    assert answer == b"hello world", answer
    assert dict(call.initial_metadata())["x-begin"] == "here"
    trailing = dict(call.trailing_metadata())
    assert trailing["x-end"] == "there" and trailing["x-octets-bin"] == b"\x00\xff", trailing
    assert 0 < deadlines[0] <= 20, deadlines
    large = bytes(3 << 20)
    assert whisper(large, timeout=20) == large + b" "

    error = status(lambda: calls.unary_unary("/test.Calls/Refuse")(b"", timeout=20))
    assert error.code() == grpc.StatusCode.FAILED_PRECONDITION and error.details() == "not now: ä", error
    error = status(lambda: calls.unary_unary("/test.Calls/Nothing")(b"", timeout=20))
    assert error.code() == grpc.StatusCode.UNIMPLEMENTED, error

    gather = calls.stream_unary("/test.Calls/Gather")
    assert gather(iter([b"x" * 100_000] * 30), timeout=20) == b"3000000"
    scatter = calls.unary_stream("/test.Calls/Scatter")
    assert [len(part) for part in scatter(b"500", timeout=20)] == [len(str(number)) * 1000 for number in range(500)]
    conversation(calls)
    side_by_side(whisper)

    began = time.monotonic()
    error = status(lambda: calls.unary_unary("/test.Calls/Hang")(b"", timeout=0.3))
    assert error.code() == grpc.StatusCode.DEADLINE_EXCEEDED and time.monotonic() - began < 10, error
    assert cancelled.wait(20), "the deadline did not reach the target"
    cancelled.clear()
    begun.clear()
    call = calls.unary_unary("/test.Calls/Hang").future(b"", timeout=20)
    assert begun.wait(20)
    call.cancel()
    assert cancelled.wait(20), "the cancellation did not reach the target"


def conversation(calls):
    """Each message is answered before the next one is sent."""
    turn = threading.Semaphore(1)

    def requests():
        for number in range(20):
            assert turn.acquire(timeout=20)
            yield b"%d" % number

    answers = []
    for answer in calls.stream_stream("/test.Calls/Echo")(requests(), timeout=20):
        answers.append(answer)
        turn.release()
    assert answers == [b"%d" % number for number in range(20)], answers


def side_by_side(whisper):
    futures = [whisper.future(b"%d" % number, timeout=20) for number in range(100)]
    assert [future.result() for future in futures] == [b"%d " % number for number in range(100)]


server = serve()
with channel() as calls:
    run(calls)
server.stop(0)
with channel() as calls:
    error = status(lambda: calls.unary_unary("/test.Calls/Whisper")(b"", timeout=20))
    assert error.code() == grpc.StatusCode.UNAVAILABLE and "behind the gateway" in error.details(), error
