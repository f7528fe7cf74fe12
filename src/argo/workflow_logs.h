// The logs of a workflow's pods as one stream.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/executor.h"
#include "cluster/cluster.h"

namespace tiphys::argo {

struct LogRequest {
  cluster::Key workflow{};
  std::string pod{};       ///< "" for all of the workflow's
  std::string selector{};  ///< labels of pods
  std::string grep{};      ///< RE2
  cluster::LogOptions options{};
};

struct LogLine {
  Time at;
  std::string pod, content;  ///< led by its time with options.timestamps
};

struct WorkflowLogSink {
  /// Lines in the order in which they were written.
  std::move_only_function<void(const std::vector<LogLine>& lines)> on_lines;
  /// A log that cannot be read, or not to its end.
  std::move_only_function<void(std::string_view pod, const Error& error)> on_trouble;
  /// With options.follow when the workflow has ended and all is read. kNotFound: no such workflow, pod or container.
  std::move_only_function<void(Status)> on_end;
};

/// Pods that start meanwhile join. Ends the reading when destroyed; the sink may do that.
std::unique_ptr<cluster::Watch> read_workflow_logs(Executor& executor, cluster::Cluster& cluster, LogRequest request,
                                                   WorkflowLogSink sink);

}  // namespace tiphys::argo
