#include "store/local_store.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/check.h"
#include "base/log.h"
#include "cluster/custom_definition.h"
#include "store/archive_writer.h"
#include "store/schema.h"

namespace tiphys::store {
namespace {

constexpr std::string_view kInMemory = ":memory:";
constexpr std::size_t kMostPerSubmission = 512;
/// Commits on the executor's thread: so many writes at once, and after a slow one for so many not.
constexpr std::size_t kMostWritesHere = 4;
constexpr auto kLongestCommitHere = std::chrono::milliseconds(2);
constexpr int kCommitsElsewhere = 100;
/// The watches are told, a reader collects what they tell, and writes.
constexpr int kTurnsToFlush = 4;

Status tune_writer(Database& database, const StoreOptions& options) {
  TIPHYS_CHECK_OK(database.execute("PRAGMA busy_timeout = 2000"));
  if (options.path != kInMemory) {
    Query mode = database.query("PRAGMA journal_mode = WAL");
    TIPHYS_TRY(const bool answered, mode.next());
    if (!answered || mode.text(0) != "wal") {
      return fail(
          Code::kFailedPrecondition,
          fmt::format("store {}: the file system has no shared memory, which the write-ahead log needs; choose a "
                      "data directory on a local disk",
                      options.path));
    }
  }
  // FULL: the log is synced at each commit. FAST: what is deleted is overwritten where that costs no further write.
  TIPHYS_CHECK_OK(database.execute(
      "PRAGMA synchronous = FULL; PRAGMA secure_delete = FAST; PRAGMA cache_size = -4096; PRAGMA temp_store = MEMORY; "
      "PRAGMA journal_size_limit = 8388608"));
  // The writer's thread does it between commits.
  if (!options.inline_commits) sqlite3_wal_autocheckpoint(database.get(), 0);
  if (options.most_database_bytes == 0) return {};
  TIPHYS_TRY(const auto page_bytes, database.value("PRAGMA page_size"));
  const auto pages = static_cast<std::int64_t>(options.most_database_bytes) / page_bytes;
  return database.execute(fmt::format("PRAGMA max_page_count = {}", pages).c_str());
}

Result<std::unique_ptr<LocalStore::Connections>> connect(const StoreOptions& options, Vault& vault) {
  TIPHYS_TRY(Database writer, Database::open(options.path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE));
  auto connections = std::make_unique<LocalStore::Connections>(std::move(writer), std::nullopt);
  TIPHYS_CHECK_OK(tune_writer(connections->writer, options));
  TIPHYS_CHECK_OK(prepare_schema(connections->writer, vault, options.random, options.executor.now()));
  if (options.inline_commits) return connections;
  TIPHYS_TRY(Database reader, Database::open(options.path, SQLITE_OPEN_READONLY));
  TIPHYS_CHECK_OK(reader.execute("PRAGMA busy_timeout = 2000; PRAGMA cache_size = -2048"));
  connections->reader = std::move(reader);
  return connections;
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(StoreOptions options) {
  TIPHYS_CHECK(options.path != kInMemory || options.inline_commits, "a store in memory has one connection");
  auto vault = std::make_unique<Vault>(options.secrets_key);
  TIPHYS_TRY(auto connections, connect(options, *vault));
  TIPHYS_TRY(auto writer,
             BatchWriter::make(connections->writer, *vault, options.archived_elsewhere, options.before_commit));
  return std::make_unique<LocalStore>(std::move(options), std::move(vault), std::move(connections), std::move(writer));
}

LocalStore::LocalStore(StoreOptions options, std::unique_ptr<Vault> vault, std::unique_ptr<Connections> connections,
                       std::unique_ptr<BatchWriter> writer)
    : executor_(options.executor),
      random_(options.random),
      inline_commits_(options.inline_commits),
      read_only_(options.read_only),
      most_pending_rows_(options.most_pending_rows),
      retry_after_(options.retry_after),
      most_kept_events_(options.most_kept_events),
      archive_(std::move(options.archive)),
      archived_elsewhere_(options.archived_elsewhere),
      archive_ttl_(options.archive_ttl),
      vault_(std::move(vault)),
      connections_(std::move(connections)),
      writer_(std::move(writer)),
      disk_(connections_->reader ? *connections_->reader : connections_->writer, *vault_),
      archive_index_(connections_->reader ? *connections_->reader : connections_->writer),
      poster_(options.executor),
      hub_(poster_, memory_, disk_, {.events = options.most_logged_changes, .bytes = options.most_logged_bytes},
           writer_->version_limit()),
      node_watches_(disk_),
      last_version_(writer_->version_limit()) {
  if (!inline_commits_) {
    thread_ = std::make_unique<CommitThread>(connections_->writer, *writer_, [this](Batch batch) {
      poster_.post([this, finished = std::move(batch)]() mutable { deliver(std::move(finished)); });
    });
  }
  // What the database holds of custom kinds has to be known by name.
  if (auto definitions = snapshot(cluster::kCustomResourceDefinitions); !definitions) {
    log::error("the definitions of custom resources cannot be read: {}", definitions.error().message);
  } else {
    for (const cluster::Object& definition : *definitions) {
      if (const auto names = cluster::names_of(*definition)) cluster::custom_resource(*names);
    }
  }
  if (read_only_) return;
  if (auto found = disk_.garbage(); !found) {
    log::error("what deleted objects left behind cannot be read: {}", found.error().message);
  } else {
    for (auto& [uid, ns] : *found) {
      // An owner may be there yet, and wait for what it owns.
      const auto owner = disk_.place_of(uid);
      if (!owner) log::error("what a deleted object left behind cannot be read: {}", owner.error().message);
      if (owner && *owner && ns.empty()) {
        propagate({(*owner)->resource, (*owner)->name}, uid);
      } else {
        collect(std::move(uid), std::move(ns));
      }
    }
  }
  expire_archived();
}

LocalStore::~LocalStore() {
  poster_.stop();
  executor_.cancel(retry_timer_);
  executor_.cancel(events_timer_);
  executor_.cancel(archive_timer_);
  if (thread_) {
    thread_->submit(std::move(pending_));
    thread_.reset();
    return;
  }
  if (pending_.writes.empty()) return;
  if (const Status written = writer_->write(pending_); !written) {
    log::error("the last writes are lost: {}", written.error().message);
  }
}

Status LocalStore::admit() const {
  if (read_only_) return fail(Code::kFailedPrecondition, "the store is open for reading only");
  if (degraded_) return std::unexpected(*degraded_);
  if (pending_rows_ >= most_pending_rows_) {
    return fail(Code::kResourceExhausted,
                fmt::format("{} rows wait to be written, no more are accepted; try again", pending_rows_));
  }
  return {};
}

void LocalStore::enqueue(Write write) {
  pending_.last_ticket = ++last_ticket_;
  pending_rows_ += write.rows();
  for (const Change& change : write.changes) apply(change);
  pending_.writes.push_back(std::move(write));
  // The thread begins while a long turn goes on.
  if (thread_ && pending_.writes.size() >= kMostPerSubmission) return flush();
  if (flush_posted_) return;
  flush_posted_ = true;
  flush_in(kTurnsToFlush);
}

/// So late that what this turn writes goes into one transaction, and also what those write who are told uncommitted.
void LocalStore::flush_in(int turns) {
  poster_.post([this, turns] {
    if (turns > 1) return flush_in(turns - 1);
    flush_posted_ = false;
    flush();
  });
}

void LocalStore::apply(const Change& change) {
  const Address address{change.resource, change.name};
  Entry* entry = memory_.find(*change.resource, change.name);
  if (!entry) entry = &memory_.load(address, change.before);
  if (change.object_changed) {
    memory_.set_current(address, *entry, change.after);
    hub_.announce(*change.resource, {.name = change.name,
                                     .before = change.before,
                                     .after = change.after,
                                     .last = change.last,
                                     .version = change.version,
                                     .by_status_update = change.by_status_update});
  }
  ++entry->pending;
  entry->last_ticket = last_ticket_;
  resource_tickets_[change.resource] = last_ticket_;
  pending_.last_version = change.version;
}

void LocalStore::flush() {
  if (pending_.writes.empty()) return;
  Batch batch = std::exchange(pending_, {});
  if (!thread_) {
    batch.outcome = writer_->write(batch);
    return deliver(std::move(batch));
  }
  if (write_here(batch)) return deliver(std::move(batch));
  submitted_ticket_ = batch.last_ticket;
  thread_->submit(std::move(batch));
}

/// Small batches, while the disk is quick: the thread would add more than it takes off this one.
bool LocalStore::write_here(Batch& batch) {
  if (not_here_ > 0) --not_here_;
  if (not_here_ > 0 || batch.writes.size() > kMostWritesHere || submitted_ticket_ > done_ticket_) return false;
  const auto begin = std::chrono::steady_clock::now();
  if (!thread_->try_write(batch)) return false;
  if (std::chrono::steady_clock::now() - begin > kLongestCommitHere) not_here_ = kCommitsElsewhere;
  return true;
}

void LocalStore::deliver(Batch batch) {
  if (!batch.outcome) return fail_all(std::move(batch));
  bool archived = false, noticed = false;
  for (const Write& write : batch.writes) {
    pending_rows_ -= write.rows();
    for (const Change& change : write.changes) {
      settle(change);
      if (change.resource != &cluster::kWorkflows || !change.object_changed) continue;
      const RevisionPtr& last = change.after ? change.after : change.before;
      const bool kept = archive_keeps(*last, archived_elsewhere_);
      archived = archived || (kept && !change.after);
      noticed = noticed || kept;
    }
  }
  if (batch.last_version != 0) hub_.set_version(batch.last_version);
  done_ticket_ = batch.last_ticket;
  for (Write& write : batch.writes) write.answer(batch.outcome, write.purge);
  run_waiting(batch.last_ticket);
  hub_.dispatch_new();
  for (const Write& write : batch.writes) {
    for (const Change& change : write.changes) {
      node_watches_.dispatch(change);
      if (!change.text) continue;
      change.after->keep_text(change.text);
      change.after->pack();
    }
  }
  // It may be older than what the timer waits for.
  if (archived) expire_archived();
  if (noticed && archived_elsewhere_ && archive_notice_) archive_notice_();
}

void LocalStore::settle(const Change& change) {
  Entry* entry = memory_.find(*change.resource, change.name);
  TIPHYS_CHECK(entry && entry->pending > 0, "an object with a pending write is in memory");
  --entry->pending;
  if (change.object_changed) {
    entry->committed = change.after;
    hub_.append(change.bytes);
    if (change.resource == &cluster::kEvents) count_event(change);
    if (admission_ && admission_->follows(*change.resource, change.name.ns)) {
      admission_->settled(*change.resource, change.before ? change.before->object() : nullptr,
                          change.after ? change.after->object() : nullptr);
    }
    follow_dependents(change);
    if (change.leaves_garbage && !change.after) {
      collect(std::string(change.before->uid()),
              change.resource == &cluster::kNamespaces ? change.name.name : std::string());
    }
  } else if (!change.nodes.empty()) {
    entry->nodes_version = change.version;
    hub_.append_nodes(change.name, entry->committed, change.version);
  }
  memory_.drop_if_idle({change.resource, change.name});
}

void LocalStore::fail_all(Batch batch) {
  const Status outcome = batch.outcome;
  degrade(outcome.error());
  Batch queued = thread_ ? thread_->recover() : Batch();
  queued.append(std::exchange(pending_, {}));
  forget_pending(batch);
  forget_pending(queued);
  pending_rows_ = 0;
  done_ticket_ = last_ticket_;
  const Status answer = std::unexpected(*degraded_);
  for (Batch* failed : {&batch, &queued}) {
    for (Write& write : failed->writes) write.answer(answer, write.purge);
  }
  run_waiting(done_ticket_);
  hub_.forget_uncommitted();
}

void LocalStore::forget_pending(const Batch& batch) {
  for (const Write& write : batch.writes) {
    for (const Change& change : write.changes) {
      const Address address{change.resource, change.name};
      Entry* entry = memory_.find(*change.resource, change.name);
      if (!entry) continue;
      entry->pending = 0;
      memory_.set_current(address, *entry, entry->committed);
      memory_.drop_if_idle(address);
    }
  }
}

void LocalStore::degrade(const Error& cause) {
  degraded_ = Error{cause.code, fmt::format("nothing can be written: {}; writing is tried again in {}", cause.message,
                                            format_go_duration(retry_after_))};
  log::error("{}", degraded_->message);
  executor_.cancel(retry_timer_);
  executor_.cancel(events_timer_);
  retry_timer_ = poster_.schedule(executor_.now() + retry_after_, [this] {
    retry_timer_ = 0;
    degraded_.reset();
    expire_archived();
    collect_step();
  });
}

void LocalStore::run_waiting(std::uint64_t ticket) {
  while (!waiting_.empty() && waiting_.begin()->first <= ticket) {
    auto node = waiting_.extract(waiting_.begin());
    node.mapped()();
  }
}

void LocalStore::after(std::uint64_t ticket, Executor::Task task) {
  if (ticket <= done_ticket_) {
    poster_.post(std::move(task));
  } else {
    waiting_.emplace(ticket, std::move(task));
  }
}

}  // namespace tiphys::store
