#include "node/supervisor/supervisor.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/close_range.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>

#include "node/init/step_plan.h"
#include "node/supervisor/supervisor_loop.h"
#include "node/supervisor/supervisor_protocol.h"

namespace tiphys::node {
namespace {

constexpr int kMostTries = 8;
constexpr int kAnswerMs = 10'000;
constexpr int kBacklog = 64;
constexpr std::string_view kTitle = "tiphys supervisor";

struct Place {
  std::string data_dir;  ///< canonical
  UniqueFd folder;       ///< supervisor/
};

Result<Place> open_place(const std::string& dir) {
  const std::unique_ptr<char, decltype(&::free)> real(::realpath(dir.c_str(), nullptr), &::free);
  if (!real) return fail_errno(fmt::format("open data directory {}", dir), errno);
  Place place{real.get(), {}};
  const std::string folder = place.data_dir + "/supervisor";
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return fail_errno(fmt::format("make {}", folder), errno);
  place.folder.reset(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!place.folder) return fail_errno(fmt::format("open {}", folder), errno);
  return place;
}

/// A socket's path has room for 107 bytes; through the folder's descriptor every data directory fits.
sockaddr_un socket_address(const Place& place) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  fmt::format_to_n(address.sun_path, sizeof address.sun_path - 1, "/proc/self/fd/{}/sock", place.folder.get());
  return address;
}

Status greet(int fd) {
  const std::string frame = hello_frame();
  if (::send(fd, frame.data(), frame.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(frame.size())) {
    return fail_errno("greet the supervisor", errno);
  }
  return {};
}

/// Connects when a supervisor listens and answers. Without an error but also without a socket: there is none.
Result<UniqueFd> connect_to(const Place& place) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return fail_errno("make a socket", errno);
  const sockaddr_un address = socket_address(place);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == ENOENT || errno == ECONNREFUSED) return UniqueFd();
    return fail_errno("connect to the supervisor", errno);
  }
  if (!greet(fd.get())) return UniqueFd();
  pollfd polled{fd.get(), POLLIN, 0};
  int ready = 0;
  do ready = ::poll(&polled, 1, kAnswerMs);
  while (ready < 0 && errno == EINTR);
  if (ready == 0) return fail(Code::kUnavailable, "the supervisor of this data directory does not answer");
  char first = 0;
  // It may have been about to leave.
  if (::recv(fd.get(), &first, 1, MSG_PEEK) != 1) return UniqueFd();
  return fd;
}

Result<UniqueFd> listen_at(const Place& place) {
  ::unlinkat(place.folder.get(), "sock", 0);
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fail_errno("make a socket", errno);
  const sockaddr_un address = socket_address(place);
  const mode_t before = ::umask(0077);
  const bool bound = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  const int error = errno;
  ::umask(before);
  if (!bound || ::listen(fd.get(), kBacklog) != 0) {
    return fail_errno(fmt::format("listen at {}/supervisor/sock", place.data_dir), bound ? errno : error);
  }
  return fd;
}

/// What ps shows. The memory of the arguments is the only place to say it, and the environment behind it is ours too.
void set_title() {
  ::prctl(PR_SET_NAME, kTitle.substr(0, 15).data());
  const UniqueFd file(::open("/proc/self/stat", O_RDONLY | O_CLOEXEC));
  std::array<char, 2048> text{};
  if (!file || ::read(file.get(), text.data(), text.size() - 1) <= 0) return;
  const char* at = std::strrchr(text.data(), ')');
  constexpr int kArgumentsStart = 48;
  std::array<unsigned long, 4> bounds{};  // arg_start, arg_end, env_start, env_end
  for (int field = 2; at && field < kArgumentsStart; ++field) at = std::strchr(at + 1, ' ');
  for (unsigned long& bound : bounds) {
    if (!at) return;
    char* end = nullptr;
    bound = std::strtoul(at, &end, 10);
    at = end;
  }
  const unsigned long end = bounds[2] == bounds[1] ? bounds[3] : bounds[1];
  if (bounds[0] == 0 || end <= bounds[0] + kTitle.size()) return;
  auto* arguments = reinterpret_cast<char*>(bounds[0]);  // NOLINT(performance-no-int-to-ptr): the kernel tells numbers
  std::memset(arguments, 0, end - bounds[0]);
  std::memcpy(arguments, kTitle.data(), kTitle.size());
}

