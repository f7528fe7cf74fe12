#include "node/container/docker_log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "node/init/output_pump.h"

namespace tiphys::node {
namespace {

constexpr std::size_t kHeadBytes = 8;
/// Engines cut lines at 8 or 16 KiB; what claims more is no frame.
constexpr std::size_t kMostFrameBytes = 16u << 20;
constexpr std::size_t kMostErrorLine = 1024;

std::size_t frame_length(std::string_view head) {
  std::size_t length = 0;
  for (std::size_t i = 4; i < kHeadBytes; ++i) length = length << 8 | static_cast<unsigned char>(head[i]);
  return length;
}

}  // namespace

Status LogFrames::feed(std::string_view bytes, const Sink& sink) {
  if (!waiting_.empty()) {
    waiting_.append(bytes);
    bytes = waiting_;
  }
  std::size_t at = 0;
  while (bytes.size() - at >= kHeadBytes) {
    const std::string_view head = bytes.substr(at, kHeadBytes);
    const std::size_t length = frame_length(head);
    if (static_cast<unsigned char>(head[0]) > 2 || head.substr(1, 3) != std::string_view("\0\0\0", 3) ||
        length > kMostFrameBytes) {
      return fail(Code::kDataLoss, "the engine's log stream holds something that is no frame");
    }
    if (bytes.size() - at - kHeadBytes < length) break;
    TIPHYS_CHECK_OK(sink(head[0] == 2, bytes.substr(at + kHeadBytes, length)));
    at += kHeadBytes + length;
  }
  // `bytes` may lie in waiting_ itself.
  std::string rest(bytes.substr(at));
  waiting_ = std::move(rest);
  return {};
}

Result<EngineLog> EngineLog::open(const std::string& dir) {
  const std::string path = dir + "/log";
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!fd) return fail_errno(path, errno);
  std::uint64_t lines = 0;
  off_t end_of_line = 0, at = 0;
  std::vector<char> buffer(1u << 16);
  for (;;) {
    const ssize_t got = ::pread(fd.get(), buffer.data(), buffer.size(), at);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(path, errno);
    if (got == 0) break;
    for (ssize_t i = 0; i < got; ++i) {
      if (buffer[static_cast<std::size_t>(i)] != '\n') continue;
      ++lines;
      end_of_line = at + i + 1;
    }
    at += got;
  }
  if (end_of_line != at && ::ftruncate(fd.get(), end_of_line) != 0) return fail_errno(path, errno);
  return EngineLog(std::move(fd), lines);
}

void EngineLog::begin() {
  frames_.restart();
  file_line_.clear();
  error_line_goes_on_ = false;
  to_pass_ = lines_;
}

std::string EngineLog::begin_at_last() {
  // While lines are passed over, the last one read is not the last one written.
  const bool known = to_pass_ == 0 && last_time_ != Time{};
  begin();
  if (!known) return "";
  to_pass_ = std::exchange(last_lines_, 0);
  const auto nanoseconds = last_time_.time_since_epoch().count();
  constexpr std::int64_t kASecond = 1'000'000'000;
  return fmt::format("{}.{:09}", nanoseconds / kASecond, nanoseconds % kASecond);
}

Status EngineLog::feed(std::string_view bytes, Time now) {
  TIPHYS_CHECK_OK(
      frames_.feed(bytes, [this, now](bool is_stderr, std::string_view text) { return take(is_stderr, text, now); }));
  return flush();
}

Status EngineLog::take(bool is_stderr, std::string_view text, Time now) {
  const std::size_t space = text.find(' ');
  const auto time = parse_rfc3339(text.substr(0, space));
  if (space == std::string_view::npos || !time) {
    return fail(Code::kDataLoss, fmt::format("the engine's log holds a line without a time: {}", text.substr(0, 80)));
  }
  const bool whole_seconds = text.substr(0, space).find('.') == std::string_view::npos;
  const bool fresh = std::chrono::floor<std::chrono::seconds>(now) == *time;
  const Time stamp = whole_seconds && fresh ? now : *time;
  text.remove_prefix(space + 1);
  // A text without a newline is a part of a line that goes on.
  do {
    const std::size_t newline = text.find('\n');
    const bool partial = newline == std::string_view::npos;
    const std::string_view line = text.substr(0, newline);
    text.remove_prefix(partial ? text.size() : newline + 1);
    add(is_stderr, *time, stamp, partial, line);
  } while (!text.empty());
  return {};
}

Status EngineLog::feed_file(std::string_view bytes) {
  for (;;) {
    const std::size_t newline = bytes.find('\n');
    file_line_.append(bytes.substr(0, newline));
    if (newline == std::string_view::npos) break;
    TIPHYS_CHECK_OK(take_file_line(file_line_));
    file_line_.clear();
    bytes.remove_prefix(newline + 1);
  }
  return flush();
}

Status EngineLog::take_file_line(std::string_view line) {
  const auto word = [&line] {
    const std::size_t space = line.find(' ');
    const std::string_view found = line.substr(0, space);
    line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
    return found;
  };
  const auto time = parse_rfc3339(word());
  const std::string_view stream = word();
  const std::string_view tag = word();
  if (!time || (stream != "stdout" && stream != "stderr") || (tag != "F" && tag != "P")) {
    return fail(Code::kDataLoss, "the engine's log file holds a line of another form");
  }
  add(stream == "stderr", *time, *time, tag == "P", line);
  return {};
}

void EngineLog::add(bool is_stderr, Time engine_time, Time time, bool partial, std::string_view text) {
  if (engine_time != last_time_) last_lines_ = 0;
  last_time_ = engine_time;
  ++last_lines_;
  if (is_stderr) {
    if (!error_line_goes_on_) last_error_line_.clear();
    last_error_line_.append(text.substr(0, kMostErrorLine - std::min(kMostErrorLine, last_error_line_.size())));
    error_line_goes_on_ = partial;
  }
  if (to_pass_ > 0) {
    --to_pass_;
    return;
  }
  const std::size_t at = out_.size();
  out_.resize(at + kLogPrefixBytes);
  write_log_prefix(out_.data() + at, time.time_since_epoch().count(), is_stderr, partial);
  out_.append(text);
  out_.push_back('\n');
  ++lines_;
}

Status EngineLog::flush() {
  std::string_view rest = out_;
  while (!rest.empty()) {
    const ssize_t put = ::write(fd_.get(), rest.data(), rest.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail_errno("writing a container's log", errno);
    rest.remove_prefix(static_cast<std::size_t>(put));
  }
  out_.clear();
  return {};
}

}  // namespace tiphys::node
