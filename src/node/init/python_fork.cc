#include "node/init/python_fork.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "node/init/init_descriptors.h"
#include "node/init/raw_files.h"
#include "node/init/raw_syscall.h"

namespace tiphys::node {
namespace {

/// An interpreter that is being started answers when it has imported its modules.
constexpr long kMayTakeSeconds = 30;
constexpr std::size_t kMostSent = 7;
constexpr int kNoSignal = MSG_NOSIGNAL;

long connect_to(const char* path) {
  sockaddr_un address;
  address.sun_family = AF_UNIX;
  std::size_t size = 0;
  while (path[size] && size < sizeof address.sun_path - 1) ++size;
  copy_bytes(address.sun_path, path, size);
  address.sun_path[size] = 0;
  const long fd = raw(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return fd;
  const long result = raw(SYS_connect, fd, &address, offsetof(sockaddr_un, sun_path) + size + 1);
  if (result >= 0) return fd;
  raw(SYS_close, fd);
  return result;
}

long send(long to, const char* bytes, std::size_t size, const int* fds, std::size_t count) {
  alignas(cmsghdr) char control[CMSG_SPACE(kMostSent * sizeof(int))];
  auto* head = reinterpret_cast<cmsghdr*>(control);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(count * sizeof(int));
  copy_bytes(reinterpret_cast<char*>(CMSG_DATA(head)), reinterpret_cast<const char*>(fds), count * sizeof(int));
  iovec part;
  part.iov_base = const_cast<char*>(bytes);
  part.iov_len = size;
  msghdr message;
  message.msg_name = nullptr;
  message.msg_namelen = 0;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = CMSG_SPACE(count * sizeof(int));
  message.msg_flags = 0;
  return raw(SYS_sendmsg, to, &message, kNoSignal);
}

bool ask(long connection, const StepPlan& plan, int out, int err) {
  constexpr const char* kSpaces[] = {"/proc/self/ns/pid", "/proc/self/ns/mnt", "/proc/self/ns/ipc",
                                     "/proc/self/ns/uts"};
  int spaces[4];
  std::size_t opened = 0;
  for (const char* path : kSpaces) {
    const long fd = raw(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) break;
    spaces[opened++] = static_cast<int>(fd);
  }
  bool asked = opened == 4;
  if (asked) {
    int sent[kMostSent] = {out, err, spaces[1], spaces[2], spaces[3]};
    std::size_t count = 5;
    if (plan.memory_cgroup_fd >= 0) sent[count++] = kMemoryCgroupFd;
    if (plan.cpu_cgroup_fd >= 0) sent[count++] = kCpuCgroupFd;
    asked = send(connection, "", 1, spaces, 1) == 1 &&
            send(connection, plan.python->request, plan.python->request_bytes, sent, count) > 0;
  }
  for (std::size_t i = 0; i < opened; ++i) raw(SYS_close, spaces[i]);
  return asked;
}

/// A signal that ends the step, if one is there.
unsigned take_signal() {
  signalfd_siginfo info;
  unsigned found = 0;
  while (raw(SYS_read, kSignalFd, &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGUSR2 || (info.ssi_signo == SIGTERM && found == 0)) found = info.ssi_signo;
  }
  return found;
}

ForkedPython await_answer(long connection) {
  ForkedPython forked;
  pollfd polled[3] = {{static_cast<int>(connection), POLLIN, 0}, {kSignalFd, POLLIN, 0}, {kAliveFd, POLLIN, 0}};
  timespec left{kMayTakeSeconds, 0};
  for (;;) {
    // The kernel writes into `left` what is left of it.
    const long ready = raw(SYS_ppoll, polled, 3, &left, nullptr, kKernelSignalSetBytes);
    if (polled[2].revents != 0) leave(1);
    if (ready > 0 && polled[0].revents != 0) {
      std::int32_t pid = 0;
      const bool whole = raw(SYS_read, connection, &pid, sizeof pid) == sizeof pid;
      if (whole && pid > 0 && raw(SYS_sendto, connection, "", 1, kNoSignal, nullptr, 0) == 1) forked.pid = pid;
      return forked;
    }
    if (ready > 0 && polled[1].revents != 0) forked.signal = take_signal();
    forked.given_up = (ready <= 0 && ready != -EINTR) || forked.signal != 0;
    if (forked.given_up) return forked;
  }
}

}  // namespace

ForkedPython fork_python(const StepPlan& plan, int out, int err) {
  const long connection = connect_to(plan.python->socket);
  if (connection < 0) return {};
  ForkedPython forked;
  if (ask(connection, plan, out, err)) {
    forked = await_answer(connection);
  } else {
    forked.given_up = true;
  }
  raw(SYS_close, connection);
  return forked;
}

}  // namespace tiphys::node
