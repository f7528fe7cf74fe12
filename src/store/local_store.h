// The Store's parts: checks and memory on the executor's thread, commits on the writer's.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>

#include "store/archive_index.h"
#include "store/commit_thread.h"
#include "store/disk_reader.h"
#include "store/memory.h"
#include "store/node_watches.h"
#include "store/poster.h"
#include "store/store.h"
#include "store/watch_hub.h"

namespace tiphys::store {

class LocalStore final : public Store {
 public:
  struct Connections {
    Database writer;
    std::optional<Database> reader;  ///< none: the writer's is used (inline commits)
  };

  LocalStore(StoreOptions options, std::unique_ptr<Vault> vault, std::unique_ptr<Connections> connections,
             std::unique_ptr<BatchWriter> writer);
  ~LocalStore() override;

  // store_reads.cc
  void get(const cluster::Key& key, cluster::Done<cluster::Object> done) override;
  void list(const cluster::Resource& resource, cluster::ListOptions options,
            cluster::Done<cluster::List> done) override;
  std::unique_ptr<cluster::Watch> watch(const cluster::Resource& resource, cluster::WatchOptions options,
                                        cluster::WatchSink sink) override;
  std::unique_ptr<cluster::Watch> watch_nodes(const cluster::Key& workflow, NodeSink sink) override;
  std::unique_ptr<cluster::Watch> read_log(const cluster::Key& pod, cluster::LogOptions options,
                                           cluster::LogSink sink) override;
  void read_journal(std::string workflow_uid, std::uint64_t from_sequence,
                    cluster::Done<std::vector<cluster::JournalEntry>> done) override;
  void set_admission(Admission* admission) override { admission_ = admission; }
  void set_log_reader(LogReader reader) override { log_reader_ = std::move(reader); }

  // store_archive.cc
  void list_archive(ArchiveQuery query, cluster::Done<ArchivePage> done) override;
  void get_archived(ArchivedName which, cluster::Done<cluster::Object> done) override;
  void remove_archived(std::string uid, cluster::Done<void> done) override;
  void archive_labels(std::string ns, std::string key, cluster::Done<std::vector<std::string>> done) override;
  void set_archive_notice(std::function<void()> notice) override { archive_notice_ = std::move(notice); }
  void confirm_archived(std::string uid, std::string resource_version, cluster::Done<void> done) override;
  Result<bool> has_ended(std::string_view uid) override;

  // store_writes.cc
  void create(const cluster::Resource& resource, doc::Value object, cluster::Done<cluster::Object> done) override {
    create(resource, std::move(object), WriteOptions{}, std::move(done));
  }
  void create(const cluster::Resource& resource, doc::Value object, WriteOptions options,
              cluster::Done<cluster::Object> done) override;
  void modify(const cluster::Key& key, Make make, WriteOptions options, cluster::Done<cluster::Object> done) override;
  void update(const cluster::Key& key, doc::Value object, cluster::Done<cluster::Object> done) override;
  void patch(const cluster::Key& key, cluster::PatchType type, doc::Value patch,
             cluster::Done<cluster::Object> done) override;
  void remove(const cluster::Key& key, cluster::DeleteOptions options, cluster::Done<cluster::Object> done) override;
  void update_workflow_status(const cluster::Key& key, cluster::WorkflowStatusUpdate update,
                              cluster::Done<void> done) override;

  Result<std::vector<cluster::Object>> snapshot(const cluster::Resource& resource) override;
  bool has(const cluster::Key& key) override { return committed(*key.resource, {key.ns, key.name}).has_value(); }
  Result<cluster::Object> newest(const cluster::Key& key) override;
  std::uint64_t resource_version() const override { return hub_.version(); }
  const Error* degraded() const override { return degraded_ ? &*degraded_ : nullptr; }