/// Gives the descriptors their fixed numbers and closes all that this process inherited.
bool arrange_descriptors(SupervisorStart& start) {
  constexpr int kSafe = 64;
  UniqueFd* kept[] = {&start.folder, &start.listener, &start.lock, &start.first_client};
  for (UniqueFd* fd : kept) fd->reset(::fcntl(fd->get(), F_DUPFD_CLOEXEC, kSafe));
  ::close_range(0, kSafe - 1, 0);
  int highest = kSafe;
  for (UniqueFd* fd : kept) highest = std::max(highest, fd->get());
  ::close_range(static_cast<unsigned>(highest) + 1, ~0U, 0);
  for (int fd = kSafe; fd < highest; ++fd) {
    bool ours = false;
    for (const UniqueFd* one : kept) ours = ours || one->get() == fd;
    if (!ours) ::close(fd);
  }

  if (::open("/dev/null", O_RDWR) != kNullFd) return false;
  const int log = ::openat(start.folder.get(), "log", O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
  if (::dup2(log >= 0 ? log : kNullFd, 1) < 0 || ::dup2(1, 2) < 0) return false;
  for (int fd = 3; fd < kFirstFreeFd; ++fd) {
    if (::fcntl(kNullFd, F_DUPFD_CLOEXEC, fd) != fd) return false;
  }
  int life[2];
  if (::pipe2(life, O_CLOEXEC) != 0) return false;
  start.alive.reset(life[1]);
  const UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const bool placed = ::dup3(life[0], kAliveFd, O_CLOEXEC) >= 0 && ::dup3(event.get(), kEventFd, O_CLOEXEC) >= 0;
  ::close(life[0]);
  return placed;
}

[[noreturn]] void supervise(SupervisorStart start) {
  for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
  ::signal(SIGPIPE, SIG_IGN);
  ::fcntl(start.first_client.get(), F_SETFL, O_NONBLOCK);
  if (::chdir("/") != 0 || !arrange_descriptors(start)) ::_exit(1);
  set_title();
  ::umask(022);
  SupervisorLoop(std::move(start)).run();
  ::_exit(0);
}

/// Takes the lock, and forks. No socket when another supervisor has come to life meanwhile.
Result<UniqueFd> launch(const Place& place) {
  UniqueFd lock(::openat(place.folder.get(), "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) return fail_errno(fmt::format("open {}/supervisor/lock", place.data_dir), errno);
  // One that is about to leave holds it still, but not for long; one that stays is found by the next connect.
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return fail_errno("lock the supervisor's folder", errno);
    TIPHYS_TRY(UniqueFd connected, connect_to(place));
    if (connected) return connected;
    if (::flock(lock.get(), LOCK_EX) != 0) return fail_errno("lock the supervisor's folder", errno);
  }
  SupervisorStart start;
  start.data_dir = place.data_dir;
  TIPHYS_TRY(start.listener, listen_at(place));
  int pair[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return fail_errno("make a socket", errno);
  UniqueFd mine(pair[0]);
  start.first_client.reset(pair[1]);
  start.folder.reset(::fcntl(place.folder.get(), F_DUPFD_CLOEXEC, 0));
  start.lock = std::move(lock);
  // Twice, so that the supervisor is nobody's child. The one in between shares this memory, since a copy takes longer
  // than all else here: it may do no more than this.
  const pid_t child = ::vfork();
  if (child < 0) return fail_errno("start the supervisor", errno);
  if (child == 0) {
    ::setsid();
    const pid_t supervisor = ::fork();
    if (supervisor == 0) supervise(std::move(start));
    ::_exit(supervisor < 0 ? 1 : 0);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return fail(Code::kUnavailable, "the supervisor did not start");
  TIPHYS_CHECK_OK(greet(mine.get()));
  return mine;
}

}  // namespace

Result<UniqueFd> ensure_supervisor(const std::string& dir) {
  TIPHYS_TRY(const Place place, open_place(dir));
  for (int i = 0; i < kMostTries; ++i) {
    TIPHYS_TRY(UniqueFd connected, connect_to(place));
    if (connected) return connected;
    TIPHYS_TRY(UniqueFd launched, launch(place));
    if (launched) return launched;
  }
  return fail(Code::kUnavailable, fmt::format("the supervisor of {} cannot be reached", place.data_dir));
}

}  // namespace tiphys::node
