// The backend behind every proxy in the benchmark: one thread, one epoll loop, as little work a request as will do.
//
//   backend PORT
//
//   GET  anything     256 bytes
//   GET  /1m          1 MiB with Content-Length
//   GET  /100m        100 MiB, chunked
//   POST anything     swallows the body, then answers "ok"
//   POST /slow        the same, reading no more than 128 KiB every 5 ms
//
// It trusts its clients (the proxies under test) and checks only what keeps it from running wild.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum { connections_limit = 20000, head_limit = 4096, slice = 65536, slow_slice = 131072, slow_pause_ms = 5 };

// head, then `pattern` `repeats` times, then `tail`.
struct reply {
  const char *head, *pattern, *tail;
  size_t head_length, pattern_length, tail_length;
  size_t repeats;
};

enum chunk_state { chunk_size, chunk_data, chunk_data_end, chunk_trailer };

struct connection {
  int open, waits_to_write, slow, paused;
  size_t head_length;
  char head[head_limit];
  // What is left of the request's body; a chunked one walks through `state`.
  int reading_body, chunked;
  enum chunk_state state;
  unsigned long long body_left;
  size_t line_length;
  const struct reply *reply;
  size_t sent;
};

static struct connection *connections[connections_limit];
static struct reply small, megabyte, hundred, accepted;
static char scratch[262144];
static int poller, paused_count;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static void watch(int fd, int operation, unsigned events) {
  struct epoll_event event = {.events = events, .data.fd = fd};
  if (epoll_ctl(poller, operation, fd, &event) != 0) fail("epoll_ctl");
}

static void drop(int fd) {
  struct connection *c = connections[fd];
  if (c->paused) paused_count--;
  c->open = 0;
  close(fd);
}

static size_t fill_iovec(const struct reply *r, size_t sent, struct iovec *out, size_t limit) {
  size_t n = 0, body = r->pattern_length * r->repeats;
  if (sent < r->head_length) {
    out[n++] = (struct iovec){(char *)r->head + sent, r->head_length - sent};
    sent = r->head_length;
  }
  size_t at = sent - r->head_length;
  while (n < limit && at < body) {
    size_t offset = at % r->pattern_length;
    out[n++] = (struct iovec){(char *)r->pattern + offset, r->pattern_length - offset};
    at += r->pattern_length - offset;
  }
  if (n < limit && at >= body && at - body < r->tail_length)
    out[n++] = (struct iovec){(char *)r->tail + (at - body), r->tail_length - (at - body)};
  return n;
}

// Sends what the socket takes; 0 when the connection is gone.
static int pump_reply(int fd, struct connection *c) {
  const struct reply *r = c->reply;
  size_t total = r->head_length + r->pattern_length * r->repeats + r->tail_length;
  while (c->sent < total) {
    struct iovec parts[8];
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = fill_iovec(r, c->sent, parts, 8)};
    ssize_t n = sendmsg(fd, &message, MSG_NOSIGNAL);
    if (n < 0) {
      if (errno != EAGAIN) return 0;
      if (!c->waits_to_write) watch(fd, EPOLL_CTL_MOD, EPOLLOUT), c->waits_to_write = 1;
      return 1;
    }
    c->sent += (size_t)n;
  }
  if (c->waits_to_write) watch(fd, EPOLL_CTL_MOD, EPOLLIN), c->waits_to_write = 0;
  c->reply = NULL;
  c->head_length = 0;
  return 1;
}

static int answer(int fd, struct connection *c, const struct reply *r) {
  c->reply = r;
  c->sent = 0;
  c->reading_body = 0;
  return pump_reply(fd, c);
}

// Walks a chunked body; 1 when its end was seen.
static int walk_chunks(struct connection *c, const char *bytes, size_t count) {
  size_t i = 0;
  while (i < count) {
    char b = bytes[i];
    switch (c->state) {
    case chunk_size:
      i++;
      if (b == '\n') {
        c->state = c->body_left ? chunk_data : chunk_trailer;
        c->line_length = 0;
      } else if (b != '\r') {
        c->body_left = c->body_left * 16 + (unsigned)(b <= '9' ? b - '0' : (b | 32) - 'a' + 10);
      }
      break;
    case chunk_data: {
      size_t take = count - i < c->body_left ? count - i : (size_t)c->body_left;
      i += take;
      c->body_left -= take;
      if (c->body_left == 0) c->state = chunk_data_end;
      break;
    }
    case chunk_data_end:
      i++;
      if (b == '\n') c->state = chunk_size;
      break;
    case chunk_trailer:
      i++;
      if (b == '\n') {
        if (c->line_length == 0) return 1;
        c->line_length = 0;
      } else if (b != '\r') {
        c->line_length++;
      }
      break;
    }
  }
  return 0;
}

