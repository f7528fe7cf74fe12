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

bool leads_out(const fs::path& path) {
  return path.is_absolute() || std::find(path.begin(), path.end(), "..") != path.end();
}

std::unexpected<Error> leading_out(std::string_view relative) {
  return fail(Code::kInvalidArgument, fmt::format("\"{}\" leads out of its folder", relative));
}

Status make_folders(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return fail_errno(fmt::format("make {}", path.string()), error.value());
  return {};
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
  if (path.empty() || leads_out(path)) return leading_out(relative);
  const fs::path whole = fs::path(top_) / path;
  TIPHYS_CHECK_OK(make_folders(whole.parent_path()));
  return whole.string();
}

Status TreeBelow::folder(std::string_view relative) {
  const fs::path path(relative);
  if (leads_out(path)) return leading_out(relative);
  return make_folders(fs::path(top_) / path);
}

}  // namespace tiphys::artifact
