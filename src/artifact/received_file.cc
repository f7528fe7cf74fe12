#include "artifact/received_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "artifact/file_tree.h"
#include "base/log.h"

namespace tiphys::artifact {
namespace {

namespace fs = std::filesystem;

void sweep(const std::string& path) {
  if (const Status removed = remove_tree(path); !removed) log::warn("{}", removed.error().message);
}

}  // namespace

ReceivedFile::~ReceivedFile() {
  if (file_ && !kept_) sweep(path_);
}

bool ReceivedFile::open() {
  if (file_) return true;
  file_.reset(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666));
  if (!file_) status_ = fail_errno(path_, errno);
  return static_cast<bool>(file_);
}

web::BodySink ReceivedFile::sink() {
  return [this](std::string_view bytes) {
    if (!open()) return false;
    while (!bytes.empty()) {
      const ssize_t count = ::write(file_.get(), bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) {
        status_ = fail_errno(path_, errno);
        return false;
      }
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  };
}

Status ReceivedFile::keep() {
  if (status_ && open()) kept_ = true;
  return status_;
}

TreeBelow::~TreeBelow() {
  if (!kept_) sweep(top_);
}

Result<std::string> TreeBelow::file(std::string_view relative) {
  const fs::path path(relative);
  const bool leaves = path.is_absolute() || path.empty() || std::find(path.begin(), path.end(), "..") != path.end();
  if (leaves) return fail(Code::kInvalidArgument, fmt::format("\"{}\" leads out of its folder", relative));
  const fs::path whole = fs::path(top_) / path;
  std::error_code error;
  fs::create_directories(whole.parent_path(), error);
  if (error) return fail_errno(fmt::format("make {}", whole.parent_path().string()), error.value());
  return whole.string();
}

}  // namespace tiphys::artifact
