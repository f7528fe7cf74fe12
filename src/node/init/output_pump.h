// Writes a step's two output streams to its log, as lines of the Kubernetes container log format.
//
// Runs inside a step's init: no allocation, no library calls.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>

#include "node/init/step_plan.h"

namespace tiphys::node {

/// One line of the log is "<RFC 3339 with nanoseconds> <stdout|stderr> <F|P> <text>\n"; P says that the line goes on.
inline constexpr std::size_t kLogStampBytes = sizeof("2026-01-31T12:00:00.123456789Z") - 1;
inline constexpr std::size_t kLogPrefixBytes = kLogStampBytes + sizeof(" stdout F ") - 1;

/// Writes kLogPrefixBytes to `out`.
void write_log_prefix(char* out, std::int64_t nanoseconds, bool is_stderr, bool partial);

class OutputPump {
 public:
  /// `memory` is kPumpBytes long. After a failed write, `*log_errno` tells why and all further output is read and
  /// dropped.
  OutputPump(char* memory, int data_fd, std::int32_t* log_errno);
  /// The log is `<dir>/log` in the folder `data_fd`; it and its folders are made at the first output. False when that
  /// path is too long.
  bool set_dir(const char* dir);

  /// Reads once from `fd`.
  void read_some(int fd, bool is_stderr);
  /// Reads until nothing is left to read now, then writes an unfinished line.
  void finish(int fd, bool is_stderr);
  void close();

 private:
  static constexpr std::size_t kReadBytes = 2 * kMostLineBytes;
  static constexpr std::size_t kMostLinesAtOnce = 256;
  struct Stream {
    char* data;
    std::size_t used;
  };
  void emit_lines(Stream& stream, bool is_stderr, bool at_end);
  void add(const char* text, std::size_t size, std::int64_t now, bool is_stderr, bool partial);
  void flush();
  bool open_log();
  long open_in_folder() const;

  Stream streams_[2];
  char* prefixes_;
  iovec* pieces_;
  std::size_t lines_ = 0;
  std::size_t piece_count_ = 0;
  int data_fd_;
  char path_[kLongestPath];
  int log_fd_ = -1;
  std::int32_t* log_errno_;
};

}  // namespace tiphys::node
