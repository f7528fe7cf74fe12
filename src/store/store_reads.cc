// Reads: committed state, memory over disk.
#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "store/local_store.h"
#include "store/metadata.h"
#include "store/workflow_nodes.h"

namespace tiphys::store {
namespace {

constexpr int kMostJournalEntries = 1000;
constexpr std::string_view kPhaseLabel = "workflows.argoproj.io/phase";

/// Where a list goes on: "namespace/name" of the last object it gave.
Result<Name> parse_continue_token(std::string_view token) {
  if (token.empty()) return Name{};
  const auto slash = token.find('/');
  if (slash == token.npos) {
    return fail(Code::kInvalidArgument, fmt::format("continue token \"{}\" is none that a list has given", token));
  }
  return Name{std::string(token.substr(0, slash)), std::string(token.substr(slash + 1))};
}

}  // namespace

/// A list under way, a slice in each turn.
struct LocalStore::ListJob {
  Scan scan;
  std::size_t limit;
  bool with_nodes;
  bool as_json;
  cluster::List list;

  std::size_t size() const { return as_json ? list.texts.size() : list.items.size(); }
  Name last{};
  std::optional<Error> failed{};
  bool more = false;
  cluster::Done<cluster::List> done;
};

Status LocalStore::load(const cluster::Resource& resource) {
  if (loaded_.contains(&resource)) return {};
  TIPHYS_TRY(auto rows, disk_.live(resource));
  for (DiskRow& row : rows) {
    // An object that is written to is in memory already.
    if (!memory_.find(resource, row.name)) memory_.load({&resource, row.name}, std::move(row.revision));
  }
  loaded_.insert(&resource);
  return {};
}

std::uint64_t LocalStore::ticket_of(const cluster::Resource& resource, const Name& name) {
  const Entry* entry = memory_.find(resource, name);
  return entry && entry->pending > 0 ? entry->last_ticket : 0;
}

std::uint64_t LocalStore::ticket_of(const cluster::Resource& resource) const {
  const auto found = resource_tickets_.find(&resource);
  return found == resource_tickets_.end() ? 0 : found->second;
}

Result<RevisionPtr> LocalStore::committed(const cluster::Resource& resource, const Name& name) {
  TIPHYS_CHECK_OK(load(resource));
  RevisionPtr found;
  if (const Entry* entry = memory_.find(resource, name)) {
    found = entry->committed;
  } else if (!all_in_memory(resource)) {
    TIPHYS_TRY(found, disk_.find(resource, name));
  }
  if (!found) return std::unexpected(not_found(resource, name.name));
  return found;
}

Result<cluster::Object> LocalStore::object_with_nodes(const Revision& revision) {
  TIPHYS_TRY(WholeWorkflow whole, whole_workflow(disk_, revision, {.newest = hub_.version()}));
  return std::move(whole.object);
}

Result<cluster::Object> LocalStore::read(const cluster::Key& key) {
  TIPHYS_TRY(const RevisionPtr found, committed(*key.resource, {key.ns, key.name}));
  if (key.resource == &cluster::kWorkflows) return object_with_nodes(*found);
  return found->object();
}

void LocalStore::get(const cluster::Key& key, cluster::Done<cluster::Object> done) {
  after(ticket_of(*key.resource, {key.ns, key.name}),
        [this, key, done = std::move(done)]() mutable { done(read(key)); });
}

Result<cluster::List> LocalStore::newest_ended(const cluster::ListOptions& options) {
  const std::vector<cluster::Requirement>& wanted = options.labels.requirements();
  const auto equals = [](const cluster::Requirement& each) {
    return each.op == cluster::Requirement::Op::kEquals && each.values.size() == 1;
  };
  const bool known = wanted.size() == 2 && equals(wanted[0]) && equals(wanted[1]) && wanted[1].key == kPhaseLabel;
  if (!known) return fail(Code::kInvalidArgument, fmt::format("select by \"LABEL=VALUE,{}=PHASE\"", kPhaseLabel));
  TIPHYS_TRY(const RevisionPtr found,
             disk_.newest(options.ns, wanted[0].key, wanted[0].values[0], wanted[1].values[0]));
  cluster::List list{.items = {}, .resource_version = hub_.version(), .continue_token = ""};
  if (!found) return list;
  TIPHYS_TRY(cluster::Object object,
             options.with_nodes ? object_with_nodes(*found) : Result<cluster::Object>(found->object()));
  list.items.push_back(std::move(object));
  return list;
}

void LocalStore::list(const cluster::Resource& resource, cluster::ListOptions options,
                      cluster::Done<cluster::List> done) {
  if (options.newest_ended) {
    return after(ticket_of(resource), [this, options = std::move(options), done = std::move(done)]() mutable {
      done(newest_ended(options));
    });
  }
  after(ticket_of(resource), [this, &resource, options = std::move(options), done = std::move(done)]() mutable {
    auto from = parse_continue_token(options.continue_token);
    if (from) {
      if (const Status loaded = load(resource); !loaded) from = std::unexpected(loaded.error());
    }
    if (!from) return done(std::unexpected(std::move(from.error())));
    Selection selection{&resource, std::move(options.ns), std::move(options.labels), std::move(options.fields)};
    auto job = std::make_shared<ListJob>(
        ListJob{.scan = Scan(memory_, disk_, std::move(selection), std::move(*from), options.live_only),
                .limit = options.limit,
                .with_nodes = options.with_nodes && &resource == &cluster::kWorkflows,
                .as_json = options.as_json,
                .list = {.items = {}, .resource_version = hub_.version(), .continue_token = ""},
                .done = std::move(done)});
    list_slice(std::move(job));
  });
}

Status LocalStore::add(ListJob& job, const Revision& revision) {
  if (job.with_nodes) {
    TIPHYS_TRY(auto whole, whole_workflow(disk_, revision, {.newest = hub_.version(), .as_json = job.as_json}));
    job.as_json ? job.list.texts.push_back(std::move(whole.text)) : job.list.items.push_back(std::move(whole.object));
  } else if (job.as_json) {
    job.list.texts.push_back(revision.json());
  } else {
    job.list.items.push_back(revision.object());
  }
  return {};
}

void LocalStore::list_slice(std::shared_ptr<ListJob> job) {
  const Status read = job->scan.next_slice([&](const Name& name, const RevisionPtr& revision) {
    if (job->limit != 0 && job->size() == job->limit) {
      job->more = true;
      return false;
    }
    if (const Status added = add(*job, *revision); !added) {
      job->failed = added.error();
      return false;
    }
    job->last = name;
    return true;
  });
  if (!read) job->failed = read.error();
  if (job->failed) return job->done(std::unexpected(std::move(*job->failed)));
  if (job->more) {
    job->list.continue_token = job->last.ns + "/" + job->last.name;
  } else if (!job->scan.finished()) {
    return poster_.post([this, job = std::move(job)]() mutable { list_slice(std::move(job)); });
  }
  job->done(std::move(job->list));
}

Result<std::vector<cluster::Object>> LocalStore::snapshot(const cluster::Resource& resource) {
  TIPHYS_CHECK(all_in_memory(resource), "a snapshot is of what is in memory");
  TIPHYS_CHECK_OK(load(resource));
  std::vector<cluster::Object> objects;
  for (const auto& [name, entry] : memory_.table(resource)) {
    if (entry.committed) objects.push_back(entry.committed->object());
  }
  return objects;
}

std::unique_ptr<cluster::Watch> LocalStore::watch(const cluster::Resource& resource, cluster::WatchOptions options,
                                                  cluster::WatchSink sink) {
  return hub_.watch(resource, std::move(options), std::move(sink), [this, &resource] { return load(resource); });
}

std::unique_ptr<cluster::Watch> LocalStore::watch_nodes(const cluster::Key& workflow, NodeSink sink) {
  TIPHYS_CHECK(workflow.resource == &cluster::kWorkflows, "only workflows have nodes");
  auto watch = node_watches_.make(std::move(sink));
  const Name name{workflow.ns, workflow.name};
  after(ticket_of(cluster::kWorkflows, name), [this, name, watch] {
    const auto found = committed(cluster::kWorkflows, name);
    node_watches_.start(watch, found ? Result<std::string>((*found)->uid()) : std::unexpected(found.error()));
  });
  return NodeWatches::handle(std::move(watch));
}

/// A log reading whose pod is being looked up, then the reader's own handle.
struct LocalStore::LogReading {
  std::unique_ptr<cluster::Watch> reading;
  bool closed = false;
};

std::unique_ptr<cluster::Watch> LocalStore::read_log(const cluster::Key& pod, cluster::LogOptions options,
                                                     cluster::LogSink sink) {
  class Handle final : public cluster::Watch {
   public:
    explicit Handle(std::shared_ptr<LogReading> state) : state_(std::move(state)) {}
    ~Handle() override {
      state_->closed = true;
      state_->reading.reset();
    }
    void pause(bool paused) override {
      if (state_->reading) state_->reading->pause(paused);
    }

   private:
    std::shared_ptr<LogReading> state_;
  };
  auto state = std::make_shared<LogReading>();
  get(pod, [this, state, options = std::move(options), sink = std::move(sink)](Result<cluster::Object> found) mutable {
    if (state->closed) return;
    if (!found) return sink.on_end(std::unexpected(std::move(found.error())));
    if (!log_reader_) return sink.on_end(fail(Code::kUnimplemented, "this plane has no logs of pods"));
    auto reading = log_reader_(std::move(*found), std::move(options), std::move(sink));
    if (!state->closed) state->reading = std::move(reading);
  });
  return std::make_unique<Handle>(std::move(state));
}

void LocalStore::read_journal(std::string workflow_uid, std::uint64_t from_sequence,
                              cluster::Done<std::vector<cluster::JournalEntry>> done) {
  after(ticket_of(cluster::kWorkflows),
        [this, uid = std::move(workflow_uid), from_sequence, done = std::move(done)]() mutable {
          done(disk_.journal(uid, from_sequence, kMostJournalEntries));
        });
}

}  // namespace tiphys::store
