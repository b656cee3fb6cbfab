"""A server behind the gateway, by the h2 library or by hand in HTTP/1.1, in the clear or under TLS.

What it does is said by the last part of the path. It runs on threads of the process that imports it.
"""

import base64
import hashlib
import queue
import socket
import ssl
import struct
import threading

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import h2.settings

LARGE = bytes(range(256)) * 40960  # 10 MiB


class Request:
    def __init__(self, method, path, fields):
        self.method, self.path, self.fields = method, path, fields
        self.body, self.trailers = b"", []


class Answer:
    def __init__(self, body=b"", status=200, fields=(), length=True, trailers=(), interim=(), reset=False):
        self.body, self.status, self.fields = body, status, list(fields)
        self.length, self.trailers, self.interim, self.reset = length, list(trailers), list(interim), reset


class Origin:
    def __init__(self, mode, port, certificate=None, key=None, settings=None):
        self.mode = mode
        self.settings = {h2.settings.SettingCodes.MAX_CONCURRENT_STREAMS: 100, **(settings or {})}
        self.context = None
        if mode.endswith("+tls"):
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(certificate, key)
            self.context.set_alpn_protocols(["h2"] if mode == "h2+tls" else ["http/1.1"])
        self.requests, self.connections, self.cancelled = [], 0, threading.Event()
        self.asked, self.resets, self.open = {}, [], []
        self.event = threading.Event()
        # What `/events` and `/poll` answer, piece by piece, until None.
        self.pieces = queue.Queue()
        self.listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            sock, _ = self.listener.accept()
            self.connections += 1
            threading.Thread(target=self.serve, args=(sock,), daemon=True).start()

    def serve(self, sock):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if self.context:
                sock = self.context.wrap_socket(sock, server_side=True)
            if self.mode in ("h2c", "h2+tls"):
                connection = HTTP2(self, sock)
                self.open.append(connection)
                connection.run()
            else:
                http1(self, sock)
        except (OSError, h2.exceptions.ProtocolError):
            pass
        finally:
            sock.close()

    def first(self, what):
        """Whether this is asked for the first time."""
        self.asked[what] = self.asked.get(what, 0) + 1
        return self.asked[what] == 1

    def early(self, request):
        return request.path.endswith(("/early", "/hang", "/reset"))

    def answer(self, request):
        """What is answered when the request is complete, or its head for some; None for nothing."""
        what = request.path.rsplit("/", 1)[-1].split("?")[0]
        if what == "hang":
            return None
        if what == "early":
            return Answer(b"too soon", status=413)
        if what == "reset":
            return Answer(reset=True)
        if what == "broken":
            return Answer(b"half", reset=True)
        if what == "none":
            return Answer(status=204, length=False)
        if what == "large":
            return Answer(LARGE)
        if what == "broken-call":
            kind = ("content-type", "application/grpc")
            return Answer(b"\0\0\0\0\5hello" * 2, length=False, fields=[kind], reset=True)
        if what == "middling":
            return Answer(b"x" * 100_000)
        if what == "sized-trailers":
            kind = dict(request.fields).get("x-kind")
            told = ("content-type", kind) if kind else ("trailer", "x-sum")
            sum = [("x-sum", f"{len(request.body)} {request.trailers}")]
            return Answer(b"hello", fields=[told], trailers=sum)
        if what == "chunked":
            return Answer(b"piece" * 1000, length=False)
        if what == "trailers":
            return Answer(b"hello", length=False, trailers=[("x-sum", "5"), ("x-more", "yes")])
        if what == "only":
            return Answer(fields=[("grpc-status", "5")], length=False)
        if what == "interim":
            return Answer(b"final", interim=[(103, [("link", "</a.css>")])])
        if what == "fields":
            lines = [f"{name}: {value}" for name, value in request.fields]
            return Answer("\n".join(lines).encode(), fields=[("set-cookie", "a=1"), ("set-cookie", "b=2")])
        sum = ",".join(f"{name}={value}" for name, value in request.trailers)
        return Answer(f"{request.method} {len(request.body)} {sum}".encode())


