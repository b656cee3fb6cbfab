// Thin shims for what Swift's Glibc module does not import: epoll, eventfd, signalfd, accept4 and friends.
// Every function returns the call's result, or the negated errno. _GNU_SOURCE is defined in clinux.c only:
// defined here it breaks debug builds.
#ifndef CLINUX_H
#define CLINUX_H

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

enum { CL_EPOLLIN = 0x1, CL_EPOLLOUT = 0x4, CL_EPOLLERR = 0x8, CL_EPOLLHUP = 0x10, CL_EPOLLRDHUP = 0x2000 };

/// One event as epoll reports it; `cookie` is what cl_epoll_add was given.
struct cl_event {
  uint32_t events;
  uint64_t cookie;
} __attribute__((packed));

int cl_epoll_create(void);
/// Edge-triggered, for reading, writing and the peer's half close.
int cl_epoll_add(int epoll, int fd, uint64_t cookie);
/// Level-triggered, for reading only: listeners, eventfds and signalfds.
int cl_epoll_add_level(int epoll, int fd, uint64_t cookie);
int cl_epoll_add_events(int epoll, int fd, uint32_t events, uint64_t cookie);
int cl_epoll_modify_events(int epoll, int fd, uint32_t events, uint64_t cookie);
int cl_epoll_remove(int epoll, int fd);
int cl_epoll_wait(int epoll, struct cl_event *events, int capacity, int timeout_ms);

int cl_eventfd(void);
int cl_signalfd(const int *signals, size_t count);
/// Reads one signal number from a signalfd; 0 when none is pending.
int cl_signalfd_read(int fd);
int cl_block_signals(const int *signals, size_t count);

int cl_socket(int domain, int type, int protocol);
int cl_accept(int listener, struct sockaddr_storage *peer, socklen_t *length);
int cl_set_option(int fd, int level, int option, int value);
int cl_socket_error(int fd);
long cl_recv(int fd, void *bytes, size_t count);
long cl_send(int fd, const void *bytes, size_t count, int more);

/// Reading end, writing end; both closed by exec.
int cl_pipe(int ends[2]);
/// Another number of the same open file, closed by exec.
int cl_duplicate(int fd);
int cl_close_on_exec(int fd);
/// Whether it is a socket that listens.
int cl_is_listening(int fd);
/// Fails with EEXIST when there is a file of the new name.
int cl_rename_exclusive(const char *from, const char *to);
/// Waits for, or gives up, this process's lock on a file, which excludes other processes.
int cl_lock_record(int fd, int locked);
/// Sends one datagram to a Unix socket; '@' in front stands for the abstract name space.
int cl_send_datagram(const char *path, const void *bytes, size_t count);

int cl_set_thread_name(const char *name);
enum { CL_SCHED_BATCH = 3, CL_SCHED_IDLE = 5 };
/// Of the calling thread.
int cl_set_thread_policy(int policy);
int cl_pin_thread(int cpu);
int cl_cpu_count(void);
uint64_t cl_random(void);

// Byte scans (bytes.c): each returns the first index in [start, count) that ends the run, or count.
size_t cl_scan_byte(const uint8_t *bytes, size_t start, size_t count, uint8_t byte);
size_t cl_scan_field_value(const uint8_t *bytes, size_t start, size_t count);
size_t cl_scan_token(const uint8_t *bytes, size_t start, size_t count);
size_t cl_scan_target(const uint8_t *bytes, size_t start, size_t count);
size_t cl_scan_name(const uint8_t *bytes, size_t start, size_t count);
size_t cl_scan_host(const uint8_t *bytes, size_t start, size_t count);
size_t cl_scan_path(const uint8_t *bytes, size_t start, size_t count);
/// The index of a '/' that another follows, or count.
size_t cl_scan_slashes(const uint8_t *bytes, size_t start, size_t count);
size_t cl_scan_query(const uint8_t *bytes, size_t start, size_t count);
size_t cl_scan_json(const uint8_t *bytes, size_t start, size_t count);
int cl_equal(const uint8_t *a, const uint8_t *b, size_t count);
int cl_equal_ignoring_case(const uint8_t *a, const uint8_t *b, size_t count);
uint64_t cl_hash(const uint8_t *bytes, size_t count, uint64_t seed);

// Common lines of an HTTP/1.1 head (head.c).

/// One field line: where its name and value lie, as offsets into the bytes of the head.
struct cl_field {
  uint32_t name_start;
  uint16_t name_length;
  /// The name's number, 0 when it is in no table.
  uint8_t number;
  uint8_t flags;
  uint32_t value_start;
  uint32_t value_length;
};

enum { CL_NAME_MAX = 48 };
/// A name of letters, digits and '-', and its number: a slot of a hash table with open addressing.
struct cl_name {
  uint64_t first, last;
  uint8_t length, number;
  uint8_t text[CL_NAME_MAX];
};
/// At most 64 names, so that a quarter of the slots is used.
struct cl_names {
  struct cl_name slots[256];
};
/// - number: 1 to 63.
void cl_names_add(struct cl_names *names, const uint8_t *text, size_t length, uint8_t number);
/// The number of a name in any case; it must be one of letters, digits and '-'. 0 when there is none.
uint8_t cl_names_find(const struct cl_names *names, const uint8_t *name, size_t length);

struct cl_fields {
  struct cl_field *fields;
  size_t count, capacity;
  /// Numbers that occur, and that occur more than once, a bit each.
  uint64_t present, repeated;
  /// Numbers whose fields get `flag`, and how many did.
  uint64_t flagged;
  size_t flagged_count;
  uint8_t flag;
};
/// Appends whole field lines with plain names from `start` on, as many as are right and fit; returns where it stopped.
size_t cl_field_lines(const uint8_t *bytes, size_t start, size_t count, const struct cl_names *names,
                      struct cl_fields *out);

struct cl_request_line {
  /// The method's bytes as a little-endian number, when it has seven at most.
  uint64_t method;
  uint32_t method_end, path_end, target_end, end;
  uint8_t minor_version, has_query;
};
/// Recognises a whole request line in origin form whose path is in normal form.
int cl_request_line(const uint8_t *bytes, size_t start, size_t count, struct cl_request_line *line);

struct cl_status_line {
  uint32_t end;
  uint16_t status;
  uint8_t minor_version;
};
/// Recognises a whole status line; the reason stands from offset 13 to the CRLF.
int cl_status_line(const uint8_t *bytes, size_t count, struct cl_status_line *line);

#endif
