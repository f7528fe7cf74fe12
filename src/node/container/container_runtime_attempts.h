// How often a container's command has failed before the engine started it again, kept beside its log: the engine counts
// only those that it started by itself.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/time.h"

namespace tiphys::node {

class FailedAttempts {
 public:
  /// Reads what an earlier process noted in the container's folder.
  explicit FailedAttempts(const std::string& dir);

  /// How many attempts have ended before the one that ended then.
  int count_before(Time end) const;
  /// The attempt that ended then is followed by another. Does nothing when it is noted.
  Status note(Time end);

 private:
  std::string path_;
  std::vector<Time> ends_;
};

}  // namespace tiphys::node