 private:
  struct ListJob;
  struct ArchiveJob;
  struct LabelsJob;
  struct LogReading;
  /// What an owner that is gone left behind, or what one that goes has go first or lets go.
  struct Garbage {
    std::string uid;
    std::string ns;   ///< not empty: everything in this namespace instead of what `uid` owns
    Address after;    ///< how far the objects in memory have been gone through
    Address owner{};  ///< without a resource: it is gone
    std::int64_t after_id = 0;
    bool memory_done = false;
    bool objects_done = false;
    bool again = false;    ///< something has changed that was passed already
    bool blocked = false;  ///< a dependent is there yet, and its owner waits for it

    void start_over() { *this = {.uid = std::move(uid), .ns = std::move(ns), .after = {}, .owner = std::move(owner)}; }
  };

  // local_store.cc: batches
  /// Whether a write may be accepted now.
  Status admit() const;
  void enqueue(Write write);
  void apply(const Change& change);
  void flush_in(int turns);
  void flush();
  bool write_here(Batch& batch);
  void deliver(Batch batch);
  void settle(const Change& change);
  void fail_all(Batch batch);
  void forget_pending(const Batch& batch);
  void degrade(const Error& cause);
  void run_waiting(std::uint64_t ticket);
  /// Runs `task` in a later turn, once the write with this ticket is on disk or has failed.
  void after(std::uint64_t ticket, Executor::Task task);
  std::uint64_t next_version() { return ++last_version_; }

  // store_reads.cc
  Status load(const cluster::Resource& resource);
  std::uint64_t ticket_of(const cluster::Resource& resource, const Name& name);
  std::uint64_t ticket_of(const cluster::Resource& resource) const;
  Result<RevisionPtr> committed(const cluster::Resource& resource, const Name& name);
  Status add(ListJob& job, const Revision& revision);
  Result<cluster::Object> object_with_nodes(const Revision& revision);
  Result<cluster::List> newest_ended(const cluster::ListOptions& options);
  Result<cluster::Object> read(const cluster::Key& key);
  void list_slice(std::shared_ptr<ListJob> job);

  // store_writes.cc
  /// The object as it will be once all pending writes are on disk; null when there is none.
  Result<RevisionPtr> current(const cluster::Resource& resource, const Name& name);
  Result<RevisionPtr> current_or_error(const cluster::Resource& resource, const Name& name);
  Status check_namespace(const cluster::Resource& resource, const doc::Value& object);
  Result<Name> free_name(const cluster::Resource& resource, const doc::Value& object);
  Result<Change> make_create(const cluster::Resource& resource, doc::Value object);
  /// What else becomes of a write that is otherwise fine.
  Result<std::vector<Change>> charge(const Change& change);
  Result<Change> make_update(const cluster::Resource& resource, const Name& name, RevisionPtr before,
                             doc::Value object);
  Result<Change> make_status_update(const Name& name, cluster::WorkflowStatusUpdate update);
  Result<Change> make_remove(const cluster::Resource& resource, const Name& name,
                             const cluster::DeleteOptions& options);
  Result<Change> make_deletion(const cluster::Resource& resource, const Name& name, RevisionPtr before);
  Change make_termination(const cluster::Resource& resource, const Name& name, RevisionPtr before,
                          std::int64_t grace_seconds);
  /// Writes the change and answers with its object; a change of nothing, or one that is only tried, is answered once
  /// what it rests on is on disk.
  void commit(Result<Change> change, bool dry_run, cluster::Done<cluster::Object> done);

  // garbage.cc
  bool owns_anything(const Revision& owner);
  Result<bool> owner_exists(const doc::Value& reference, const std::string& ns);
  void collect_orphan(const cluster::Resource& resource, const Name& name, const RevisionPtr& revision);
  void collect(std::string uid, std::string ns);
  void collect(Garbage garbage);
  void collect_step();
  Result<std::vector<Address>> next_garbage(Garbage& garbage);
  Result<std::optional<Change>> make_collection(const Address& address, Garbage& garbage);
  /// Takes the first reference from an object that others own as well; null: there is no other.
  Result<std::optional<Change>> make_disowned(const Address& address, const RevisionPtr& before);
  void purge_rows();

