// The logs of several pods as one stream: a workflow's, or all that have certain labels.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/executor.h"
#include "cluster/cluster.h"

namespace tiphys::argo {

struct PodLogRequest {
  cluster::Key workflow{};  ///< without a name: all pods of its namespace that the selector means
  std::string pod{};        ///< "" for all of the workflow's
  std::string selector{};   ///< labels of pods
  std::string grep{};       ///< RE2
  cluster::LogOptions options{};
};

struct LogLine {
  Time at;
  cluster::Object pod;
  std::string content;  ///< led by its time with options.timestamps
};

struct PodLogSink {
  /// Lines in the order in which they were written.
  std::move_only_function<void(const std::vector<LogLine>& lines)> on_lines;
  /// A log that cannot be read, or not to its end.
  std::move_only_function<void(std::string_view pod, const Error& error)> on_trouble;
  /// With options.follow when the workflow has ended and all is read, without one never. kNotFound: no such workflow,
  /// pod or container.
  std::move_only_function<void(Status)> on_end;
};

/// Pods that start meanwhile join. Ends the reading when destroyed; the sink may do that.
std::unique_ptr<cluster::Watch> read_pod_logs(Executor& executor, cluster::Cluster& cluster, PodLogRequest request,
                                              PodLogSink sink);

}  // namespace tiphys::argo
