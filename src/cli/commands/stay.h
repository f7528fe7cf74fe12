// --wait, --watch and --log of the commands that begin workflows.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/commands/common.h"

namespace tiphys::cli {

struct StayFlags {
  bool wait = false, watch = false, log = false;
  std::string status, node_selector;  ///< with --watch

  void add_to(Flags& flags);
  bool any() const { return wait || watch || log; }
  /// kInvalidArgument for flags that exclude each other.
  Status check(std::size_t workflows) const;
};

/// Does as asked and gives the exit code; without any flag it tells when no process works on the plane.
Result<int> stay(std::unique_ptr<Session>& session, const CommonFlags& common, const StayFlags& flags, bool quiet,
                 const std::vector<cluster::Key>& keys);

}  // namespace tiphys::cli
