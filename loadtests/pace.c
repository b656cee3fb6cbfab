// Open-loop load: requests at a fixed mean rate with random (Poisson) gaps, whatever the answers do.
//
//   pace PORT CONNECTIONS RATE SECONDS [REQUEST-FILE]
//
// It asks with GET, or sends the octets of the file.
// A request's time runs from the moment it was due, so one that had to wait for a free connection counts the wait
// (no coordinated omission). The first second warms up and is not counted. Prints one line of JSON, times in µs.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { connections_limit = 1024, response_limit = 8192, request_limit = 16384, slowest_us = 2000000 };

struct connection {
  int fd, counted;
  int64_t due;
  size_t length;
  char bytes[response_limit];
};

static struct connection connections[connections_limit];
static int idle[connections_limit], idle_first, idle_count, connection_count;
static uint32_t histogram[slowest_us + 1];
// Those of the first second too.
static uint64_t answered;
static uint64_t counted, failed;
static char request[request_limit];
static size_t request_length;

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

// xorshift64 from a fixed seed: every proxy gets the same arrivals.
static double next_uniform(void) {
  static uint64_t state = 88172645463325252ULL;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return ((double)(state >> 11) + 1.0) / 9007199254740993.0;
}

static void stop(const char *what) {
  perror(what);
  exit(1);
}

static void open_connection(int poller, int index, unsigned short port) {
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) stop("connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)index};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0) stop("epoll_ctl");
  connections[index].fd = fd;
  idle[index] = index;
}

static void start(int64_t due, int is_counted) {
  struct connection *c = &connections[idle[idle_first]];
  idle_first = (idle_first + 1) % connection_count;
  idle_count--;
  c->due = due;
  c->counted = is_counted;
  c->length = 0;
  if (send(c->fd, request, request_length, MSG_NOSIGNAL) != (ssize_t)request_length) stop("send");
}

// 1 when the whole response is there.
static int is_complete(struct connection *c) {
  c->bytes[c->length] = 0;
  char *end = strstr(c->bytes, "\r\n\r\n");
  if (end == NULL) return 0;
  char *field = strcasestr(c->bytes, "\ncontent-length:");
  size_t body = field != NULL && field < end ? strtoul(field + 16, NULL, 10) : 0;
  return c->length >= (size_t)(end - c->bytes) + 4 + body;
}

static void receive(int index) {
  struct connection *c = &connections[index];
  ssize_t n = recv(c->fd, c->bytes + c->length, response_limit - 1 - c->length, 0);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) {
    fprintf(stderr, "pace: the proxy closed a connection\n");
    exit(1);
  }
  c->length += (size_t)n;
  if (!is_complete(c)) return;
  answered++;
  if (c->counted) {
    int64_t us = (now_ns() - c->due) / 1000;
    histogram[us < slowest_us ? us : slowest_us]++;
    counted++;
    if (memcmp(c->bytes + 9, "200", 3) != 0) failed++;
  }
  idle[(idle_first + idle_count) % connection_count] = index;
  idle_count++;
}

static uint64_t percentile(double share) {
  uint64_t rank = (uint64_t)((double)counted * share), seen = 0;
  for (uint64_t us = 0; us <= slowest_us; us++)
    if ((seen += histogram[us]) > rank) return us;
  return slowest_us;
}

int main(int count, char **arguments) {
  if (count != 5 && count != 6) return fprintf(stderr, "usage: pace PORT CONNECTIONS RATE SECONDS [REQUEST-FILE]\n"), 2;
  unsigned short port = (unsigned short)atoi(arguments[1]);
  connection_count = atoi(arguments[2]);
  double rate = atof(arguments[3]), seconds = atof(arguments[4]);
  if (connection_count < 1 || connection_count > connections_limit || rate < 1) return 2;

  prctl(PR_SET_TIMERSLACK, 1);
  request_length = (size_t)sprintf(request, "GET /items/7 HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: */*\r\n\r\n", port);
  if (count == 6) {
    FILE *file = fopen(arguments[5], "rb");
    if (file == NULL) stop(arguments[5]);
    request_length = fread(request, 1, request_limit, file);
    fclose(file);
  }
  int poller = epoll_create1(0);
  for (int i = 0; i < connection_count; i++) open_connection(poller, i, port);
  idle_count = connection_count;

  int64_t began = now_ns(), warm = began + 1000000000LL, end = warm + (int64_t)(seconds * 1e9);
  double due = (double)began;
  for (;;) {
    int64_t now = now_ns();
    while (due <= (double)now && due < (double)end && idle_count > 0) {
      start((int64_t)due, due >= (double)warm);
      due += -log(next_uniform()) * 1e9 / rate;
    }
    if (due >= (double)end && idle_count == connection_count) break;
    if (now > end + 5000000000LL) break;
    int64_t wait = idle_count == 0 || due >= (double)end ? 100000000 : (int64_t)due - now_ns();
    struct timespec timeout = {.tv_nsec = wait < 0 ? 0 : wait > 100000000 ? 100000000 : wait};
    struct epoll_event events[128];
    int ready = epoll_pwait2(poller, events, 128, &timeout, NULL);
    for (int i = 0; i < ready; i++) receive((int)events[i].data.u32);
  }
  printf("{\"answered\": %lu, \"requests\": %lu, \"failed\": %lu, \"rate\": %.1f, \"p50_us\": %lu, \"p90_us\": %lu, \"p99_us\": %lu, "
         "\"p999_us\": %lu}\n",
         answered, counted, failed, (double)counted / seconds, percentile(0.50), percentile(0.90), percentile(0.99), percentile(0.999));
  return failed != 0;
}
