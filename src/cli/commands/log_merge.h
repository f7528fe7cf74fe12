// The logs of a workflow's pods as one stream.
#pragma once

#include <string>

#include "cli/session.h"
#include "cli/view/style.h"
#include "cluster/cluster.h"

namespace tiphys::cli {

struct LogRequest {
  cluster::Key workflow;
  std::string pod;       ///< "" for all of the workflow's
  std::string selector;  ///< labels of pods
  std::string grep;      ///< RE2
  cluster::LogOptions options;
  Style style;
};

/// Prints lines as "POD: LINE", in the order in which they were written. With options.follow until the workflow has
/// ended and all is read; pods that start meanwhile join. kNotFound: no such workflow.
Status print_logs(Session& session, const LogRequest& request);

}  // namespace tiphys::cli
