#include "node/container/container_runtime_attempts.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

#include "base/unique_fd.h"

namespace tiphys::node {

FailedAttempts::FailedAttempts(const std::string& dir) : path_(dir + "/failed-attempts") {
  std::ifstream file(path_);
  for (std::int64_t end = 0; file >> end;) ends_.emplace_back(std::chrono::nanoseconds(end));
}

int FailedAttempts::count_before(Time end) const {
  return static_cast<int>(std::ranges::count_if(ends_, [&](Time noted) { return noted != end; }));
}

Status FailedAttempts::note(Time end) {
  if (std::ranges::find(ends_, end) != ends_.end()) return {};
  const UniqueFd file(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  const std::string line = fmt::format("{}\n", end.time_since_epoch().count());
  if (!file || ::write(file.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    return fail_errno(path_, errno);
  }
  ends_.push_back(end);
  return {};
}

}  // namespace tiphys::node
