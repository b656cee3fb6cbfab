"""A machine without local ports, run by OutOfPortsTests in a network of its own: ports.py PROGRAM DIRECTORY

There are two ports to connect from. Two calls to a slow target take them; what becomes of the third, and of the target?
"""

import fcntl
import http.client
import http.server
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time

PROGRAM, DIRECTORY = sys.argv[1:]
RELEASE = threading.Event()


class Target(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/slow":
            RELEASE.wait(20)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


class OverUnix(http.client.HTTPConnection):
    """Clients come over a socket of the file system: they need no ports."""

    def __init__(self, path):
        super().__init__("a.example", timeout=20)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(self.path)


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sh", b"lo", 0x1 | 0x40)
        fcntl.ioctl(any_socket, 0x8914, request)


def ask(name, target):
    client = OverUnix(f"{DIRECTORY}/{name}")
    client.request("GET", target)
    answer = client.getresponse()
    return answer.status, answer.read()


def main():
    loopback_up()
    with open("/proc/sys/net/ipv4/ip_local_port_range", "w") as file:
        file.write("40000 40001")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 20000), Target)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with open(f"{DIRECTORY}/ports.conf", "w") as file:
        file.write(f"""
listeners: {{ public: "unix:{DIRECTORY}/public" }}
admin: "unix:{DIRECTORY}/admin"
call_log: "{DIRECTORY}/log"
workers: 1
upstreams: {{ api: {{ targets: ["http://127.0.0.1:20000"] }} }}
routes: {{ all: {{ match: /*, upstream: api }} }}
""")
    with subprocess.Popen([PROGRAM, "run", "-c", f"{DIRECTORY}/ports.conf"]) as gateway:
        try:
            check()
        finally:
            RELEASE.set()
            gateway.terminate()


def check():
    for _ in range(500):
        if os.path.exists(f"{DIRECTORY}/admin"):
            break
        time.sleep(0.02)
    results = []
    slow = [threading.Thread(target=lambda: results.append(ask("public", "/slow"))) for _ in range(2)]
    for thread in slow:
        thread.start()
    time.sleep(0.5)
    for _ in range(5):
        status, body = ask("public", "/")
        assert status == 503 and json.loads(body)["code"] == "no_local_port", body
    health = ask("admin", "/metrics")[1].decode()
    assert 'sluice_target_healthy{upstream="api",target="127.0.0.1:20000"} 1' in health, health
    assert 'sluice_upstream_connects_total{upstream="api",target="127.0.0.1:20000",outcome="error"} 5' in health, health
    RELEASE.set()
    for thread in slow:
        thread.join()
    assert results == [(200, b"ok")] * 2, results
    assert ask("public", "/") == (200, b"ok")
    print("well")


main()
