// A provider of models that nobody tunes: it answers at once with the same words, or streams 200 chunks of them.
//
//   models PORT
//
//   POST …/chat/completions    OpenAI's shape
//   POST …/messages            Anthropic's
//   anything else              a few octets
//
// What the request says decides: "stream" for a stream, a chunk every 5 ms, or every 250 ms where it says "slow"
// anywhere; "long" for 2 KiB of text instead of a sentence. It trusts its clients and looks for words, not for JSON.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
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

enum { connections_limit = 20000, request_limit = 32768, reply_limit = 8192, chunks = 200, words_count = 8 };
static const int64_t pause_ns = 5000000, slow_pause_ns = 250000000;

struct text {
  char bytes[reply_limit];
  size_t length;
};

struct dialect {
  // Some clients take the same chunk over and over for a model that has gone astray: words take turns.
  struct text whole, whole_long, first, chunk[words_count], last, last_with_usage;
};

struct connection {
  size_t length;
  const struct dialect *stream;
  int left, shows_usage;
  int64_t due, pause;
  char bytes[request_limit + 1];
};

static struct connection *connections[connections_limit];
static struct dialect openai, anthropic;
static struct text other;
static const char *const words[words_count] = {" the", " quick", " brown", " fox", " jumps", " over", " lazy", " dogs"};
static int poller, streaming, highest;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static int64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void drop(int fd) {
  if (connections[fd]->stream != NULL) streaming--;
  free(connections[fd]);
  connections[fd] = NULL;
  close(fd);
}

// What does not fit the socket's buffer is a client that does not read: none of a benchmark's.
static int put(int fd, const struct text *text) {
  if (send(fd, text->bytes, text->length, MSG_NOSIGNAL) == (ssize_t)text->length) return 1;
  drop(fd);
  return 0;
}

static void begin_stream(int fd, const struct dialect *dialect) {
  struct connection *c = connections[fd];
  c->pause = strstr(c->bytes, "slow") ? slow_pause_ns : pause_ns;
  c->shows_usage = strstr(c->bytes, "\"include_usage\":true") || strstr(c->bytes, "\"include_usage\": true");
  if (!put(fd, &dialect->first)) return;
  c->stream = dialect;
  c->left = chunks - 1;
  c->due = now_ns() + c->pause;
  streaming++;
}

static void answer(int fd, const char *body) {
  struct connection *c = connections[fd];
  char *line_end = strstr(c->bytes, "\r\n");
  *line_end = 0;
  const struct dialect *dialect = strstr(c->bytes, "/chat/completions") ? &openai : strstr(c->bytes, "/messages") ? &anthropic : NULL;
  *line_end = '\r';
  if (dialect == NULL) put(fd, &other);
  else if (strstr(body, "\"stream\":true") || strstr(body, "\"stream\": true")) begin_stream(fd, dialect);
  else put(fd, strstr(body, "long") ? &dialect->whole_long : &dialect->whole);
}

static void receive(int fd) {
  struct connection *c = connections[fd];
  ssize_t n = recv(fd, c->bytes + c->length, request_limit - c->length, 0);
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) return drop(fd);
  c->length += (size_t)n;
  c->bytes[c->length] = 0;
  char *end = strstr(c->bytes, "\r\n\r\n");
  if (end == NULL) return;
  char *field = strcasestr(c->bytes, "\ncontent-length:");
  if (strcasestr(c->bytes, "\ntransfer-encoding:") != NULL) {
    fprintf(stderr, "models: a chunked request\n");
    exit(1);
  }
  size_t body = field != NULL && field < end ? strtoul(field + 16, NULL, 10) : 0;
  if (c->length < (size_t)(end + 4 - c->bytes) + body) return;
  c->length = 0;
  answer(fd, end + 4);
}

static void tick(void) {
  int64_t now = now_ns();
  for (int fd = 0; fd <= highest; fd++) {
    struct connection *c = connections[fd];
    if (c == NULL || c->stream == NULL || c->due > now) continue;
    c->due += c->pause;
    if (c->left > 0) {
      c->left--;
      put(fd, &c->stream->chunk[c->left % words_count]);
    } else {
      const struct dialect *dialect = c->stream;
      c->stream = NULL;
      streaming--;
      put(fd, c->shows_usage ? &dialect->last_with_usage : &dialect->last);
    }
  }
}

static void accept_all(int listener) {
  int fd, one = 1;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
    if (fd >= connections_limit) fail("too many connections");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    connections[fd] = calloc(1, sizeof *connections[fd]);
    if (fd > highest) highest = fd;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
  }
}

// MARK: What it says

static void say_whole(struct text *text, const char *body) {
  text->length = (size_t)snprintf(
      text->bytes, reply_limit, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
      strlen(body), body);
}

static void append(struct text *text, const char *bytes) {
  text->length += (size_t)snprintf(text->bytes + text->length, reply_limit - text->length, "%s", bytes);
}

// One chunk of HTTP for some events.
static void append_chunk(struct text *text, const char *events) {
  char size[24];
  snprintf(size, sizeof size, "%zx\r\n", strlen(events));
  append(text, size);
  append(text, events);
  append(text, "\r\n");
}

static const char *stream_head =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n";