// Swallows body bytes that are already in `bytes`; answers when the body is complete. 0: the connection is gone.
static int take_body(int fd, struct connection *c, const char *bytes, size_t count) {
  if (c->chunked) return walk_chunks(c, bytes, count) ? answer(fd, c, &accepted) : 1;
  c->body_left -= count < c->body_left ? count : c->body_left;
  return c->body_left == 0 ? answer(fd, c, &accepted) : 1;
}

static int handle_head(int fd, struct connection *c, size_t head_end) {
  c->head[head_end - 1] = 0;
  if (c->head[0] == 'G') {
    const char *path = c->head + 4;
    if (memcmp(path, "/1m ", 4) == 0) return answer(fd, c, &megabyte);
    if (memcmp(path, "/100m ", 6) == 0) return answer(fd, c, &hundred);
    return answer(fd, c, &small);
  }
  const char *length = strcasestr(c->head, "\ncontent-length:");
  c->chunked = length == NULL && strcasestr(c->head, "\ntransfer-encoding:") != NULL;
  c->body_left = length ? strtoull(length + 16, NULL, 10) : 0;
  c->state = chunk_size;
  c->slow = strncmp(c->head, "POST /slow", 10) == 0;
  c->reading_body = 1;
  return take_body(fd, c, c->head + head_end, c->head_length - head_end);
}

static int read_body(int fd, struct connection *c) {
  size_t limit = c->slow ? slow_slice : sizeof scratch;
  // With a known length the bytes need not even be copied out of the kernel.
  if (!c->chunked && c->body_left < limit) limit = c->body_left;
  ssize_t n = recv(fd, scratch, limit, c->chunked ? 0 : MSG_TRUNC);
  if (n < 0) return errno == EAGAIN;
  if (n == 0) return 0;
  if (c->slow && !c->paused) {
    watch(fd, EPOLL_CTL_MOD, 0);
    c->paused = 1;
    paused_count++;
  }
  return take_body(fd, c, scratch, (size_t)n);
}

static int read_head(int fd, struct connection *c) {
  ssize_t n = recv(fd, c->head + c->head_length, head_limit - 1 - c->head_length, 0);
  if (n < 0) return errno == EAGAIN;
  if (n == 0) return 0;
  c->head_length += (size_t)n;
  char *end = memmem(c->head, c->head_length, "\r\n\r\n", 4);
  if (end == NULL) return c->head_length < head_limit - 1;
  return handle_head(fd, c, (size_t)(end - c->head) + 4);
}

static void accept_all(int listener) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0) return;
    if (fd >= connections_limit) {
      close(fd);
      continue;
    }
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connections[fd] == NULL) connections[fd] = malloc(sizeof(struct connection));
    struct connection *c = connections[fd];
    *c = (struct connection){.open = 1};
    watch(fd, EPOLL_CTL_ADD, EPOLLIN);
  }
}

static void resume_paused(void) {
  for (int fd = 0; fd < connections_limit && paused_count > 0; fd++) {
    struct connection *c = connections[fd];
    if (c == NULL || !c->open || !c->paused) continue;
    c->paused = 0;
    paused_count--;
    if (!c->waits_to_write) watch(fd, EPOLL_CTL_MOD, EPOLLIN);
  }
}

static void prepare_replies(void) {
  static char small_text[512], pattern[slice], chunk[slice + 16];
  memset(pattern, 'm', sizeof pattern);
  int n = sprintf(small_text, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 256\r\n\r\n");
  memset(small_text + n, 's', 256);
  small = (struct reply){.head = small_text, .head_length = (size_t)n + 256};

  static const char ok[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";
  accepted = (struct reply){.head = ok, .head_length = sizeof ok - 1};

  static const char mega[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1048576\r\n\r\n";
  megabyte = (struct reply){mega, pattern, "", sizeof mega - 1, slice, 0, 16};

  static const char stream[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n";
  n = sprintf(chunk, "%x\r\n", slice);
  memcpy(chunk + n, pattern, slice);
  memcpy(chunk + n + slice, "\r\n", 2);
  hundred = (struct reply){stream, chunk, "0\r\n\r\n", sizeof stream - 1, (size_t)n + slice + 2, 5, 1600};
}

int main(int count, char **arguments) {
  if (count != 2) return fprintf(stderr, "usage: backend PORT\n"), 2;
  prepare_replies();
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(arguments[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0) fail("bind");
  if (listen(listener, 4096) != 0) fail("listen");
  poller = epoll_create1(0);
  watch(listener, EPOLL_CTL_ADD, EPOLLIN);

  for (;;) {
    struct epoll_event events[256];
    int ready = epoll_wait(poller, events, 256, paused_count ? slow_pause_ms : -1);
    if (paused_count && ready <= 0) resume_paused();
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        accept_all(listener);
        continue;
      }
      struct connection *c = connections[fd];
      int alive = c->reply != NULL ? pump_reply(fd, c) : c->reading_body ? read_body(fd, c) : read_head(fd, c);
      if (!alive) drop(fd);
    }
  }
}
