"""What llhttp and h11 make of the bytes of a connection."""

from dataclasses import dataclass, field

import h11
import httptools


@dataclass
class Message:
    """A message that was read whole; what Sluice's reading is compared with."""

    start: tuple  # of a request: method, target, minor version; of a response: status, reason, minor version
    fields: list  # of (name in lower case, value without white space around it)
    body: bytes = b""
    trailers: list = field(default_factory=list)
    end: int = -1  # where the next message begins; -1 when the library does not say
    # Whether the library leaves all that follows the head to another protocol. Sluice does not switch, reads content
    # as always, and forwards neither Upgrade nor what nominates it.
    switches: bool = False

    def __post_init__(self):
        # A coding's case means nothing (RFC 9112 §7), and h11 shows it in lower case.
        self.fields = [(n, v.lower() if n == b"transfer-encoding" else v) for n, v in self.fields]


@dataclass
class Reading:
    """Messages in order, and why there are no more: an error, `incomplete`, or a reason to stop."""

    messages: list
    ending: str


class _LLHTTP:
    """Callbacks of httptools, which gather messages."""

    def __init__(self, is_request):
        self.is_request = is_request
        self.messages = []
        self.parser = None
        self.is_open = False
        self._reset()

    def _reset(self):
        self.url = b""
        self.reason = b""
        self.fields = []
        self.trailers = []
        self.body = b""
        self.is_in_head = True

    def on_message_begin(self):
        self._reset()
        self.is_open = True

    def on_url(self, url):
        self.url += url

    def on_status(self, status):
        self.reason += status

    def on_header(self, name, value):
        (self.fields if self.is_in_head else self.trailers).append((name.lower(), (value or b"").strip(b" \t")))

    def on_headers_complete(self):
        self.is_in_head = False

    def on_body(self, body):
        self.body += body

    def on_message_complete(self):
        self.is_open = False
        self.messages.append(self.message())

    def is_framed(self):
        return any(name in (b"content-length", b"transfer-encoding") for name, _ in self.fields)

    def message(self):
        version = self.parser.get_http_version()[-1]
        if self.is_request:
            start = (self.parser.get_method(), self.url, version)
        else:
            start = (self.parser.get_status_code(), self.reason, version)
        return Message(start, self.fields, self.body, self.trailers)


def llhttp(data: bytes, kind: str) -> Reading:
    """Reads with llhttp, which goes on behind a message by itself."""
    gathered = _LLHTTP(kind == "Q")
    make = httptools.HttpRequestParser if kind == "Q" else httptools.HttpResponseParser
    gathered.parser = make(gathered)
    messages = gathered.messages
    try:
        gathered.parser.feed_data(data)
    except httptools.HttpParserUpgrade:
        if gathered.is_open:
            messages.append(gathered.message())
        messages[-1].switches = True
        return Reading(messages, "switched")
    except httptools.HttpParserError as error:
        return Reading(messages, f"{type(error).__name__}: {error}")
    if kind != "Q" and gathered.is_open and not gathered.is_in_head and not gathered.is_framed():
        # Content up to the end of the connection: this library is not told of the end.
        messages.append(gathered.message())
    return Reading(messages, "incomplete")


_EXPLAINED = (h11.RemoteProtocolError, h11.LocalProtocolError)


def _read_one(connection, messages, total):
    """Reads events up to a message's end; returns how the reading ended, or None when another may follow."""
    message = None
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            return "incomplete"
        if isinstance(event, (h11.Request, h11.Response, h11.InformationalResponse)):
            version = event.http_version[-1:].decode()
            fields = [(bytes(name), bytes(value)) for name, value in event.headers]
            if isinstance(event, h11.Request):
                message = Message((bytes(event.method), bytes(event.target), version), fields)
            else:
                message = Message((event.status_code, bytes(event.reason), version), fields)
            if isinstance(event, h11.InformationalResponse):
                messages.append(message)
        elif isinstance(event, h11.Data):
            message.body += bytes(event.data)
        elif isinstance(event, h11.EndOfMessage):
            message.trailers = [(bytes(name), bytes(value)) for name, value in event.headers]
            message.end = total - len(connection.trailing_data[0])
            messages.append(message)
            return None
        else:
            return "closed"


def h11_reader(data: bytes, kind: str) -> Reading:
    """Reads with h11, a connection for each message: what one leaves is the next one's."""
    messages = []
    rest = data
    while rest:
        if kind == "Q":
            connection = h11.Connection(h11.SERVER)
        else:
            connection = h11.Connection(h11.CLIENT)
            method = b"HEAD" if kind == "H" else b"GET"
            connection.send(h11.Request(method=method, target=b"/", headers=[(b"Host", b"a")]))
            connection.send(h11.EndOfMessage())
        connection.receive_data(rest)
        if kind != "Q":
            connection.receive_data(b"")
        try:
            ending = _read_one(connection, messages, len(data))
        except _EXPLAINED as error:
            return Reading(messages, f"{type(error).__name__}: {error}")
        if ending is not None:
            return Reading(messages, ending)
        rest = connection.trailing_data[0]
    return Reading(messages, "incomplete")


READERS = {"llhttp": llhttp, "h11": h11_reader}
