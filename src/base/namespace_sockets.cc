#include "base/namespace_sockets.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/check.h"

namespace tiphys {
namespace {

using Sockets = std::array<int, kMostNamespaceSockets>;

/// What the child tells: 0 and its sockets, or the number of the step that failed, and errno.
struct Report {
  int step = 0;
  int error = 0;
};
constexpr std::array<const char*, 4> kSteps{"", "enter the user namespace", "enter the network namespace",
                                            "open a socket in the network namespace"};

Result<UniqueFd> open_namespace(pid_t process, const char* name) {
  const std::string path = fmt::format("/proc/{}/ns/{}", process, name);
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd) return fd;
  return fail_errno("open " + path, errno);
}

bool is_own(const UniqueFd& ns, const char* name) {
  struct stat other{}, own{};
  return ::fstat(ns.get(), &other) == 0 && ::stat(fmt::format("/proc/self/ns/{}", name).c_str(), &own) == 0 &&
         other.st_ino == own.st_ino;
}

/// In the child of a process with other threads: system calls alone.
Report open_all(const NetworkNamespace& there, std::span<const SocketKind> kinds, Sockets& sockets) {
  // Root needs it too, if only to be let in by what the namespace belongs to.
  if (there.user && ::setns(there.user.get(), CLONE_NEWUSER) != 0) return {1, errno};
  if (::setns(there.network.get(), CLONE_NEWNET) != 0) return {2, errno};
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    sockets[i] = ::socket(kinds[i].family, kinds[i].type | SOCK_CLOEXEC, kinds[i].protocol);
    if (sockets[i] < 0) return {3, errno};
  }
  return {};
}

void send_report(int to, const Report& report, const Sockets& sockets, std::size_t count) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof sockets)> control{};
  iovec body{.iov_base = const_cast<Report*>(&report), .iov_len = sizeof report};
  msghdr message{};
  message.msg_iov = &body;
  message.msg_iovlen = 1;
  if (report.step == 0) {
    message.msg_control = control.data();
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(count * sizeof(int));
    std::memcpy(CMSG_DATA(head), sockets.data(), count * sizeof(int));
  }
  ::sendmsg(to, &message, MSG_NOSIGNAL);
}

Result<std::vector<UniqueFd>> receive(int from, std::size_t count) {
  Report report;
  Sockets sockets{};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof sockets)> control{};
  iovec body{.iov_base = &report, .iov_len = sizeof report};
  msghdr message{};
  message.msg_iov = &body;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t size = ::recvmsg(from, &message, MSG_CMSG_CLOEXEC);
  if (size != sizeof report) return fail(Code::kInternal, "a child that joins a network namespace has died");
  if (report.step != 0) return fail_errno(kSteps[static_cast<std::size_t>(report.step)], report.error);
  const cmsghdr* head = CMSG_FIRSTHDR(&message);
  if (!head || head->cmsg_len != CMSG_LEN(count * sizeof(int))) {
    return fail(Code::kInternal, "a child that joined a network namespace has sent no sockets");
  }
  std::memcpy(sockets.data(), CMSG_DATA(head), count * sizeof(int));
  std::vector<UniqueFd> all;
  for (std::size_t i = 0; i < count; ++i) all.emplace_back(sockets[i]);
  return all;
}

}  // namespace

Result<NetworkNamespace> network_namespace_of(pid_t process) {
  NetworkNamespace found;
  TIPHYS_TRY(found.user, open_namespace(process, "user"));
  TIPHYS_TRY(found.network, open_namespace(process, "net"));
  // To enter one's own is refused.
  if (is_own(found.user, "user")) found.user.reset();
  return found;
}

bool is_own(const NetworkNamespace& there) {
  return is_own(there.network, "net");
}

Result<std::vector<UniqueFd>> open_sockets(const NetworkNamespace& there, std::span<const SocketKind> kinds) {
  TIPHYS_CHECK(kinds.size() <= kMostNamespaceSockets, "no more sockets than a message holds");
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) return fail_errno("socketpair", errno);
  UniqueFd ours(pair[0]), theirs(pair[1]);
  const pid_t child = ::fork();
  if (child < 0) return fail_errno("fork", errno);
  if (child == 0) {
    Sockets sockets{};
    const Report report = open_all(there, kinds, sockets);
    send_report(theirs.get(), report, sockets, kinds.size());
    ::_exit(0);
  }
  theirs.reset();
  auto opened = receive(ours.get(), kinds.size());
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return opened;
}

}  // namespace tiphys
