// WebSockets that echo, both ends of them.
//
//   websockets serve PORT
//   websockets drive PORT CONNECTIONS SECONDS
//
// The server agrees to every upgrade and sends each message back; other requests it answers with 200. The driver opens
// its connections one after another and then keeps one message of 64 bytes under way on each. Prints one line of JSON:
// all messages that came back, and of those after the first second the rate and the times to their echo in µs.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { payload = 64, masked = 6 + payload, plain = 2 + payload, sockets_limit = 16384, slowest_us = 2000000 };

// The key and its answer are those of RFC 6455 §1.3.
static const char request[] =
    "GET /echo HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
static const char switching[] =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
static const char other[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

// By descriptor: how much of a message or a head is here, whether messages are spoken, when the last one was sent.
static struct {
  int upgraded;
  size_t length;
  int64_t sent;
  char head[4096];
} sockets[sockets_limit];
static uint32_t histogram[slowest_us + 1];

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void stop(const char *what) {
  perror(what);
  exit(1);
}

static void send_all(int fd, const char *bytes, size_t count) {
  if (send(fd, bytes, count, MSG_NOSIGNAL) != (ssize_t)count) stop("send");
}

static void watch(int poller, int fd) {
  int one = 1;
  if (fd >= sockets_limit) stop("too many sockets");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  memset(&sockets[fd], 0, sizeof sockets[fd]);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0) stop("epoll_ctl");
}

static void serve_head(int fd, ssize_t n, const char *bytes) {
  if (sockets[fd].length + (size_t)n >= sizeof sockets[fd].head) stop("a head too long");
  memcpy(sockets[fd].head + sockets[fd].length, bytes, (size_t)n);
  sockets[fd].length += (size_t)n;
  sockets[fd].head[sockets[fd].length] = 0;
  if (strstr(sockets[fd].head, "\r\n\r\n") == NULL) return;
  sockets[fd].upgraded = strcasestr(sockets[fd].head, "upgrade: websocket") != NULL;
  sockets[fd].length = 0;
  if (sockets[fd].upgraded) send_all(fd, switching, sizeof switching - 1);
  else send_all(fd, other, sizeof other - 1);
}

static void serve_one(int poller, int fd, const char *echo) {
  char bytes[16384];
  ssize_t n = recv(fd, bytes, sizeof bytes, 0);
  if (n <= 0) {
    epoll_ctl(poller, EPOLL_CTL_DEL, fd, NULL);
    close(fd);
    return;
  }
  if (!sockets[fd].upgraded) return serve_head(fd, n, bytes);
  sockets[fd].length += (size_t)n;
  for (; sockets[fd].length >= masked; sockets[fd].length -= masked) send_all(fd, echo, plain);
}

static _Noreturn void serve(unsigned short port) {
  char echo[plain] = {(char)0x82, payload};
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1, poller = epoll_create1(0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 4096) != 0) stop("listen");
  watch(poller, listener);
  for (;;) {
    struct epoll_event events[256];
    int ready = epoll_wait(poller, events, 256, -1);
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      if (fd == listener) watch(poller, accept(listener, NULL, NULL));
      else serve_one(poller, fd, echo);
    }
  }
}

static void open_one(int poller, unsigned short port) {
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) stop("connect");
  send_all(fd, request, sizeof request - 1);
  char head[4096];
  size_t length = 0;
  do {
    ssize_t n = recv(fd, head + length, sizeof head - 1 - length, 0);
    if (n <= 0) stop("no answer to an upgrade");
    length += (size_t)n;
    head[length] = 0;
  } while (strstr(head, "\r\n\r\n") == NULL);
  if (memcmp(head + 9, "101", 3) != 0) {
    fprintf(stderr, "websockets: not upgraded: %s\n", head);
    exit(1);
  }
  watch(poller, fd);
}

static uint64_t percentile(uint64_t counted, double share) {
  uint64_t rank = (uint64_t)((double)counted * share), seen = 0;
  for (uint64_t us = 0; us <= slowest_us; us++)
    if ((seen += histogram[us]) > rank) return us;
  return slowest_us;
}

static int drive(unsigned short port, int count, double seconds) {
  char message[masked] = {(char)0x82, (char)(0x80 | payload)};
  int poller = epoll_create1(0);
  for (int i = 0; i < count; i++) open_one(poller, port);
  int64_t began = now_ns(), warm = began + 1000000000LL, end = warm + (int64_t)(seconds * 1e9);
  uint64_t all = 0, counted = 0;
  for (int fd = poller + 1; fd < poller + 1 + count; fd++) {
    sockets[fd].sent = now_ns();
    send_all(fd, message, masked);
  }
  for (int64_t now = began; now < end; now = now_ns()) {
    struct epoll_event events[256];
    int ready = epoll_wait(poller, events, 256, 100);
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      char bytes[4096];
      ssize_t n = recv(fd, bytes, sizeof bytes, 0);
      if (n <= 0) stop("the proxy closed a connection");
      sockets[fd].length += (size_t)n;
      if (sockets[fd].length < plain) continue;
      sockets[fd].length -= plain;
      int64_t heard = now_ns();
      all++;
      if (heard >= warm) {
        int64_t us = (heard - sockets[fd].sent) / 1000;
        histogram[us < slowest_us ? us : slowest_us]++;
        counted++;
      }
      sockets[fd].sent = heard;
      send_all(fd, message, masked);
    }
  }
  printf("{\"messages\": %lu, \"rate\": %.1f, \"p50_us\": %lu, \"p99_us\": %lu}\n", all, (double)counted / seconds,
         percentile(counted, 0.50), percentile(counted, 0.99));
  return counted == 0;
}

int main(int count, char **arguments) {
  if (count == 3 && strcmp(arguments[1], "serve") == 0) serve((unsigned short)atoi(arguments[2]));
  if (count == 5 && strcmp(arguments[1], "drive") == 0)
    return drive((unsigned short)atoi(arguments[2]), atoi(arguments[3]), atof(arguments[4]));
  return fprintf(stderr, "usage: websockets serve PORT | websockets drive PORT CONNECTIONS SECONDS\n"), 2;
}
