"""Sends damaged messages through a running gateway, and compares what comes out with what the decoders read.

Each request that reaches the origin has a connection of its own there. It must be read alike by llhttp and h11, fill
its connection to the last byte, and be the next one that Sluice's decoder read out of the client's bytes. An answer
that reaches the client must be read alike by both, and be the origin's as Sluice's decoder reads it, or a refusal.
"""

import argparse
import collections
import pathlib
import queue
import random
import socket
import sys
import threading
import time

import differential
import mutation
import readers

PATIENCE = 5  # seconds; the gateway's own limits are far below
MARK = b"the end of an exchange"


class Origin:
    """One connection for each request; `answer` gets the bytes so far and returns what to send, or nothing yet."""

    def __init__(self, answer):
        self.answer = answer
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.served = queue.SimpleQueue()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            data = bytearray()
            thread = threading.Thread(target=self.serve, args=(connection, data), daemon=True)
            thread.start()
            self.served.put((data, thread))

    def serve(self, connection, data):
        with connection:
            connection.settimeout(PATIENCE)
            try:
                while piece := connection.recv(65536):
                    data += piece
                    if answer := self.answer(bytes(data)):
                        connection.sendall(answer)
                        connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass

    def take(self):
        """What came since the last call, once all of it has ended."""
        # Connections are accepted in their order: behind our own, none of the exchange is still to come.
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as connection:
            connection.sendall(MARK)
        taken = []
        while True:
            data, thread = self.served.get(timeout=PATIENCE)
            thread.join(PATIENCE)
            if data == MARK:
                return taken
            taken.append(bytes(data))


def exchange(port, data):
    """Sends the bytes and reads until the gateway closes."""
    answer = b""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        try:
            connection.sendall(data)
            while piece := connection.recv(65536):
                answer += piece
        except ConnectionError:
            pass
    return answer


def disagreement(data, kind):
    """How llhttp and h11 read the bytes differently; None when they do not."""
    one, other = readers.llhttp(data, kind), readers.h11_reader(data, kind)
    if len(one.messages) != len(other.messages):
        return f"llhttp reads {len(one.messages)} ({one.ending}), h11 {len(other.messages)} ({other.ending})"
    for a, b in zip(one.messages, other.messages):
        if (a.start, a.fields, a.body, a.trailers) != (b.start, b.fields, b.body, b.trailers):
            return f"llhttp reads {a}, h11 {b}"
    return None


def compare_request(connections, ours):
    """What is wrong with what the origin received; `ours` is Sluice's reading of the client's bytes."""
    # Requests that the gateway answers itself are passed over; the others keep their order.
    unseen = list(ours.messages)
    for data in connections:
        if wrong := disagreement(data, "Q"):
            # A method that only one of them knows is forwarded as it is.
            if "InvalidMethod" not in wrong:
                return wrong
        read = readers.h11_reader(data, "Q").messages
        if not read:
            if unseen:
                return "a whole request was forwarded in part"
            continue
        if len(read) > 1 or read[0].end != len(data):
            return "more than one request was forwarded as one"
        while unseen and (read[0].start[0], read[0].body) != (unseen[0].start[0], unseen[0].body):
            unseen.pop(0)
        if not unseen:
            return f"a request was forwarded that was not read: {read[0]}"
        unseen.pop(0)
    return None


def compare_response(answer, ours):
    """What is wrong with what the client received; `ours` is Sluice's reading of the origin's bytes."""
    if wrong := disagreement(answer, "R"):
        # An answer that broke off after its head is cut for the client too.
        return None if not ours.messages or ours.messages[-1].start[0] < 200 else wrong
    final = [message for message in readers.h11_reader(answer, "R").messages if message.start[0] >= 200]
    if not final:
        return None if not any(message.start[0] >= 200 for message in ours.messages) else "no answer"
    if any(name == b"x-fault" for name, _ in final[0].fields):
        return None
    mine = next((message for message in ours.messages if message.start[0] >= 200), None)
    if mine is None:
        return f"passed on {final[0]}, which was not read"
    if (final[0].start[0], final[0].body) != (mine.start[0], mine.body):
        return f"passed on {final[0]}, read {mine}"
    return None


def answered(request, broken):
    """The answer to a request of the client's, or to a health probe."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" if request.startswith(b"GET /healthz ") else broken


def exchange_ports(folder, port):
    """Says where the origin listens, and waits to be told where the gateway does."""
    (folder / "origin.part").write_text(str(port))
    (folder / "origin.part").rename(folder / "origin")
    for _ in range(1000):
        if (folder / "gateway").exists():
            return int((folder / "gateway").read_text())
        time.sleep(0.02)
    sys.exit("no gateway came")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("kind", choices=["requests", "responses"])
    arguments.add_argument("--probe", required=True)
    arguments.add_argument("--ports", required=True, help="a folder: `origin` is written there, `gateway` awaited")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--count", type=int, default=1000)
    options = arguments.parse_args()
    print(f"{options.kind}: seed {options.seed}", flush=True)
    rng = random.Random(options.seed)
    kind, samples = ("Q", mutation.REQUESTS) if options.kind == "requests" else ("R", mutation.RESPONSES)
    inputs = [mutation.mutate(rng.choice(samples), samples, rng) for _ in range(options.count)]
    readings = [reading for reading, _ in differential.read_probe(options.probe, [(kind, data) for data in inputs])]
    ok = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    current = [b""]
    if kind == "Q":
        origin = Origin(lambda data: ok if readers.h11_reader(data, "Q").messages else None)
    else:
        origin = Origin(lambda data: answered(data, current[0]) if data.endswith(b"\r\n\r\n") else None)
    gateway = exchange_ports(pathlib.Path(options.ports), origin.port)
    counts, findings = collections.Counter(), []
    for data, ours in zip(inputs, readings):
        current[0] = data
        sent = data if kind == "Q" else b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        answer = exchange(gateway, sent)
        # A broken answer takes the target out until a probe finds it good.
        while b"no_healthy_target" in answer:
            time.sleep(0.02)
            answer = exchange(gateway, sent)
        connections = [data for data in origin.take() if not data.startswith(b"GET /healthz ")]
        wrong = compare_request(connections, ours) if kind == "Q" else compare_response(answer, ours)
        counts["forwarded" if connections else "refused"] += 1
        counts["passed on" if b"X-Fault" not in answer and answer else "refusals seen"] += 1
        if wrong:
            findings.append((wrong, data, connections, answer))
    print(f"{options.count} inputs: {dict(counts)}; {len(findings)} findings")
    for wrong, data, connections, answer in findings[:10]:
        print(f"\n{wrong}\n  bytes {data!r}\n  origin {connections!r}\n  client {answer!r}")
    sys.exit(1 if findings or not counts["forwarded"] or not counts["passed on"] else 0)


if __name__ == "__main__":
    main()
