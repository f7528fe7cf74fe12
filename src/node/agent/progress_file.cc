#include "node/agent/progress_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/progress.h"
#include "base/strings.h"
#include "node/agent/pod_io.h"

namespace tiphys::node {
namespace {

/// The longest two numbers, their slash and what editors and shells put around them.
constexpr std::size_t kMostBytes = 256;

/// The file's end. The container may have put anything there: neither a link is followed nor a pipe waited for.
std::string tail_of(int folder) {
  const UniqueFd file(::openat(folder, std::string(kProgressFileName).c_str(),
                               O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat about{};
  if (!file || ::fstat(file.get(), &about) != 0 || !S_ISREG(about.st_mode)) return "";
  std::array<char, kMostBytes> text;
  const off_t begin = std::max<off_t>(0, about.st_size - static_cast<off_t>(text.size()));
  const ssize_t count = ::pread(file.get(), text.data(), text.size(), begin);
  return count > 0 ? std::string(text.data(), static_cast<std::size_t>(count)) : "";
}

}  // namespace

ProgressFile::ProgressFile(UniqueFd folder, std::function<void(std::string)> on_progress)
    : folder_(std::move(folder)), on_progress_(std::move(on_progress)) {}

Result<std::unique_ptr<ProgressFile>> ProgressFile::follow(FolderNotices& notices, UniqueFd folder,
                                                           std::function<void(std::string)> on_progress) {
  std::unique_ptr<ProgressFile> file(new ProgressFile(std::move(folder), std::move(on_progress)));
  TIPHYS_TRY(file->following_, notices.follow(fmt::format("/proc/self/fd/{}", file->folder_.get()),
                                              [self = file.get()] { self->read(); }));
  file->read();
  return file;
}

void ProgressFile::read() {
  const std::string tail = tail_of(folder_.get());
  const std::string_view lines = trim(tail);
  const auto newline = lines.rfind('\n');
  const std::string text(trim(newline == lines.npos ? lines : lines.substr(newline + 1)));
  if (text == last_ || !parse_progress(text)) return;
  last_ = text;
  on_progress_(last_);
}

}  // namespace tiphys::node
