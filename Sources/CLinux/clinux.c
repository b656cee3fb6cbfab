#define _GNU_SOURCE 1
#include "clinux.h"

#include <errno.h>
#include <pthread.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(sizeof(struct cl_event) == sizeof(struct epoll_event), "cl_event is epoll_event by another name");

static inline long checked(long result) { return result < 0 ? -errno : result; }

int cl_epoll_create(void) { return checked(epoll_create1(EPOLL_CLOEXEC)); }

static int control(int epoll, int operation, int fd, uint32_t events, uint64_t cookie) {
  struct epoll_event event = {.events = events, .data = {.u64 = cookie}};
  return checked(epoll_ctl(epoll, operation, fd, &event));
}

int cl_epoll_add(int epoll, int fd, uint64_t cookie) {
  return control(epoll, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, cookie);
}
int cl_epoll_add_level(int epoll, int fd, uint64_t cookie) {
  return control(epoll, EPOLL_CTL_ADD, fd, EPOLLIN, cookie);
}
int cl_epoll_add_events(int epoll, int fd, uint32_t events, uint64_t cookie) {
  return control(epoll, EPOLL_CTL_ADD, fd, events, cookie);
}
int cl_epoll_modify_events(int epoll, int fd, uint32_t events, uint64_t cookie) {
  return control(epoll, EPOLL_CTL_MOD, fd, events, cookie);
}
int cl_epoll_remove(int epoll, int fd) { return control(epoll, EPOLL_CTL_DEL, fd, 0, 0); }

int cl_epoll_wait(int epoll, struct cl_event *events, int capacity, int timeout_ms) {
  return checked(epoll_wait(epoll, (struct epoll_event *)events, capacity, timeout_ms));
}

int cl_eventfd(void) { return checked(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }

static void fill(sigset_t *set, const int *signals, size_t count) {
  sigemptyset(set);
  for (size_t i = 0; i < count; i++) sigaddset(set, signals[i]);
}

int cl_signalfd(const int *signals, size_t count) {
  sigset_t set;
  fill(&set, signals, count);
  return checked(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int cl_signalfd_read(int fd) {
  struct signalfd_siginfo info;
  return read(fd, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

int cl_block_signals(const int *signals, size_t count) {
  sigset_t set;
  fill(&set, signals, count);
  return -pthread_sigmask(SIG_BLOCK, &set, NULL);
}

int cl_socket(int domain, int type, int protocol) {
  return checked(socket(domain, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
}

int cl_accept(int listener, struct sockaddr_storage *peer, socklen_t *length) {
  *length = sizeof *peer;
  return checked(accept4(listener, (struct sockaddr *)peer, length, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

int cl_set_option(int fd, int level, int option, int value) {
  return checked(setsockopt(fd, level, option, &value, sizeof value));
}

int cl_socket_error(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0) return errno;
  return error;
}

// Straight to the kernel: libc's recv and send are cancellation points, which costs them two atomic operations each.
long cl_recv(int fd, void *bytes, size_t count) { return checked(syscall(SYS_recvfrom, fd, bytes, count, 0, NULL, NULL)); }

long cl_send(int fd, const void *bytes, size_t count, int more) {
  return checked(syscall(SYS_sendto, fd, bytes, count, MSG_NOSIGNAL | (more ? MSG_MORE : 0), NULL, 0));
}

int cl_set_thread_name(const char *name) { return -pthread_setname_np(pthread_self(), name); }

int cl_set_thread_policy(int policy) {
  struct sched_param parameters = {0};
  return checked(sched_setscheduler(0, policy, &parameters));
}

int cl_pin_thread(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  return -pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

int cl_cpu_count(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

int cl_pipe(int ends[2]) { return checked(pipe2(ends, O_CLOEXEC)); }

int cl_duplicate(int fd) { return checked(fcntl(fd, F_DUPFD_CLOEXEC, 3)); }

int cl_close_on_exec(int fd) { return checked(fcntl(fd, F_SETFD, FD_CLOEXEC)); }

int cl_is_listening(int fd) {
  int value = 0;
  socklen_t length = sizeof value;
  return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &value, &length) == 0 && value;
}

int cl_rename_exclusive(const char *from, const char *to) {
  return checked(renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE));
}

int cl_lock_record(int fd, int locked) {
  struct flock lock = {.l_type = locked ? F_WRLCK : F_UNLCK, .l_whence = SEEK_SET};
  return checked(fcntl(fd, F_SETLKW, &lock));
}

int cl_send_datagram(const char *path, const void *bytes, size_t count) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t length = strlen(path);
  if (length == 0 || length >= sizeof address.sun_path) return -EINVAL;
  memcpy(address.sun_path, path, length);
  if (path[0] == '@') address.sun_path[0] = 0;
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  socklen_t size = offsetof(struct sockaddr_un, sun_path) + length;
  long sent = checked(sendto(fd, bytes, count, MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&address, size));
  close(fd);
  return sent < 0 ? sent : 0;
}

uint64_t cl_random(void) {
  uint64_t value = 0;
  while (getrandom(&value, sizeof value, 0) != sizeof value) {
  }
  return value;
}