#define CHAT_CHUNK                                                                                                       \
  "data: {\"id\":\"chatcmpl-BmF4r9Nd1aQz7oJtYc2KxWvEo5uHi\",\"object\":\"chat.completion.chunk\",\"created\":1750000000," \
  "\"model\":\"mock\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_34a54ae93c\",\"choices\":"

static void make_openai(const char *sentence, const char *many) {
  static const char *format =
      "{\"id\":\"chatcmpl-BmF4r9Nd1aQz7oJtYc2KxWvEo5uHi\",\"object\":\"chat.completion\",\"created\":1750000000,"
      "\"model\":\"mock\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"%s\",\"refusal\":null,"
      "\"annotations\":[]},\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":19,"
      "\"completion_tokens\":10,\"total_tokens\":29,\"prompt_tokens_details\":{\"cached_tokens\":0,\"audio_tokens\":0},"
      "\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0,\"accepted_prediction_tokens\":0,"
      "\"rejected_prediction_tokens\":0}},\"service_tier\":\"default\",\"system_fingerprint\":\"fp_34a54ae93c\"}";
  char body[reply_limit];
  snprintf(body, sizeof body, format, sentence);
  say_whole(&openai.whole, body);
  snprintf(body, sizeof body, format, many);
  say_whole(&openai.whole_long, body);
  append(&openai.first, stream_head);
  append_chunk(&openai.first, CHAT_CHUNK
               "[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null},\"logprobs\":null,"
               "\"finish_reason\":null}]}\n\n");
  for (int i = 0; i < words_count; i++) {
    char event[1024];
    snprintf(event, sizeof event, CHAT_CHUNK "[{\"index\":0,\"delta\":{\"content\":\"%s\"},\"logprobs\":null,"
             "\"finish_reason\":null}]}\n\n", words[i]);
    append_chunk(&openai.chunk[i], event);
  }
  append(&openai.first, openai.chunk[0].bytes);
  append_chunk(&openai.last, CHAT_CHUNK
               "[{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}]}\n\n");
  append(&openai.last_with_usage, openai.last.bytes);
  append_chunk(&openai.last_with_usage, CHAT_CHUNK
               "[],\"usage\":{\"prompt_tokens\":19,\"completion_tokens\":200,\"total_tokens\":219}}\n\n");
  append_chunk(&openai.last, "data: [DONE]\n\n");
  append_chunk(&openai.last_with_usage, "data: [DONE]\n\n");
  append(&openai.last, "0\r\n\r\n");
  append(&openai.last_with_usage, "0\r\n\r\n");
}

static void make_anthropic(const char *sentence, const char *many) {
  static const char *format =
      "{\"id\":\"msg_01XFDUDYJgAACzvnptvVoYEL\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"mock\",\"content\":"
      "[{\"type\":\"text\",\"text\":\"%s\"}],\"stop_reason\":\"end_turn\",\"stop_sequence\":null,\"usage\":"
      "{\"input_tokens\":19,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":0,\"output_tokens\":10,"
      "\"service_tier\":\"standard\"}}";
  char body[reply_limit];
  snprintf(body, sizeof body, format, sentence);
  say_whole(&anthropic.whole, body);
  snprintf(body, sizeof body, format, many);
  say_whole(&anthropic.whole_long, body);
  append(&anthropic.first, stream_head);
  append_chunk(&anthropic.first,
               "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_01XFDUDYJgAACzvnptvVoYEL\","
               "\"type\":\"message\",\"role\":\"assistant\",\"model\":\"mock\",\"content\":[],\"stop_reason\":null,"
               "\"stop_sequence\":null,\"usage\":{\"input_tokens\":19,\"output_tokens\":1}}}\n\n"
               "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":"
               "{\"type\":\"text\",\"text\":\"\"}}\n\n");
  for (int i = 0; i < words_count; i++) {
    char event[1024];
    snprintf(event, sizeof event,
             "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":"
             "{\"type\":\"text_delta\",\"text\":\"%s\"}}\n\n", words[i]);
    append_chunk(&anthropic.chunk[i], event);
  }
  append(&anthropic.first, anthropic.chunk[0].bytes);
  append_chunk(&anthropic.last,
               "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"
               "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\","
               "\"stop_sequence\":null},\"usage\":{\"output_tokens\":200}}\n\n"
               "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
  append(&anthropic.last, "0\r\n\r\n");
  anthropic.last_with_usage = anthropic.last;
}

int main(int count, char **arguments) {
  if (count != 2) return fprintf(stderr, "usage: models PORT\n"), 2;
  char many[2049] = "";
  for (size_t i = 0; i + 5 <= 2048; i += 5) memcpy(many + i, "word ", 6);
  make_openai("Hello! How can I assist you today?", many);
  make_anthropic("Hello! How can I assist you today?", many);
  say_whole(&other, "{}");

  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(arguments[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0) fail("bind");
  if (listen(listener, 8192) != 0) fail("listen");
  poller = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event) != 0) fail("epoll_ctl");

  for (int64_t ticked = 0;;) {
    struct epoll_event events[256];
    int ready = epoll_wait(poller, events, 256, streaming ? 1 : -1);
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      if (fd == listener) accept_all(listener);
      else if (connections[fd] != NULL) receive(fd);
    }
    if (streaming && now_ns() - ticked >= 1000000) {
      ticked = now_ns();
      tick();
    }
  }
}
