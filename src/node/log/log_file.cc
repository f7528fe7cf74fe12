#include "node/log/log_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <utility>
#include <vector>

#include "base/unique_fd.h"
#include "node/init/output_pump.h"

namespace tiphys::node {
namespace {

constexpr std::size_t kPieceBytes = 64 * 1024;

/// Calls `visit(begin, bytes)` for pieces of the file from its end to its start until it returns false.
template <typename Visit>
Status backwards(int fd, std::uint64_t size, const Visit& visit) {
  std::vector<char> piece(kPieceBytes);
  while (size > 0) {
    const std::uint64_t begin = size > kPieceBytes ? size - kPieceBytes : 0;
    const ssize_t count = ::pread(fd, piece.data(), size - begin, static_cast<off_t>(begin));
    if (count < 0) return fail_errno("read log", errno);
    if (!visit(begin, std::string_view(piece.data(), static_cast<std::size_t>(count)))) return {};
    size = begin;
  }
  return {};
}

Result<UniqueFd> open_log(const std::string& path, std::uint64_t& size) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat about{};
  if (!fd || ::fstat(fd.get(), &about) != 0) return fail_errno(fmt::format("open {}", path), errno);
  size = static_cast<std::uint64_t>(about.st_size);
  return fd;
}

}  // namespace

Result<LogLine> parse_log_line(std::string_view line) {
  const auto bad = [&] {
    return fail(Code::kDataLoss, fmt::format("\"{}\" is no line of a container log", line.substr(0, 80)));
  };
  if (line.size() < kLogPrefixBytes) return bad();
  const auto at = parse_rfc3339(line.substr(0, kLogStampBytes));
  const std::string_view stream = line.substr(kLogStampBytes + 1, 6);
  const char tag = line[kLogPrefixBytes - 2];
  if (!at || (stream != "stdout" && stream != "stderr") || (tag != 'F' && tag != 'P')) return bad();
  return LogLine{*at, stream, tag == 'P', line.substr(kLogPrefixBytes)};
}

Result<std::string> log_tail(const std::string& log_path, std::size_t most_bytes, LogStreams streams) {
  std::uint64_t size = 0;
  auto fd = open_log(log_path, size);
  if (!fd && fd.error().code == Code::kNotFound) return std::string();
  if (!fd) return std::unexpected(fd.error());
  std::vector<std::string> lines;  // last first
  std::size_t bytes = 0;
  std::string rest;  // the start of the line that the piece before begins
  Status failed;
  bool unended = true;  // what follows the last newline was cut off by a crash, if it is anything
  const auto take = [&](std::string_view line) {
    if (std::exchange(unended, false) || line.empty()) return;
    const auto parsed = parse_log_line(line);
    if (!parsed) {
      failed = std::unexpected(parsed.error());
    } else if (streams == LogStreams::kBoth || parsed->stream == "stdout") {
      lines.push_back(std::string(parsed->text) + (parsed->partial ? "" : "\n"));
      bytes += lines.back().size();
    }
  };
  TIPHYS_CHECK_OK(backwards(fd->get(), size, [&](std::uint64_t begin, std::string_view piece) {
    std::string text(piece);
    text += rest;
    std::string_view left = text;
    for (auto newline = left.rfind('\n'); newline != std::string_view::npos && failed && bytes <= most_bytes;
         newline = left.rfind('\n')) {
      take(left.substr(newline + 1));
      left = left.substr(0, newline);
    }
    if (begin == 0) take(left);
    rest = begin == 0 ? "" : std::string(left);
    return failed.has_value() && bytes <= most_bytes;
  }));
  TIPHYS_CHECK_OK(std::move(failed));
  std::string tail;
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) tail += *line;
  if (tail.size() > most_bytes) tail.erase(0, tail.size() - most_bytes);
  if (tail.ends_with('\n')) tail.pop_back();
  return tail;
}

Status write_plain_log(const std::string& log_path, const std::string& target) {
  std::ifstream log(log_path, std::ios::binary);
  if (!log) return fail_errno(log_path, errno);
  std::ofstream plain(target, std::ios::binary | std::ios::trunc);
  for (std::string line; std::getline(log, line) && !log.eof();) {  // one without an end was cut off by a crash
    TIPHYS_TRY(const LogLine parsed, parse_log_line(line));
    plain << parsed.text;
    if (!parsed.partial) plain << '\n';
  }
  if (!plain.flush()) return fail_errno(target, errno);
  return {};
}

Result<std::uint64_t> tail_offset(const std::string& log_path, std::int64_t lines) {
  std::uint64_t size = 0;
  TIPHYS_TRY(const UniqueFd fd, open_log(log_path, size));
  std::uint64_t offset = 0;
  std::int64_t seen = -1;  // the newline at the file's end ends the last line
  TIPHYS_CHECK_OK(backwards(fd.get(), size, [&](std::uint64_t begin, std::string_view piece) {
    for (std::size_t i = piece.size(); i-- > 0;) {
      if (piece[i] != '\n' || ++seen < lines) continue;
      offset = begin + i + 1;
      return false;
    }
    return true;
  }));
  return offset;
}

}  // namespace tiphys::node
