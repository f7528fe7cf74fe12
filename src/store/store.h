// The embedded plane's objects: Kubernetes' semantics over one SQLite database.
//
// What was acknowledged, or told to a watch, is on disk. Reads show committed state; a read that follows a write of the
// same caller waits for it. README.md tells how it works.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/executor.h"
#include "base/random.h"
#include "cluster/cluster.h"
#include "store/archive.h"

namespace tiphys::store {

struct StoreOptions {
  /// The database's file; made when missing. ":memory:" with inline_commits only.
  std::string path;
  /// The file of the key that seals Secrets; "": they are stored in clear text.
  std::string secrets_key = {};
  /// Both must outlive the store, and the executor must run until pending answers have come: a commit on the writer's
  /// thread is no work that an io_context knows of.
  Executor& executor;
  Random& random;
  /// Commit on the executor's thread instead of one of its own: deterministic, for simulations and tests.
  bool inline_commits = false;
  /// Writes are refused with kFailedPrecondition.
  bool read_only = false;
  /// Rows that may wait to be written; beyond, writes are refused with kResourceExhausted.
  std::size_t most_pending_rows = 200'000;
  /// What a watch can be resumed from, per resource: the newest changes, while their objects have less JSON than that.
  std::size_t most_logged_changes = 4096;
  std::size_t most_logged_bytes = 2U << 20;
  /// Objects of kind Event that are kept; beyond, the oldest go.
  std::size_t most_kept_events = 10'000;
  /// Workflows with these labels are marked as they complete (workflows.argoproj.io/workflow-archiving-status), and
  /// what is marked stays in the archive when its object is deleted. Nothing: none is marked.
  std::optional<cluster::Selector> archive = {};
  /// The archive is somewhere else, and what is marked is Pending until confirm_archived(): it stays here that long if
  /// its object is deleted.
  bool archived_elsewhere = false;
  /// How long after its end the archive has what has no object any more; 0: for ever.
  Duration archive_ttl{};
  /// The largest size of the database; 0: SQLite's own (16 TiB).
  std::size_t most_database_bytes = 0;
  /// How long after a failed commit writes are refused; then writing is tried again with the next write.
  Duration retry_after = std::chrono::seconds(1);
  /// Called before each commit, on the writer's thread; an error fails the commit. For fault injection.
  std::function<Status()> before_commit = {};
};

struct WriteOptions {
  bool dry_run = false;  ///< what would be answered, and nothing done
};

/// Has a say in what is written, whoever writes it: it is called in the turn of the write, so that nothing comes
/// between.
class Admission {
 public:
  virtual ~Admission() = default;
  struct Also {
    cluster::Key key;
    doc::Value object;
  };

  /// Fills in a new object, or refuses it.
  virtual Status admit(const cluster::Resource& resource, doc::Value& object) = 0;
  /// Whether `charge` wants to be asked about such an object; "" for what has no namespace.
  virtual bool charges(const cluster::Resource& resource, const std::string& ns) = 0;
  /// Refuses a write that nothing else stands against, or gives what other objects become along with it, in the same
  /// transaction. `before` is null for a new object.
  virtual Result<std::vector<Also>> charge(const cluster::Resource& resource, const doc::Value* before,
                                           const doc::Value& after) = 0;
  /// A change is on disk. Null before: the object is new; null after: it is gone.
  virtual void settled(const cluster::Resource& resource, const cluster::Object& before,
                       const cluster::Object& after) = 0;
  /// Whether `settled` is of interest.
  virtual bool follows(const cluster::Resource& resource, const std::string& ns) = 0;
};

class Store : public cluster::Cluster, public Archive {
 public:
  /// kFailedPrecondition: a newer version wrote the database. kDataLoss: it is damaged.
  static Result<std::unique_ptr<Store>> open(StoreOptions options);

  /// Pending writes are still written; their answers are dropped.
  ~Store() override = default;

  using cluster::Cluster::create;
  virtual void create(const cluster::Resource& resource, doc::Value object, WriteOptions options,
                      cluster::Done<cluster::Object> done) = 0;
  /// Makes an object from its newest state; null: there is none, and what comes of it is created.
  using Make = std::move_only_function<Result<doc::Value>(const cluster::Object& newest)>;
  /// Writes what `make` gives, which is called before this returns: nothing comes between. A namespace of its own is
  /// what a `key` says.
  virtual void modify(const cluster::Key& key, Make make, WriteOptions options,
                      cluster::Done<cluster::Object> done) = 0;

  /// Outlives the store, or is taken back with null.
  virtual void set_admission(Admission* admission) = 0;

  using LogReader = std::function<std::unique_ptr<cluster::Watch>(cluster::Object pod, cluster::LogOptions options,
                                                                  cluster::LogSink sink)>;
  /// What reads the logs of pods; without one read_log ends with kUnimplemented.
  virtual void set_log_reader(LogReader reader) = 0;

  /// Transitions of one workflow from `from_sequence` on, at most a thousand; go on from the last one's sequence + 1
  /// until none comes. The entries stay until the workflow is deleted.
  virtual void read_journal(std::string workflow_uid, std::uint64_t from_sequence,
                            cluster::Done<std::vector<cluster::JournalEntry>> done) = 0;

  // With StoreOptions::archived_elsewhere. What has to go there is what ArchiveQuery::kept_only finds here.

  /// `notice` is called when there is something more of it. Null: no more.
  virtual void set_archive_notice(std::function<void()> notice) = 0;
  /// The other archive has a workflow as it was at this resource version: an object that is still so is marked
  /// Archived, and what is here of one without an object goes. Of any other nothing is done.
  virtual void confirm_archived(std::string uid, std::string resource_version, cluster::Done<void> done) = 0;
  /// Whether a list of what has ended would show it, were all asked for.
  virtual Result<bool> has_ended(std::string_view uid) = 0;

  /// What readers see at present of a resource whose objects are all in memory (not of workflows, pods and events), in
  /// order of namespace and name.
  virtual Result<std::vector<cluster::Object>> snapshot(const cluster::Resource& resource) = 0;
  /// Whether readers see such an object at present.
  virtual bool has(const cluster::Key& key) = 0;
  /// The object as it will be once all pending writes are on disk, which writes are checked against; null: there is
  /// none.
  virtual Result<cluster::Object> newest(const cluster::Key& key) = 0;
  /// The newest resource version that readers can have seen.
  virtual std::uint64_t resource_version() const = 0;
  /// Why writes are refused at present: a commit has failed. Null when they are not.
  virtual const Error* degraded() const = 0;
};

}  // namespace tiphys::store
