#include "controllers/locks.h"

#include <fmt/format.h>

#include <set>
#include <vector>

#include "base/log.h"
#include "controllers/sync_limit.h"

namespace tiphys::controllers {
namespace {

using engine::LockName;
using engine::LocksAnswered;

/// The object that a semaphore's limit stands in.
cluster::Key limit_key(const LockName& lock) {
  if (lock.kind == LockName::Kind::kDatabase) return sync_limit_key(lock.ns, lock.resource);
  return {&cluster::kConfigMaps, lock.ns, lock.resource};
}

/// `object` is null when there is none.
Result<std::int64_t> read_limit(const LockName& lock, const cluster::Object& object) {
  if (lock.kind != LockName::Kind::kDatabase) {
    if (!object) return fail(Code::kNotFound, fmt::format("configmaps \"{}\" not found", lock.resource));
    return limit_in_config_map(*object, lock.key);
  }
  if (object) return limit_of(*object);
  return fail(
      Code::kNotFound,
      fmt::format("there is no sync limit \"{0}\": tiphys sync create {0} --type database --limit N --namespace {1}",
                  lock.resource, lock.ns));
}

}  // namespace

class Locks::State : public std::enable_shared_from_this<State> {
 public:
  State(Executor& executor, cluster::Cluster& cluster, Duration retry, Taken taken)
      : executor_(executor), cluster_(cluster), retry_(retry), taken_(std::move(taken)) {}

  void take_up(const doc::Value& workflow) {
    forget(fmt::format("{}/{}", doc::find_string(workflow, "metadata", "namespace"),
                       doc::find_string(workflow, "metadata", "name")));
    restore(workflow);
    decide();
    forget_limits();
  }

  void open() {
    open_ = true;
    decide();
  }

  void acquire(engine::AcquireLocks request, Answered done) {
    const std::vector<LockName> locks = request.request.locks;
    table_.request(request.request);
    std::string holder = request.request.holder;
    asking_[std::move(holder)] = {std::move(request), std::move(done)};
    for (const LockName& lock : locks) {
      known_.emplace(lock.id(), lock);
      if (lock.semaphore) watch(lock);
    }
    decide();
  }

  void release(const std::string& holder) {
    asking_.erase(holder);
    restored_.erase(holder);
    table_.release(holder);
    decide();
    forget_limits();
  }

  void release_workflow(const std::string& workflow) {
    forget(workflow);
    decide();
    forget_limits();
  }

  void keep(const std::function<bool(const std::string&)>& lives) {
    for (const std::string& workflow : table_.workflows()) {
      if (!lives(workflow)) forget(workflow);
    }
    decide();
    forget_limits();
  }

  std::vector<LockUse> uses() const {
    std::vector<LockUse> uses;
    for (const auto& [id, lock] : known_) {
      if (table_.contains(id)) uses.emplace_back(lock, table_.holders(id).size(), table_.waiters(id).size());
    }
    return uses;
  }

  void set_priority(const std::string& workflow, std::int64_t priority) {
    table_.set_priority(workflow, priority);
    decide();
  }

 private:
  struct Asking {
    engine::AcquireLocks request;
    Answered done;
  };
  /// One object in which limits stand.
  struct Limits {
    std::map<std::string, LockName> locks;  ///< by id
    std::unique_ptr<cluster::Watch> watch;
    cluster::Object object;  ///< null: there is none
    bool synced = false;
  };

  void restore(const doc::Value& workflow) {
    const doc::Value* document = doc::find(workflow, "status", "synchronization");
    if (!document || !document->is_object()) return;
    const auto status = api::parse_synchronization_status(*document);
    if (!status) return log::error("locks of a workflow cannot be read: {}", status.error().message);
    const auto restore_one = [&](const std::string& text, bool semaphore, const std::string& holder) {
      const auto name = LockName::parse(text, semaphore);
      if (!name) return log::error("\"{}\" is no name of a lock", text);
      table_.restore(*name, holder);
      known_.emplace(name->id(), *name);
      restored_.insert(holder);
      if (semaphore) watch(*name);
    };
    for (const auto& mutex : status->mutexes_held) restore_one(mutex.name, false, mutex.holder);
    for (const auto& semaphore : status->semaphores_held) {
      for (const std::string& holder : semaphore.holders) restore_one(semaphore.name, true, holder);
    }
  }

  void forget(const std::string& workflow) {
    const std::string nodes = workflow + "/";
    const auto is_of_it = [&](const std::string& each) { return each == workflow || each.starts_with(nodes); };
    std::erase_if(asking_, [&](const auto& each) { return is_of_it(each.first); });
    std::erase_if(restored_, is_of_it);
    table_.release_workflow(workflow);
  }

  void watch(const LockName& lock) {
    const cluster::Key key = limit_key(lock);
    Limits& limits = limits_[key];
    limits.locks.emplace(lock.id(), lock);
    if (limits.synced) return use_limit(lock, limits.object);
    if (!limits.watch) begin_watch(key, limits);
  }

  void begin_watch(const cluster::Key& key, Limits& limits) {
    cluster::WatchOptions options;
    options.ns = key.ns;
    auto fields = cluster::Selector::parse_fields("metadata.name=" + key.name);
    if (!fields) return limit_known(key, nullptr);  // what is no name names nothing
    options.fields = std::move(*fields);
    limits.watch = cluster_.watch(*key.resource, std::move(options),
                                  {[weak = weak_from_this(), key](const cluster::WatchEvent& event) {
                                     if (const auto self = weak.lock()) self->on_limit(key, event);
                                   },
                                   [weak = weak_from_this(), key](const Error& error) {
                                     if (const auto self = weak.lock()) self->watch_ended(key, error);
                                   }});
  }

