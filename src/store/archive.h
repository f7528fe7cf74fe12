// What has ended, to be searched: by name, labels, phase and time, whether its object is still there or the archive has
// kept it. Nothing here knows of a database.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cluster/cluster.h"

namespace tiphys::store {

/// Which workflows that have ended. Those that began last come first; of the same second, those that ended last.
struct ArchiveQuery {
  std::string ns{};             ///< "" for all
  std::string other_than_ns{};  ///< "" for none; not along with `ns`
  enum class NameMatch { kExact, kPrefix, kContains, kNotEquals };
  std::string name{};  ///< "" for any
  NameMatch name_match = NameMatch::kExact;
  std::string name_prefix{};  ///< besides
  cluster::Selector labels{};
  /// Exclusive bounds; unset: none. Whole seconds, as workflows have them.
  Time started_after{}, started_before{}, created_after{}, finished_before{};
  bool kept_only = false;         ///< only what the archive keeps, or will keep when its object is deleted
  bool without_archived = false;  ///< leave out what is marked as archived
  bool with_nodes = false;        ///< give status.nodes, too: costs reading every node

  /// A page: `after` is ArchivePage::next of the one before, which costs nothing of what was before; `offset` counts
  /// what is passed over from there on.
  std::string after{};
  std::size_t offset = 0;
  std::size_t limit = 0;     ///< 0: as many as fit into some 16 MiB, which also ends a page with a limit early
  bool counts_rest = false;  ///< ArchivePage::rest is wanted
};

struct ArchivePage {
  std::vector<cluster::Object> items;
  std::vector<std::string> places;  ///< ArchiveQuery::after that goes on behind each item
  std::string next;                 ///< the last of them; "": there is no more
  std::optional<std::size_t> rest;  ///< how many come behind this page, if asked for
};

/// What the archive keeps, by its uid, or the one of a name that began last.
struct ArchivedName {
  std::string uid{};
  std::string ns{}, name{};  ///< both, where `uid` is ""
};

/// All calls are as those of cluster::Cluster: on the executor's thread, answered later.
class Archive {
 public:
  virtual ~Archive() = default;

  /// A page of what has ended, an object's own row gone or not. kInvalidArgument: `query.after` is no place.
  virtual void list_archive(ArchiveQuery query, cluster::Done<ArchivePage> done) = 0;
  /// What the archive keeps, nodes included. kNotFound: it has no such workflow.
  virtual void get_archived(ArchivedName which, cluster::Done<cluster::Object> done) = 0;
  /// Takes a workflow out of the archive. One whose object is there loses its mark alone. kNotFound as above.
  virtual void remove_archived(std::string uid, cluster::Done<void> done) = 0;
  /// The keys of the labels of what has ended, or with a `key` its values; in order, at most 10,000. With a namespace,
  /// of its newest 10,000 workflows.
  virtual void archive_labels(std::string ns, std::string key, cluster::Done<std::vector<std::string>> done) = 0;
};

/// What marks a workflow that the archive will keep when its object is deleted.
inline constexpr const char* kArchivingStatusLabel = "workflows.argoproj.io/workflow-archiving-status";
inline constexpr const char* kPendingStatus = "Pending";      ///< it is on its way into another archive
inline constexpr const char* kArchivedStatus = "Archived";    ///< of a workflow whose object is there
inline constexpr const char* kPersistedStatus = "Persisted";  ///< of one that only the archive has

}  // namespace tiphys::store