class HTTP2:
    def __init__(self, origin, sock):
        self.origin, self.sock = origin, sock
        self.peer = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        # Not one by one, which would be said later than these.
        self.peer.local_settings = h2.settings.Settings(client=False, initial_values=origin.settings)
        self.requests, self.unsent, self.tunnels = {}, {}, set()
        self.lock = threading.Lock()

    def run(self):
        self.peer.initiate_connection()
        self.flush()
        while True:
            octets = self.sock.recv(65536)
            if not octets:
                return self.origin.cancelled.set()
            with self.lock:
                for event in self.peer.receive_data(octets):
                    self.take(event)
                self.pump()
                is_over = self.flush()
            if is_over:
                return self.linger()

    def linger(self):
        """Closing with octets unread would destroy the goodbye on its way."""
        self.sock.shutdown(socket.SHUT_WR)
        while self.sock.recv(65536):
            pass

    def flush(self):
        octets = self.peer.data_to_send()
        if octets:
            self.sock.sendall(octets)
        return self.peer.state_machine.state == h2.connection.ConnectionState.CLOSED

    def take(self, event):
        if isinstance(event, h2.events.RequestReceived):
            fields = dict(event.headers)
            request = Request(fields[":method"], fields[":path"], event.headers)
            request.id = event.stream_id
            self.requests[event.stream_id] = request
            self.origin.requests.append(request)
            if fields.get(":protocol") == "websocket":
                self.tunnels.add(event.stream_id)
                return self.peer.send_headers(event.stream_id, [(":status", "200"), ("sec-websocket-protocol", "chat")])
            if self.special(request):
                return
            if self.origin.early(request):
                self.respond(request)
        elif isinstance(event, h2.events.DataReceived):
            self.peer.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            if event.stream_id in self.tunnels:
                self.unsent.setdefault(event.stream_id, [b"", None])[0] += event.data
            elif event.stream_id in self.requests:
                self.requests[event.stream_id].body += event.data
        elif isinstance(event, h2.events.TrailersReceived):
            if event.stream_id in self.requests:
                self.requests[event.stream_id].trailers = event.headers
        elif isinstance(event, h2.events.StreamEnded):
            request = self.requests.pop(event.stream_id, None)
            if event.stream_id in self.tunnels:
                self.unsent.setdefault(event.stream_id, [b"", None])[1] = Answer()
            elif request and not self.origin.early(request) and not getattr(request, "refused", False):
                self.respond(request)
        elif isinstance(event, h2.events.StreamReset):
            self.unsent.pop(event.stream_id, None)
            if event.remote_reset:
                self.origin.resets.append(int(event.error_code))
                self.origin.cancelled.set()

    def special(self, request):
        """What only HTTP/2 can do: to refuse a request in a way that makes it safe to send again."""
        what = request.path.rsplit("/", 1)[-1]
        if what in ("events", "poll"):
            request.refused = True
            threading.Thread(target=self.feed, args=(request.id, what), daemon=True).start()
            return True
        if what == "refuse-once" and self.origin.first(what):
            request.refused = True
            self.peer.reset_stream(request.id, h2.errors.ErrorCodes.REFUSED_STREAM)
            return True
        if what == "goaway-once" and self.origin.first(what):
            request.refused = True
            self.peer.close_connection(last_stream_id=request.id - 2)
            return True
        if what == "goaway-after":
            request.refused = True
            self.respond(request)
            self.pump()
            self.peer.close_connection(last_stream_id=request.id)
            return True
        return False

    def feed(self, stream, what):
        """Sends what it is given as it comes."""
        head = [(":status", "200"), ("content-type", "text/event-stream" if what == "events" else "text/plain")]
        piece = self.origin.pieces.get() if what == "poll" else b""
        with self.lock:
            self.peer.send_headers(stream, head)
            if what == "poll":
                self.peer.send_data(stream, piece, end_stream=True)
            self.flush()
        while what == "events":
            piece = self.origin.pieces.get()
            with self.lock:
                self.peer.send_data(stream, piece or b"", end_stream=piece is None)
                self.flush()
            if piece is None:
                return

    def respond(self, request):
        answer = self.origin.answer(request)
        if answer is None:
            return
        for status, fields in answer.interim:
            self.peer.send_headers(request.id, [(":status", str(status))] + fields)
        if answer.reset and not answer.body:
            return self.peer.reset_stream(request.id, h2.errors.ErrorCodes.INTERNAL_ERROR)
        fields = [(":status", str(answer.status))] + answer.fields
        if answer.length:
            fields.append(("content-length", str(len(answer.body) * (2 if answer.reset else 1))))
        end = request.method == "HEAD" or not answer.body and not answer.trailers
        self.peer.send_headers(request.id, fields, end_stream=end)
        if not end:
            self.unsent[request.id] = [answer.body, answer]
        answer.early = self.origin.early(request)

    def pump(self):
        for stream, (body, answer) in list(self.unsent.items()):
            while body:
                count = min(len(body), self.peer.local_flow_control_window(stream), self.peer.max_outbound_frame_size)
                if count <= 0:
                    break
                self.peer.send_data(stream, body[:count])
                body = body[count:]
            self.unsent[stream][0] = body
            if body or answer is None:
                continue
            del self.unsent[stream]
            if answer.reset:
                self.peer.reset_stream(stream, h2.errors.ErrorCodes.INTERNAL_ERROR)
            elif answer.trailers:
                self.peer.send_headers(stream, answer.trailers, end_stream=True)
            else:
                self.peer.end_stream(stream)
                if getattr(answer, "early", False):
                    self.peer.reset_stream(stream, h2.errors.ErrorCodes.NO_ERROR)


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if isinstance(sock, ssl.SSLSocket):
        socket.socket(fileno=sock.detach()).close()
    else:
        sock.close()