  void watch_ended(const cluster::Key& key, const Error& error) {
    log::warn("watching {} {}/{} ended and begins anew: {}", key.resource->kind, key.ns, key.name, error.message);
    executor_.schedule(executor_.now() + retry_, [weak = weak_from_this(), key] {
      const auto self = weak.lock();
      if (!self) return;
      const auto found = self->limits_.find(key);
      if (found == self->limits_.end()) return;
      found->second.object = nullptr;
      self->begin_watch(key, found->second);
    });
  }

  void on_limit(const cluster::Key& key, const cluster::WatchEvent& event) {
    const auto found = limits_.find(key);
    if (found == limits_.end()) return;
    if (event.type == cluster::WatchEvent::Type::kSynced) return limit_known(key, found->second.object);
    const bool gone = event.type == cluster::WatchEvent::Type::kDeleted;
    found->second.object = gone ? nullptr : event.object;
    if (found->second.synced) limit_known(key, found->second.object);
  }

  void limit_known(const cluster::Key& key, const cluster::Object& object) {
    Limits& limits = limits_[key];
    limits.synced = true;
    for (const auto& [id, lock] : limits.locks) use_limit(lock, object);
    decide();
  }

  void use_limit(const LockName& lock, const cluster::Object& object) {
    const std::string id = lock.id();
    if (!table_.contains(id)) return;
    const Result<std::int64_t> limit = read_limit(lock, object);
    if (limit && (*limit != 0 || table_.knows_limit(id))) {
      table_.set_limit(id, *limit);
      return;
    }
    const std::string why = limit ? "it is 0" : limit.error().message;
    if (table_.knows_limit(id)) return log::warn("{} keeps its last limit: {}", lock.text(), why);
    if (table_.holders(id).empty()) return refuse(lock, why);
    // It had a limit before a restart: those who have it keep it, and others wait until there is one again.
    log::warn("{} has no limit: {}", lock.text(), why);
    table_.set_limit(id, 0);
  }

  /// As the original words it, and why.
  void refuse(const LockName& lock, const std::string& why) {
    for (const std::string& holder : table_.waiters(lock.id())) {
      table_.release(holder);
      auto asking = asking_.extract(holder);
      if (asking.empty()) continue;
      LocksAnswered answer;
      answer.node_id = asking.mapped().request.node_id;
      answer.answer = LocksAnswered::Answer::kRefused;
      answer.message = fmt::format("failed to initialize semaphore {} with limit: {}", lock.text(), why);
      asking.mapped().done(std::move(answer));
    }
  }

  void decide() {
    if (!open_) return;
    for (engine::LockDecision& decision : table_.decide()) {
      const auto found = asking_.find(decision.holder);
      if (found == asking_.end()) continue;
      LocksAnswered answer;
      answer.node_id = found->second.request.node_id;
      if (decision.granted) {
        if (restored_.erase(decision.holder) == 0) tell_taken(found->second.request.request.locks);
        Answered done = std::move(found->second.done);
        asking_.erase(found);
        done(std::move(answer));
        continue;
      }
      answer.answer = LocksAnswered::Answer::kWaiting;
      answer.awaited = std::move(decision.awaited);
      answer.message = std::move(decision.message);
      for (const LockName& lock : found->second.request.request.locks) {
        answer.holders.push_back(table_.holders(lock.id()));
      }
      found->second.done(std::move(answer));
    }
  }

  void tell_taken(const std::vector<LockName>& locks) {
    if (!taken_) return;
    for (const LockName& lock : locks) taken_(lock);
  }

  /// Later, for those may be called from here.
  void forget_limits() {
    if (std::exchange(forgetting_, true)) return;
    executor_.post([weak = weak_from_this()] {
      const auto self = weak.lock();
      if (!self) return;
      self->forgetting_ = false;
      for (auto& [key, limits] : self->limits_) {
        std::erase_if(limits.locks, [&](const auto& lock) { return !self->table_.contains(lock.first); });
      }
      std::erase_if(self->known_, [&](const auto& lock) { return !self->table_.contains(lock.first); });
      std::erase_if(self->limits_, [](const auto& limits) { return limits.second.locks.empty(); });
    });
  }

  Executor& executor_;
  cluster::Cluster& cluster_;
  Duration retry_;
  const Taken taken_;
  engine::LockTable table_;
  std::map<std::string, Asking> asking_;   ///< by holder
  std::set<std::string> restored_;         ///< holders that have not asked since a restart
  std::map<std::string, LockName> known_;  ///< by id; what nobody wants any more goes some time later
  std::map<cluster::Key, Limits> limits_;
  bool open_ = false;
  bool forgetting_ = false;
};

Locks::Locks(Executor& executor, cluster::Cluster& cluster, Duration retry, Taken taken)
    : state_(std::make_shared<State>(executor, cluster, retry, std::move(taken))) {}

Locks::~Locks() = default;

void Locks::take_up(const doc::Value& workflow) {
  state_->take_up(workflow);
}

void Locks::open() {
  state_->open();
}

void Locks::acquire(engine::AcquireLocks request, Answered done) {
  state_->acquire(std::move(request), std::move(done));
}

void Locks::release(const std::string& holder) {
  state_->release(holder);
}

void Locks::release_workflow(const std::string& workflow) {
  state_->release_workflow(workflow);
}

void Locks::keep(const std::function<bool(const std::string&)>& lives) {
  state_->keep(lives);
}

void Locks::set_priority(const std::string& workflow, std::int64_t priority) {
  state_->set_priority(workflow, priority);
}

std::vector<LockUse> Locks::uses() const {
  return state_->uses();
}

}  // namespace tiphys::controllers
