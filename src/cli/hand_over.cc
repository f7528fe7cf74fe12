#include "cli/hand_over.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <chrono>

#include "base/unique_fd.h"
#include "base/unix_path.h"

namespace tiphys::cli {
namespace {

constexpr std::chrono::seconds kHandOverTime(10);

/// True when a process answers on a unix socket. Connecting to one is immediate.
bool answers(const std::string& path) {
  const auto socket_path = SocketPath::of(path);
  if (!socket_path) return false;
  const UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return false;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socket_path->text.copy(address.sun_path, sizeof address.sun_path - 1);
  return ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 || errno == EAGAIN;
}

/// True while another process has the directory's lock.
bool is_held(const std::string& data_dir) {
  const UniqueFd lock(::open((data_dir + "/lock").c_str(), O_RDONLY | O_CLOEXEC));
  return lock && ::flock(lock.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

/// Tells when something changes in a folder.
class FolderWatch {
 public:
  explicit FolderWatch(const std::string& folder) : fd_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    if (fd_) ::inotify_add_watch(fd_.get(), folder.c_str(), IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_CLOSE);
  }
  /// False when nothing has changed for `most`.
  bool wait(std::chrono::milliseconds most) {
    pollfd entry{fd_.get(), POLLIN, 0};
    if (::poll(&entry, 1, static_cast<int>(most.count())) <= 0) return false;
    char events[4096];
    while (::read(fd_.get(), events, sizeof events) > 0) {
    }
    return true;
  }

 private:
  UniqueFd fd_;
};

}  // namespace

std::string api_socket(const std::string& data_dir) {
  return data_dir + "/api.sock";
}

Result<std::unique_ptr<EmbeddedPlane>> take_or_find_plane(Loop& loop, const PlaneOptions& options) {
  const auto deadline = std::chrono::steady_clock::now() + kHandOverTime;
  for (;;) {
    if (answers(api_socket(options.data_dir))) return nullptr;
    auto plane = EmbeddedPlane::open(loop.context(), options);
    if (plane || plane.error().code != Code::kFailedPrecondition) return plane;
    // Watched before it is looked at again, so that no change goes unseen.
    FolderWatch changes(options.data_dir);
    if (answers(api_socket(options.data_dir))) return nullptr;
    if (!is_held(options.data_dir)) {
      // Its holder has just gone, or the directory cannot be used at all: the next try tells.
      plane = EmbeddedPlane::open(loop.context(), options);
      if (plane || !is_held(options.data_dir)) return plane;
    }
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0 || !changes.wait(left)) return plane;
  }
}

}  // namespace tiphys::cli
