"""Compares Sluice's decoders with llhttp and h11 on damaged messages, and on what Sluice would forward of them.

Whatever Sluice accepts must be read the same by both: method and target or status and reason, version, fields,
content, trailers, and where the message ends. A library may refuse what Sluice accepts only for a reason of REFUSALS.
"""

import argparse
import collections
import random
import re
import struct
import subprocess
import sys
import tempfile
import urllib.parse

import mutation
import readers

# A message that cannot come from damage: behind every other, so that it is seen where that one ends.
SENTINELS = {
    "Q": b"GET /sentinel HTTP/1.1\r\nHost: sentinel\r\n\r\n",
    "R": b"HTTP/1.1 299 Sentinel\r\nContent-Length: 0\r\n\r\n",
    "H": b"HTTP/1.1 299 Sentinel\r\nContent-Length: 0\r\n\r\n",
}


class Refusal:
    """Why a library may refuse what Sluice accepts; the condition gets the message and the bytes from its start on."""

    def __init__(self, library, word, reason, condition):
        self.library, self.word, self.reason, self.condition = library, word, reason, condition


# What llhttp knows; RFC 9110 §9.1 allows others, and a gateway forwards them.
METHODS = frozenset(
    b"ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR MKCOL MOVE NOTIFY "
    b"OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK "
    b"UNLOCK UNSUBSCRIBE".split()
)

REFUSALS = [
    Refusal("llhttp", "HttpParserInvalidMethodError", "it knows only some methods",
            lambda message, data: message.start[0] not in METHODS),
    Refusal("h11", "no request line received", "it takes no empty line before a request (RFC 9112 §2.2)",
            lambda message, data: data.startswith(b"\r\n")),
    Refusal("llhttp", "in chunk extensions", "it takes no white space in extensions (RFC 9112 §7.1.1), which end here",
            lambda message, data: re.search(rb"\r\n[0-9A-Fa-f]+;[^\n]*[ \t]", data) is not None),
]


def read_probe(path, records):
    """Runs the probe over (kind, bytes) and yields, for each, its messages, how they are forwarded, and the end."""
    with tempfile.TemporaryFile() as stdin:
        for kind, data in records:
            stdin.write(kind.encode() + struct.pack(">I", len(data)) + data)
        stdin.seek(0)
        process = subprocess.Popen([path], stdin=stdin, stdout=subprocess.PIPE)
        messages, forwarded = [], []
        for line in process.stdout:
            line = line.rstrip(b"\n")
            if line.startswith(b"end|"):
                yield readers.Reading(messages, line[4:].decode()), forwarded
                messages, forwarded = [], []
                continue
            summary, body, trailers, end, sent = line.split(b"\t")
            messages.append(parse(summary, body, trailers, int(end)))
            forwarded.append(bytes.fromhex(sent.decode()))
        if process.wait() != 0:
            sys.exit(f"codec-probe ended with {process.returncode}")


def parse(summary, body, trailers, end):
    """A message from the probe's line."""
    parts = summary.split(b"|")
    if parts[0] == b"request":
        start = (unescape(parts[1]), unescape(parts[2]), parts[3][2:].decode())
    else:
        start = (int(parts[1]), unescape(parts[2]), parts[3][2:].decode())
    fields = [field(part) for part in parts[4:-2]]
    return readers.Message(start, fields, unescape(body), [field(part) for part in trailers.split(b"|")[1:]], end)


def field(part):
    name, value = part.split(b"=", 1)
    return unescape(name), unescape(value)


def unescape(part):
    return urllib.parse.unquote_to_bytes(part)


def difference(ours, theirs):
    """The first part in which two readings of a message differ; None when there is none."""
    if ours.start != theirs.start:
        return "start"
    if ours.fields != theirs.fields:
        return "fields"
    if theirs.switches:
        return None
    if ours.body != theirs.body:
        return "content"
    if ours.trailers != theirs.trailers:
        return "trailers"
    if theirs.end >= 0 and ours.end != theirs.end:
        return "end"
    return None


class Comparison:
    """Counts, and findings with what it takes to look into them."""

    def __init__(self):
        self.accepted = 0
        self.refused = 0
        self.allowed = collections.Counter()
        self.findings = []

    def compare(self, kind, data, ours, label):
        self.accepted += len(ours.messages)
        self.refused += ours.ending not in ("incomplete", "close")
        for name, read in readers.READERS.items():
            if kind == "H" and name == "llhttp":
                continue  # It cannot be told what was asked.
            self.compare_with(name, read(data, kind), kind, data, ours, label)

    def compare_with(self, name, theirs, kind, data, ours, label):
        start = 0
        for index, message in enumerate(ours.messages):
            if index >= len(theirs.messages):
                refusal = self.refusal(name, message, data[start:], theirs.ending)
                if refusal:
                    self.allowed[f"{name}: {refusal.reason}"] += 1
                else:
                    self.findings.append((name, f"refuses: {theirs.ending}", kind, label, data, message, None))
                return
            other = theirs.messages[index]
            what = difference(message, other)
            if what:
                self.findings.append((name, f"reads another {what}", kind, label, data, message, other))
            if what or other.switches:
                return
            start = message.end

    def refusal(self, name, message, data, ending):
        for refusal in REFUSALS:
            if refusal.library == name and refusal.word in ending and refusal.condition(message, data):
                return refusal
        return None

    def report(self):
        for reason, count in sorted(self.allowed.items()):
            print(f"  {count:6} refused by {reason}")
        for (name, what), count in collections.Counter(finding[:2] for finding in self.findings).most_common(30):
            print(f"  {count:6} FINDING: {name} {what}")
        for name, what, kind, label, data, ours, theirs in self.findings[:20]:
            print(f"\n{name} {what} ({label}, {kind})\n  bytes  {data!r}\n  sluice {ours}\n  {name} {theirs}")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("kind", choices=["requests", "responses"])
    arguments.add_argument("--probe", required=True)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--count", type=int, default=50000)
    options = arguments.parse_args()
    print(f"{options.kind}: seed {options.seed}", flush=True)
    rng = random.Random(options.seed)
    samples = mutation.REQUESTS if options.kind == "requests" else mutation.RESPONSES
    records = []
    for _ in range(options.count):
        kind = "Q" if options.kind == "requests" else rng.choice("RRRRH")
        records.append((kind, mutation.mutate(rng.choice(samples), samples, rng) + SENTINELS[kind]))

    comparison = Comparison()
    sent = []
    for (kind, data), (reading, forwarded) in zip(records, read_probe(options.probe, records), strict=True):
        comparison.compare(kind, data, reading, "received")
        # HTTP/1.0 without a Host cannot be forwarded without one; the engine adds it.
        sent += [(kind, message + SENTINELS[kind]) for message in forwarded if kind != "Q" or b"\r\nhost:" in message.lower()]
    received, refused = comparison.accepted, comparison.refused
    sent = list(dict.fromkeys(sent))
    for (kind, data), (reading, _) in zip(sent, read_probe(options.probe, sent), strict=True):
        if not reading.messages:
            comparison.findings.append(("sluice", f"refuses what it forwards: {reading.ending}", kind, "", data, None, None))
        comparison.compare(kind, data, reading, "forwarded")
    print(f"{options.count} inputs, {received} messages accepted, {refused} inputs refused at some point; "
          f"{len(sent)} different messages forwarded")
    comparison.report()
    sys.exit(1 if comparison.findings else 0)


if __name__ == "__main__":
    main()
