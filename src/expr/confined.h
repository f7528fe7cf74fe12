// Work that its input may make endless, or let crash or use up the memory: it runs in a child process with limits.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

#include "base/error.h"

namespace tiphys::expr {

struct Confinement {
  std::chrono::seconds cpu_time{3};
  std::chrono::seconds wall_time{10};  ///< also of waiting for a processor
  std::size_t memory = std::size_t{512} << 20;
  std::size_t output = std::size_t{16} << 20;
};

/// Calls `work` in a forked child and gives what it has written to the descriptor; the caller waits for it. The child
/// has no environment, opens no files, and what it prints is dropped. It ends before this returns, and with the caller.
/// `work` may use memory but no lock that another thread may hold.
///
/// Errors: kDeadlineExceeded and kResourceExhausted for a limit, kAborted for a crash. Their messages start with "it".
Result<std::string> run_confined(const std::function<void(int out)>& work, const Confinement& limits = {});

/// Writes all of it; false when nobody reads any more.
bool write_all(int fd, std::string_view text);

}  // namespace tiphys::expr
