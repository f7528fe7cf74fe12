#include "base/unix_path.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/un.h>

#include <cerrno>

namespace tiphys {

Result<SocketPath> SocketPath::of(const std::string& path) {
  if (path.size() < sizeof(sockaddr_un::sun_path)) return SocketPath{path, UniqueFd()};
  const auto slash = path.rfind('/');
  if (slash == std::string::npos)
    return fail(Code::kInvalidArgument, fmt::format("the socket name \"{}\" is too long", path));
  UniqueFd directory(::open(path.substr(0, slash + 1).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return fail_errno("open " + path.substr(0, slash + 1), errno);
  std::string text = fmt::format("/proc/self/fd/{}/{}", directory.get(), path.substr(slash + 1));
  if (text.size() >= sizeof(sockaddr_un::sun_path)) {
    return fail(Code::kInvalidArgument, fmt::format("the socket name \"{}\" is too long", path));
  }
  return SocketPath{std::move(text), std::move(directory)};
}

}  // namespace tiphys
