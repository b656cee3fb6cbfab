// Clients of streams of server-sent events: so many at once, each of which asks again when its stream has ended.
//
//   streams PORT COUNT SECONDS REQUEST-FILE
//
// Prints one line of JSON: streams that ended, events that came, and from sending a request to the first of its events
// in µs. An answer that is not 200, a connection that breaks, or a stream that says "error", ends it with status 1.

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

enum { connections_limit = 20000, request_limit = 16384, slowest_us = 1000000, end_length = 7 };
static const char end_of_body[] = "\r\n0\r\n\r\n";

struct connection {
  int fd, has_head, has_event;
  int64_t sent;
  // The last octets, so that what is cut between two reads is found; and the head while it comes.
  char tail[end_length + 1];
  size_t tail_length;
};

static struct connection connections[connections_limit];
static uint32_t histogram[slowest_us + 1];
static uint64_t firsts, ended, events_seen;
static char request[request_limit];
static size_t request_length;

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void stop(const char *what) {
  fprintf(stderr, "streams: %s\n", what);
  exit(1);
}

static void ask(struct connection *c) {
  c->has_head = c->has_event = 0;
  c->tail_length = 0;
  c->sent = now_ns();
  if (send(c->fd, request, request_length, MSG_NOSIGNAL) != (ssize_t)request_length) stop("could not send a request");
}

static void open_connection(int poller, int index, unsigned short port) {
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) stop("could not connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)index};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0) stop("epoll_ctl");
  connections[index].fd = fd;
}

// Counts the events' ends in what has come; true when the body ended.
static int look(struct connection *c, const char *bytes, size_t count) {
  if (memmem(bytes, count, "\"error\"", 7) != NULL) stop("a stream that failed");
  uint64_t found = 0;
  for (size_t i = 0; i < count; i++) found += bytes[i] == '\n' && i > 0 && bytes[i - 1] == '\n';
  // The end of an event that was cut between two reads.
  if (c->tail_length > 0 && c->tail[c->tail_length - 1] == '\n' && bytes[0] == '\n') found++;
  events_seen += found;
  if (found && !c->has_event) {
    int64_t us = (now_ns() - c->sent) / 1000;
    c->has_event = 1;
    histogram[us < slowest_us ? us : slowest_us]++;
    firsts++;
  }
  size_t keep = count < end_length ? count : end_length, old = end_length - keep;
  if (old > c->tail_length) old = c->tail_length;
  memmove(c->tail, c->tail + c->tail_length - old, old);
  memcpy(c->tail + old, bytes + count - keep, keep);
  c->tail_length = old + keep;
  return c->tail_length == end_length && memcmp(c->tail, end_of_body, end_length) == 0;
}

// False when nothing more is there.
static int receive(struct connection *c) {
  static char bytes[65536];
  ssize_t n = recv(c->fd, bytes, sizeof bytes - 1, 0);
  if (n < 0 && errno == EAGAIN) return 0;
  if (n <= 0) stop("a connection was closed");
  char *body = bytes;
  if (!c->has_head) {
    // Whoever sends a head sends it in one piece.
    bytes[n] = 0;
    if (memcmp(bytes, "HTTP/1.1 200", 12) != 0) stop(bytes);
    body = strstr(bytes, "\r\n\r\n");
    if (body == NULL) stop("a head in pieces");
    body += 4;
    c->has_head = 1;
  }
  size_t count = (size_t)(bytes + n - body);
  if (count > 0 && look(c, body, count)) {
    ended++;
    ask(c);
  }
  return 1;
}

static uint64_t percentile(double share) {
  uint64_t rank = (uint64_t)((double)firsts * share), seen = 0;
  for (uint64_t us = 0; us <= slowest_us; us++)
    if ((seen += histogram[us]) > rank) return us;
  return slowest_us;
}

int main(int count, char **arguments) {
  if (count != 5) return fprintf(stderr, "usage: streams PORT COUNT SECONDS REQUEST-FILE\n"), 2;
  unsigned short port = (unsigned short)atoi(arguments[1]);
  int streams = atoi(arguments[2]);
  double seconds = atof(arguments[3]);
  if (streams < 1 || streams > connections_limit || seconds <= 0) return 2;
  FILE *file = fopen(arguments[4], "rb");
  if (file == NULL) stop(arguments[4]);
  request_length = fread(request, 1, request_limit, file);
  fclose(file);

  int poller = epoll_create1(0);
  for (int i = 0; i < streams; i++) open_connection(poller, i, port);
  int64_t began = now_ns(), end = began + (int64_t)(seconds * 1e9);
  int asked = 0;
  for (int64_t now = began; now < end; now = now_ns()) {
    // They begin one after the other over half a second, so that their chunks do not all come at once.
    int due = (int)((now - began) * streams / 500000000) + 1;
    while (asked < streams && asked < due) ask(&connections[asked++]);
    struct epoll_event ready[256];
    int found = epoll_wait(poller, ready, 256, 1);
    for (int i = 0; i < found; i++) receive(&connections[ready[i].data.u32]);
  }
  printf("{\"streams\": %lu, \"begun\": %lu, \"events\": %lu, \"rate\": %.1f, \"first_p50_us\": %lu, \"first_p99_us\": %lu}\n",
         ended, firsts, events_seen, (double)events_seen / seconds, percentile(0.50), percentile(0.99));
  return 0;
}