def http1(origin, sock):
    file = sock.makefile("rb")
    while True:
        line = file.readline().decode().split()
        if not line:
            return
        fields = []
        while (field := file.readline().decode().rstrip("\r\n")):
            name, _, value = field.partition(":")
            fields.append((name.lower(), value.strip()))
        request = Request(line[0], line[1], fields)
        origin.requests.append(request)
        if dict(fields).get("upgrade") == "websocket":
            return http1_echo(sock, file, dict(fields)["sec-websocket-key"])
        if origin.early(request):
            return http1_early(origin, sock, file, request)
        known = dict(fields)
        if known.get("transfer-encoding") == "chunked":
            while (size := int(file.readline(), 16)):
                request.body += file.read(size)
                file.readline()
            while (field := file.readline().decode().rstrip("\r\n")):
                name, _, value = field.partition(":")
                request.trailers.append((name.lower(), value.strip()))
        else:
            request.body = file.read(int(known.get("content-length", 0)))
        if request.path in ("/events", "/poll"):
            http1_feed(origin, sock, request)
            continue
        answer = origin.answer(request)
        http1_answer(sock, request, answer)
        if answer.reset:
            return reset(sock)


def http1_echo(sock, file, key):
    accept = hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    head = "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Protocol: chat\r\n"
    sock.sendall(f"{head}Sec-WebSocket-Accept: {base64.b64encode(accept).decode()}\r\n\r\n".encode())
    while octets := file.read1(65536):
        sock.sendall(octets)


def http1_early(origin, sock, file, request):
    answer = origin.answer(request)
    if answer and answer.reset:
        return reset(sock)
    if answer:
        answer.fields.append(("connection", "close"))
        http1_answer(sock, request, answer)
    try:
        while file.read1(65536):
            pass
    except OSError:
        pass
    origin.cancelled.set()


def http1_feed(origin, sock, request):
    """Sends what it is given as it comes."""
    if request.path == "/poll":
        piece = origin.pieces.get()
        return sock.sendall(b"HTTP/1.1 200 Fine\r\nContent-Length: %d\r\n\r\n%b" % (len(piece), piece))
    sock.sendall(b"HTTP/1.1 200 Fine\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
    while (piece := origin.pieces.get()) is not None:
        sock.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
    sock.sendall(b"0\r\n\r\n")


def http1_answer(sock, request, answer):
    head = "".join(f"HTTP/1.1 {status} Hint\r\n" + lines(fields) + "\r\n" for status, fields in answer.interim)
    chunked = not answer.length and (answer.body or answer.trailers)
    framing = [("transfer-encoding", "chunked")] if chunked else []
    if answer.length:
        framing = [("content-length", str(len(answer.body) * (2 if answer.reset else 1)))]
    head += f"HTTP/1.1 {answer.status} Fine\r\n" + lines(answer.fields + framing) + "\r\n"
    sock.sendall(head.encode())
    if chunked:
        for start in range(0, len(answer.body), 1000):
            piece = answer.body[start : start + 1000]
            sock.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
        sock.sendall(b"0\r\n" + lines(answer.trailers).encode() + b"\r\n")
    else:
        sock.sendall(answer.body)


def lines(fields):
    return "".join(f"{name}: {value}\r\n" for name, value in fields)
