// A container's log on this host: reading it, as a whole, its end, or as it grows. The format is told in
// node/output_pump.h.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "base/executor.h"
#include "cluster/cluster.h"
#include "node/folder_notices.h"

namespace tiphys::node {

struct LogLine {
  Time at{};
  std::string_view stream;  ///< "stdout" or "stderr"
  bool partial = false;     ///< the line goes on in the next one of its stream
  std::string_view text;
};

/// Takes one line of the file (without its newline) apart. kDataLoss when it is none.
Result<LogLine> parse_log_line(std::string_view line);

enum class LogStreams { kStdout, kBoth };
/// The last `most_bytes` of what a container wrote, less one newline at the end. Blocking; "" when there is no log.
Result<std::string> log_tail(const std::string& log_path, std::size_t most_bytes, LogStreams streams);

/// Writes what the container wrote to both streams to `target`, without stamps. Blocking; kNotFound when there is no
/// log.
Status write_plain_log(const std::string& log_path, const std::string& target);

/// Where the last `lines` lines of a file begin. Blocking, by the file's end backwards.
Result<std::uint64_t> tail_offset(const std::string& log_path, std::int64_t lines);

/// Reads logs on the executor's thread, a bounded piece at a turn; follows them by the kernel's notice.
class LogReader {
 public:
  LogReader(FolderNotices& notices, Executor& executor);
  ~LogReader();

  /// `ended` tells whether the container still writes: a follower goes on until it does not.
  std::unique_ptr<cluster::Watch> read(const std::string& log_path, cluster::LogOptions options,
                                       std::function<bool()> ended, cluster::LogSink sink);
  /// The container of this log has written its last.
  void ended(const std::string& log_path);

 private:
  class Reading;
  class Readings;
  std::shared_ptr<Readings> readings_;
};

}  // namespace tiphys::node
