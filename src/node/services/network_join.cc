#include "node/services/network_join.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

namespace tiphys::node {
namespace {

constexpr int kSockets = 2;
constexpr int kBacklog = 1024;

/// What the child tells: 0 and its sockets, or the number of the step that failed, and errno.
struct Report {
  int step = 0;
  int error = 0;
};
constexpr std::array<const char*, 5> kSteps{"", "enter the user namespace", "enter the network namespace",
                                            "listen on 127.0.0.1", "open a socket of netfilter"};

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
Report open_all(int user_ns, int network_ns, std::array<int, kSockets>& sockets) {
  // Root needs it too, if only to be let in by what the namespace belongs to.
  if (user_ns >= 0 && ::setns(user_ns, CLONE_NEWUSER) != 0) return {1, errno};
  if (::setns(network_ns, CLONE_NEWNET) != 0) return {2, errno};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockets[0] = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (sockets[0] < 0 || ::bind(sockets[0], reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(sockets[0], kBacklog) != 0) {
    return {3, errno};
  }
  sockets[1] = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
  if (sockets[1] < 0) return {4, errno};
  return {};
}

void send_report(int to, const Report& report, const std::array<int, kSockets>& sockets) {
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof sockets)> control{};
  iovec body{.iov_base = const_cast<Report*>(&report), .iov_len = sizeof report};
  msghdr message{};
  message.msg_iov = &body;
  message.msg_iovlen = 1;
  if (report.step == 0) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(sizeof sockets);
    std::memcpy(CMSG_DATA(head), sockets.data(), sizeof sockets);
  }
  ::sendmsg(to, &message, MSG_NOSIGNAL);
}

Result<JoinedSockets> receive(int from) {
  Report report;
  std::array<int, kSockets> sockets{-1, -1};
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
  if (!head || head->cmsg_len != CMSG_LEN(sizeof sockets)) {
    return fail(Code::kInternal, "a child that joined a network namespace has sent no sockets");
  }
  std::memcpy(sockets.data(), CMSG_DATA(head), sizeof sockets);
  return JoinedSockets{.listener = UniqueFd(sockets[0]), .netfilter = UniqueFd(sockets[1])};
}

}  // namespace

Result<JoinedSockets> open_sockets_beside(pid_t process) {
  TIPHYS_TRY(UniqueFd user_ns, open_namespace(process, "user"));
  TIPHYS_TRY(const UniqueFd network_ns, open_namespace(process, "net"));
  if (is_own(network_ns, "net")) return JoinedSockets{};
  // To enter one's own is refused.
  if (is_own(user_ns, "user")) user_ns.reset();
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair.data()) != 0) return fail_errno("socketpair", errno);
  UniqueFd ours(pair[0]), theirs(pair[1]);
  const pid_t child = ::fork();
  if (child < 0) return fail_errno("fork", errno);
  if (child == 0) {
    std::array<int, kSockets> sockets{-1, -1};
    const Report report = open_all(user_ns.get(), network_ns.get(), sockets);
    send_report(theirs.get(), report, sockets);
    ::_exit(0);
  }
  theirs.reset();
  auto joined = receive(ours.get());
  while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
  }
  return joined;
}

}  // namespace tiphys::node
