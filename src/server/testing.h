// A small plane in memory for tests of what speaks to a Cluster: no persistence, no controllers.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/executor.h"
#include "store/store.h"

namespace tiphys::server {

class FakeCluster final : public store::Store {
 public:
  /// Has the namespace "default".
  explicit FakeCluster(Executor& executor);

  struct LogLine {
    std::string text;
    Time at{};
    std::string stream = "stdout";
  };

  /// What read_log gives for a pod of this name, then the end; kNotFound for others.
  std::map<std::string, std::vector<LogLine>> logs;
  /// How often log readings were asked to pause and to go on.
  std::size_t pauses = 0, resumptions = 0;
  /// Logs of these pods stay open until end_logs().
  std::set<std::string> open_logs;
  /// Fails every call from now on.
  std::optional<Error> broken;

  /// Sets or, with empty json, deletes a node of a workflow and tells its watchers.
  void set_node(const cluster::Key& workflow, const std::string& id, const std::string& json);
  void end_watches(const Error& error);
  void end_logs();
  std::size_t open_watches() const { return watches_.size() + node_watches_.size() + log_readings_.size(); }
  const doc::Value* find(const cluster::Key& key) const;

  void get(const cluster::Key& key, cluster::Done<cluster::Object> done) override;
  void list(const cluster::Resource& resource, cluster::ListOptions options,
            cluster::Done<cluster::List> done) override;
  void create(const cluster::Resource& resource, doc::Value object, cluster::Done<cluster::Object> done) override {
    create(resource, std::move(object), {}, std::move(done));
  }
  void create(const cluster::Resource& resource, doc::Value object, store::WriteOptions options,
              cluster::Done<cluster::Object> done) override;
  void modify(const cluster::Key& key, Make make, store::WriteOptions options,
              cluster::Done<cluster::Object> done) override;
  void update(const cluster::Key& key, doc::Value object, cluster::Done<cluster::Object> done) override;
  void patch(const cluster::Key& key, cluster::PatchType type, doc::Value patch,
             cluster::Done<cluster::Object> done) override;
  void remove(const cluster::Key& key, cluster::DeleteOptions options, cluster::Done<cluster::Object> done) override;
  void update_workflow_status(const cluster::Key& key, cluster::WorkflowStatusUpdate update,
                              cluster::Done<void> done) override;
  std::unique_ptr<cluster::Watch> watch(const cluster::Resource& resource, cluster::WatchOptions options,
                                        cluster::WatchSink sink) override;
  std::unique_ptr<cluster::Watch> watch_nodes(const cluster::Key& workflow, NodeSink sink) override;
  std::unique_ptr<cluster::Watch> read_log(const cluster::Key& pod, cluster::LogOptions options,
                                           cluster::LogSink sink) override;

  void set_log_reader(LogReader) override {}
  void read_journal(std::string, std::uint64_t, cluster::Done<std::vector<cluster::JournalEntry>> done) override {
    answer<std::vector<cluster::JournalEntry>>(std::move(done), std::vector<cluster::JournalEntry>());
  }
  void list_archive(store::ArchiveQuery, cluster::Done<store::ArchivePage> done) override { done(no_archive()); }
  void get_archived(store::ArchivedName, cluster::Done<cluster::Object> done) override { done(no_archive()); }
  void remove_archived(std::string, cluster::Done<void> done) override { done(no_archive()); }
  void archive_labels(std::string, std::string, cluster::Done<std::vector<std::string>> done) override {
    done(no_archive());
  }
  void set_archive_notice(std::function<void()>) override {}
  void confirm_archived(std::string, std::string, cluster::Done<void> done) override { done(no_archive()); }
  Result<bool> has_ended(std::string_view) override { return false; }
  Result<std::vector<cluster::Object>> snapshot(const cluster::Resource& resource) override {
    std::vector<cluster::Object> found;
    for (const auto& [key, object] : objects_) {
      if (key.resource == &resource) found.push_back(object);
    }
    return found;
  }
  bool has(const cluster::Key& key) override { return objects_.contains(key); }
  Result<cluster::Object> newest(const cluster::Key& key) override {
    const auto found = objects_.find(key);
    return found == objects_.end() ? nullptr : found->second;
  }
  void set_admission(store::Admission*) override {}
  std::uint64_t resource_version() const override { return version_; }
  const Error* degraded() const override { return nullptr; }

 private:
  struct ObjectWatch;
  struct NodeWatch;
  struct LogReading;

  static std::unexpected<Error> no_archive() { return fail(Code::kUnimplemented, "this plane has no archive"); }
  template <typename T>
  void answer(cluster::Done<T> done, Result<T> result);
  void tell(cluster::WatchEvent::Type type, const cluster::Key& key, const cluster::Object& object);
  cluster::Object store(const cluster::Key& key, doc::Value object);
  cluster::Object with_nodes(const cluster::Key& key, const cluster::Object& object) const;

  Executor& executor_;
  std::uint64_t version_ = 100;
  std::uint64_t names_ = 0;
  std::map<cluster::Key, cluster::Object> objects_;
  std::map<cluster::Key, std::map<std::string, std::string>> nodes_;
  std::set<ObjectWatch*> watches_;
  std::set<NodeWatch*> node_watches_;
  std::set<LogReading*> log_readings_;
};

}  // namespace tiphys::server
