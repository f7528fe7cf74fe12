// Stores for tests: the real one, in memory or on a file of its own, driven by virtual time. It is the fake of every
// layer that needs a Cluster.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/check.h"
#include "base/simulated_executor.h"
#include "store/store.h"

namespace tiphys::store {

/// A directory that goes with its owner.
class TempDir {
 public:
  /// In memory where the host has such a file system: for tests of many commits, to which a disk adds only time.
  static std::string memory() {
    return ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : std::filesystem::temp_directory_path().native();
  }

  TempDir() : TempDir(std::filesystem::temp_directory_path().native()) {}
  explicit TempDir(const std::string& parent) {
    std::string pattern = parent + "/tiphys-XXXXXX";
    const char* made = ::mkdtemp(pattern.data());
    TIPHYS_CHECK(made, "the directory for temporary files can be written");
    path_ = made;
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// StoreOptions::before_commit of a disk that is full for the next `left` commits.
template <typename Count>
std::function<Status()> full_disk(Count& left) {
  return [&left]() -> Status {
    if (left == 0) return {};
    --left;
    return fail(Code::kResourceExhausted, "disk full");
  };
}

/// A store that commits on `executor`; run it to get answers.
inline std::unique_ptr<Store> make_test_store(Executor& executor, Random& random, std::string path = ":memory:") {
  auto store = Store::open({.path = std::move(path), .executor = executor, .random = random, .inline_commits = true});
  TIPHYS_CHECK(store, "a test's store can be opened");
  return std::move(*store);
}

/// A store with its own virtual time, whose calls wait for their answers.
class TestStore {
 public:
  struct Options {
    std::string path = ":memory:";
    std::string secrets_key = "";
    std::size_t most_pending_rows = 200'000;
    std::size_t most_logged_changes = 4096;
    std::size_t most_logged_bytes = 2U << 20;
    std::size_t most_kept_events = 10'000;
    std::optional<cluster::Selector> archive = {};
    bool archived_elsewhere = false;
    Duration archive_ttl{};
    std::size_t most_database_bytes = 0;
    bool read_only = false;
    std::function<Status()> before_commit = {};
    /// Two stores of one database need two, or they give the same uids.
    std::uint64_t seed = 1;
  };

  TestStore() : TestStore(Options{}) {}
  explicit TestStore(Options options) : random_(options.seed) {
    auto opened = Store::open({.path = std::move(options.path),
                               .secrets_key = std::move(options.secrets_key),
                               .executor = executor_,
                               .random = random_,
                               .inline_commits = true,
                               .read_only = options.read_only,
                               .most_pending_rows = options.most_pending_rows,
                               .most_logged_changes = options.most_logged_changes,
                               .most_logged_bytes = options.most_logged_bytes,
                               .most_kept_events = options.most_kept_events,
                               .archive = std::move(options.archive),
                               .archived_elsewhere = options.archived_elsewhere,
                               .archive_ttl = options.archive_ttl,
                               .most_database_bytes = options.most_database_bytes,
                               .before_commit = std::move(options.before_commit)});
    TIPHYS_CHECK(opened, "a test's store can be opened");
    store_ = std::move(*opened);
  }

  Store& store() { return *store_; }
  Store* operator->() { return store_.get(); }
  SimulatedExecutor& executor() { return executor_; }
  /// Gives all answers and events that are due, without moving time.
  void run() { executor_.run_ready(); }

  /// Calls `start` with a function for the answer, and waits for that.
  template <typename T>
  Result<T> wait(std::move_only_function<void(cluster::Done<T>)> start) {
    std::optional<Result<T>> answer;
    start([&](Result<T>&& result) { answer = std::move(result); });
    while (!answer && executor_.step()) {
    }
    TIPHYS_CHECK(answer, "each call is answered");
    return std::move(*answer);
  }

  Result<cluster::Object> create(const cluster::Resource& resource, doc::Value object) {
    return wait<cluster::Object>([&](auto done) { store_->create(resource, std::move(object), std::move(done)); });
  }
  Result<cluster::Object> get(const cluster::Key& key) {
    return wait<cluster::Object>([&](auto done) { store_->get(key, std::move(done)); });
  }
  Result<cluster::List> list(const cluster::Resource& resource, cluster::ListOptions options = {}) {
    return wait<cluster::List>([&](auto done) { store_->list(resource, std::move(options), std::move(done)); });
  }
  Result<cluster::Object> update(const cluster::Key& key, doc::Value object) {
    return wait<cluster::Object>([&](auto done) { store_->update(key, std::move(object), std::move(done)); });
  }
  Result<cluster::Object> patch(const cluster::Key& key, cluster::PatchType type, doc::Value patch) {
    return wait<cluster::Object>([&](auto done) { store_->patch(key, type, std::move(patch), std::move(done)); });
  }
  Result<cluster::Object> remove(const cluster::Key& key, cluster::DeleteOptions options = {}) {
    return wait<cluster::Object>([&](auto done) { store_->remove(key, std::move(options), std::move(done)); });
  }
  Status update_workflow_status(const cluster::Key& key, cluster::WorkflowStatusUpdate update) {
    return wait<void>([&](auto done) { store_->update_workflow_status(key, std::move(update), std::move(done)); });
  }
  Result<ArchivePage> list_archive(ArchiveQuery query = {}) {
    return wait<ArchivePage>([&](auto done) { store_->list_archive(std::move(query), std::move(done)); });
  }
  Result<cluster::Object> get_archived(ArchivedName which) {
    return wait<cluster::Object>([&](auto done) { store_->get_archived(std::move(which), std::move(done)); });
  }
  Status remove_archived(std::string uid) {
    return wait<void>([&](auto done) { store_->remove_archived(std::move(uid), std::move(done)); });
  }
  Result<std::vector<std::string>> archive_labels(std::string ns, std::string key = "") {
    return wait<std::vector<std::string>>(
        [&](auto done) { store_->archive_labels(std::move(ns), std::move(key), std::move(done)); });
  }
  Result<std::vector<cluster::JournalEntry>> journal(const std::string& workflow_uid, std::uint64_t from = 0) {
    return wait<std::vector<cluster::JournalEntry>>(
        [&](auto done) { store_->read_journal(workflow_uid, from, std::move(done)); });
  }

 private:
  SimulatedExecutor executor_;
  SeededRandom random_;
  std::unique_ptr<Store> store_;
};

}  // namespace tiphys::store
