// The roots of steps with inputs: emptied after one they are the next one's, as folders that are made and removed for
// each step would cost more than the step.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/error.h"
#include "node/supervisor/step_root.h"

namespace tiphys::node {

/// Keeps empty ones in a folder of the data directory, which nobody else works in. What it knows is in their names, so
/// any thread may call it, and what a process before this one has left is of use.
class InputRoots {
 public:
  /// `generation` tells the roots of this process from earlier ones.
  InputRoots(HostView view, const std::string& data_dir, std::int64_t generation);

  /// Makes an empty root `path`, where nothing may be yet.
  Status take(const std::string& path) const;
  /// Takes the emptied root at `path`; false when there are enough, or it cannot be moved: it stays.
  bool give(const std::string& path);

 private:
  bool take_kept(const std::string& path) const;

  HostView view_;
  std::string folder_;
  std::string generation_;
  std::atomic<std::uint64_t> last_name_ = 0;
};

}  // namespace tiphys::node