  // propagation.cc
  /// Whether an object has what it owns go before it, or lets it go, and the store does that.
  bool propagates(const cluster::Resource& resource, const Revision& revision) const;
  void propagate(const Address& owner, const std::string& uid);
  /// What a change on disk means for owners that wait.
  void follow_dependents(const Change& change);
  Result<std::optional<Change>> make_propagation(const Address& address, Garbage& garbage);
  void end_propagation();
  Result<Change> make_release(const Address& owner);

  // store_archive.cc
  void archive_slice(std::shared_ptr<ArchiveJob> job);
  /// Whether the page is whole.
  Result<bool> fill_page(ArchiveJob& job);
  void labels_slice(std::shared_ptr<LabelsJob> job);
  /// The workflow of a row, from its object or from the archive; null: it has gone since.
  Result<RevisionPtr> archived_revision(const ArchiveRow& row);
  Result<std::optional<ArchiveRow>> ended_row(std::string_view uid);
  Result<ArchiveRow> archived_row(const ArchivedName& which);
  Status unarchive(const std::string& uid, cluster::Done<void>& done);
  Status confirm(const std::string& uid, std::string_view resource_version, cluster::Done<void>& done);
  /// The object of a row as it will be; null: only the archive has the workflow.
  Result<RevisionPtr> object_of(const ArchiveRow& row);
  Status remark(const ArchiveRow& row, RevisionPtr object, const char* mark, Write& write);
  void write_archive(Write write, std::string uid, cluster::Done<void> done);

  // archive_expiry.cc
  /// Takes out what is too old, and sees to it that the next goes when it is.
  void expire_archived();
  void expect_old_archived(Time when);

  // old_events.cc
  /// Follows the number of Event objects, and sees to it that old and surplus ones go.
  void count_event(const Change& change);
  void trim_events();
  void expect_old_events(Time when);

  Executor& executor_;
  Random& random_;
  const bool inline_commits_;
  const bool read_only_;
  const std::size_t most_pending_rows_;
  const Duration retry_after_;
  const std::size_t most_kept_events_;
  const std::optional<cluster::Selector> archive_;
  const bool archived_elsewhere_;
  const Duration archive_ttl_;

  const std::unique_ptr<Vault> vault_;
  std::unique_ptr<Connections> connections_;
  std::unique_ptr<BatchWriter> writer_;
  DiskReader disk_;
  ArchiveIndex archive_index_;
  Memory memory_;
  Poster poster_;
  WatchHub hub_;
  NodeWatches node_watches_;
  LogReader log_reader_;
  Admission* admission_ = nullptr;
  std::function<void()> archive_notice_;

  std::set<const cluster::Resource*> loaded_;
  std::uint64_t last_version_;
  Batch pending_;
  std::size_t pending_rows_ = 0;  ///< also those under way
  bool flush_posted_ = false;
  std::uint64_t last_ticket_ = 0;
  std::uint64_t submitted_ticket_ = 0;  ///< the newest that the thread was given
  std::uint64_t done_ticket_ = 0;
  int not_here_ = 0;  ///< commits to come that are the thread's
  std::unordered_map<const cluster::Resource*, std::uint64_t> resource_tickets_;
  std::multimap<std::uint64_t, Executor::Task> waiting_;

  std::optional<Error> degraded_;
  Executor::TimerId retry_timer_ = 0;
  std::deque<Garbage> garbage_;
  std::map<std::string, Address, std::less<>> waiting_owners_;  ///< by uid
  bool collecting_ = false;
  std::optional<std::size_t> kept_events_;  ///< once counted
  bool trimming_ = false;
  Executor::TimerId events_timer_ = 0;  ///< for the next that will be old
  bool expiring_ = false;
  Executor::TimerId archive_timer_ = 0;  ///< the same of the archive

  /// Last, so that it ends first.
  std::unique_ptr<CommitThread> thread_;
};

}  // namespace tiphys::store
