// Connections one after another over TLS: full handshakes, or resumed ones, each with one GET.
//
//   handshake PORT full|resumed SECONDS
//
// The GET makes sure that the proxy really took the connection, and brings the ticket that a resumed one needs.
// Prints one line of JSON. Ends with 1 when a connection failed or was not resumed as it should.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static SSL_SESSION *ticket;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void stop(const char *what) {
  fprintf(stderr, "handshake: %s failed\n", what);
  exit(1);
}

static int keep_ticket(SSL *ssl, SSL_SESSION *session) {
  (void)ssl;
  if (ticket) SSL_SESSION_free(ticket);
  ticket = session;
  return 1;
}

static int connected(uint16_t port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) stop("connect");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

// One connection; returns whether it was resumed.
static int carry(SSL_CTX *context, uint16_t port, int resume, const char *request) {
  char answer[4096];
  size_t length = 0;
  int fd = connected(port);
  SSL *ssl = SSL_new(context);
  SSL_set_fd(ssl, fd);
  SSL_set_tlsext_host_name(ssl, "localhost");
  if (resume && ticket) SSL_set_session(ssl, ticket);
  if (SSL_connect(ssl) != 1) stop("handshake");
  int resumed = SSL_session_reused(ssl);
  if (SSL_write(ssl, request, (int)strlen(request)) <= 0) stop("write");
  // The answer says Connection: close, so it ends with the connection.
  for (int n; (n = SSL_read(ssl, answer + length, (int)(sizeof answer - 1 - length))) > 0;) length += (size_t)n;
  answer[length] = 0;
  if (strncmp(answer, "HTTP/1.1 200", 12) != 0) stop("request");
  SSL_shutdown(ssl);
  SSL_free(ssl);
  close(fd);
  return resumed;
}

int main(int count, char **arguments) {
  if (count != 4) stop("usage: handshake PORT full|resumed SECONDS");
  prctl(PR_SET_PDEATHSIG, 15);
  uint16_t port = (uint16_t)atoi(arguments[1]);
  int resume = strcmp(arguments[2], "resumed") == 0;
  double seconds = atof(arguments[3]);
  char request[128];
  snprintf(request, sizeof request, "GET /items/7 HTTP/1.1\r\nHost: localhost:%u\r\nConnection: close\r\n\r\n", port);
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, keep_ticket);
  if (resume) carry(context, port, 0, request);
  uint64_t done = 0, resumed = 0;
  double began = now();
  while (now() - began < seconds) {
    resumed += (uint64_t)carry(context, port, resume, request);
    done++;
  }
  double taken = now() - began;
  printf("{\"requests\":%lu,\"resumed\":%lu,\"rate\":%.1f}\n", done, resumed, done / taken);
  return resume ? resumed + 2 < done : resumed != 0;
}
