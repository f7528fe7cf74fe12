// Which workflows a list is of, in which order, and which page of it. Original: server/utils/list_options.go.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "argo/work.h"
#include "store/archive.h"

namespace tiphys::argo {

struct WorkflowQuery {
  cluster::ListOptions options{};  ///< namespace and labels
  using NameFilter = store::ArchiveQuery::NameMatch;
  NameFilter name_filter = NameFilter::kExact;
  std::string name{}, name_prefix{}, other_than_namespace{};
  Time started_after{}, started_before{}, created_after{}, finished_before{};  ///< unset: any
  std::size_t limit = 0;                                                       ///< 0: all
  std::size_t offset = 0;
  bool counts_rest = false;  ///< remainingItemCount is wanted

  /// From listOptions, nameFilter, namePrefix, createdAfter and finishedBefore of a request. kInvalidArgument names
  /// what cannot be read.
  static Result<WorkflowQuery> read(const Work& work);

  bool matches(const doc::Value& workflow) const;
};

/// Running ones first, then by the time of their ends, the newest first.
void sort_for_list(std::vector<cluster::Object>& workflows);

}  // namespace tiphys::argo
