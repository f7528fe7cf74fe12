// The output of a container as the Docker Engine API streams it, and as the log file keeps it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/time.h"
#include "base/unique_fd.h"

namespace tiphys::node {

/// Takes the API's frames apart: 8 bytes of head (stream, three zeros, length), then the text. The bytes may come cut
/// anywhere.
class LogFrames {
 public:
  using Sink = std::function<Status(bool is_stderr, std::string_view text)>;
  /// Hands complete frames to `sink`. kDataLoss when the bytes are no frames.
  Status feed(std::string_view bytes, const Sink& sink);
  /// Nothing of a frame is waiting for its rest.
  bool at_boundary() const { return waiting_.empty(); }
  void restart() { waiting_.clear(); }

 private:
  std::string waiting_;
};

/// Writes an engine's log, from its API (asked for with timestamps) or its file, to `<dir>/log` in the format that
/// node/output_pump.h tells.
///
/// The engine's log is the truth and ours a prefix of it: after a break it is read from its start again, and as many
/// lines as are written already are passed over. This needs no clock and survives a kill at any point.
class EngineLog {
 public:
  /// A line that a crash cut short is dropped.
  static Result<EngineLog> open(const std::string& dir);

  /// The engine's stream begins, from its first line.
  void begin();
  /// The engine's stream goes on from the time of the last line, which is returned in the form of the API's "since". ""
  /// when that line has not been read again since open(): then the stream begins anew.
  std::string begin_at_last();
  /// The next bytes of the stream; `now` stamps lines of engines that tell only the second.
  Status feed(std::string_view bytes, Time now);
  /// The same with bytes of a log file of podman's: lines as we write them, but for the form of their time.
  Status feed_file(std::string_view bytes);
  /// The stream has ended: false when it broke off inside a frame.
  bool end() const { return frames_.at_boundary(); }

  /// Lines in the file.
  std::uint64_t lines() const { return lines_; }
  /// The last line of standard error, at most 1 KiB of it.
  const std::string& last_error_line() const { return last_error_line_; }

 private:
  EngineLog(UniqueFd fd, std::uint64_t lines) : fd_(std::move(fd)), lines_(lines) {}
  Status take(bool is_stderr, std::string_view text, Time now);
  Status take_file_line(std::string_view line);
  void add(bool is_stderr, Time engine_time, Time time, bool partial, std::string_view text);
  Status flush();

  LogFrames frames_;
  UniqueFd fd_;
  std::uint64_t lines_;
  std::uint64_t to_pass_ = 0;     ///< lines of the stream that are in the file already
  Time last_time_{};              ///< the engine's, of the last line of this stream
  std::uint64_t last_lines_ = 0;  ///< lines of that time
  std::string file_line_;         ///< the unfinished last line of a file
  std::string out_;
  std::string last_error_line_;
  bool error_line_goes_on_ = false;
};

}  // namespace tiphys::node
