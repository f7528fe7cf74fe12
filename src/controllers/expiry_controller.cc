#include "controllers/expiry_controller.h"

#include <fmt/format.h>

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "controllers/expiry.h"
#include "controllers/names.h"
#include "controllers/retention.h"

namespace tiphys::controllers {
namespace {

/// Deletions under way at a time; the others wait for their answers.
constexpr std::size_t kMostAtOnce = 64;

cluster::Key key_of(const cluster::Resource& resource, const doc::Value& object) {
  return {&resource, std::string(doc::find_string(object, "metadata", "namespace")),
          std::string(doc::find_string(object, "metadata", "name"))};
}

}  // namespace

class ExpiryController::State : public std::enable_shared_from_this<State> {
 public:
  State(Executor& executor, cluster::Cluster& cluster, ExpiryControllerOptions options)
      : executor_(executor), cluster_(cluster), options_(std::move(options)) {}
  ~State() { executor_.cancel(timer_); }

  void start() {
    watch(cluster::kWorkflows, fmt::format("{},{}=true", kExpiresLabel, kCompletedLabel));
    watch(cluster::kPods, std::string(kExpiresLabel));
    if (options_.retention) watch_ended();
  }

 private:
  struct Expiring {
    std::string uid;
    Time due{};
  };

  template <typename F>
  auto guarded(F task) {
    return [weak = weak_from_this(), task = std::move(task)](auto&&... args) mutable {
      if (const auto self = weak.lock()) task(*self, std::forward<decltype(args)>(args)...);
    };
  }

  void watch(const cluster::Resource& resource, const std::string& selector) {
    // Those that have gone while the watch was away are not found when they are due.
    cluster::WatchOptions options;
    options.ns = options_.ns;
    auto labels = cluster::Selector::parse(selector);
    TIPHYS_CHECK(labels.has_value(), "labels' names make a selector");
    options.labels = std::move(*labels);
    watches_[&resource] = cluster_.watch(
        resource, std::move(options),
        {guarded([&resource](State& self, const cluster::WatchEvent& event) { self.on_event(resource, event); }),
         guarded([&resource, selector](State& self, const Error& error) {
           log::warn("watching {} that expire ended and begins anew: {}", resource.plural, error.message);
           self.executor_.schedule(
               self.executor_.now() + self.options_.retry,
               self.guarded([&resource, selector](State& again) { again.watch(resource, selector); }));
         })});
  }

  void on_event(const cluster::Resource& resource, const cluster::WatchEvent& event) {
    using Type = cluster::WatchEvent::Type;
    if (event.type == Type::kSynced) return;
    const cluster::Key key = key_of(resource, *event.object);
    // One that is too many is deleted whenever it would expire.
    if (surplus_.contains(key) && event.type != Type::kDeleted) return;
    forget(key);
    const bool workflow = &resource == &cluster::kWorkflows;
    const auto due = event.type == Type::kDeleted ? std::nullopt
                     : workflow                   ? expiry(*event.object)
                                                  : pod_expiry(*event.object);
    if (due) expect(key, {std::string(doc::find_string(*event.object, "metadata", "uid")), *due});
    delete_due();
  }

  /// Of all that has ended, where their number is limited.
  void watch_ended() {
    retention_.emplace(*options_.retention);
    cluster::WatchOptions options;
    options.ns = options_.ns;
    auto labels = cluster::Selector::parse(fmt::format("{}=true", kCompletedLabel));
    TIPHYS_CHECK(labels.has_value(), "labels' names make a selector");
    options.labels = std::move(*labels);
    ended_watch_ =
        cluster_.watch(cluster::kWorkflows, std::move(options),
                       {guarded([](State& self, const cluster::WatchEvent& event) { self.on_ended(event); }),
                        guarded([](State& self, const Error& error) {
                          log::warn("watching workflows that have ended ended and begins anew: {}", error.message);
                          self.executor_.schedule(self.executor_.now() + self.options_.retry,
                                                  self.guarded([](State& again) { again.watch_ended(); }));
                        })});
  }

  void on_ended(const cluster::WatchEvent& event) {
    using Type = cluster::WatchEvent::Type;
    if (event.type == Type::kSynced) return;
    const cluster::Key key = key_of(cluster::kWorkflows, *event.object);
    if (event.type == Type::kDeleted) {
      retention_->forget(key);
      if (surplus_.erase(key) != 0) forget(key);
      return;
    }
    if (surplus_.contains(key)) return;
    for (Retention::Ended& each : retention_->ended(*event.object)) {
      forget(each.key);
      surplus_.insert(each.key);
      expect(each.key, {std::move(each.uid), executor_.now()});
    }
    delete_due();
  }

  void expect(const cluster::Key& key, Expiring expiring) {
    order_.emplace(expiring.due, key);
    expiring_[key] = std::move(expiring);
  }

  void forget(const cluster::Key& key) {
    const auto known = expiring_.find(key);
    if (known == expiring_.end()) return;
    order_.erase({known->second.due, key});
    expiring_.erase(known);
  }

  void delete_due() {
    while (!order_.empty() && order_.begin()->first <= executor_.now() && under_way_ < kMostAtOnce) {
      const cluster::Key key = order_.begin()->second;
      const std::string uid = expiring_.at(key).uid;
      forget(key);
      ++under_way_;
      cluster_.remove(key, {.uid = uid}, guarded([key, uid](State& self, const Result<cluster::Object>& answer) {
                        --self.under_way_;
                        self.removed(key, uid, answer);
                      }));
    }
    arm();
  }

  void removed(const cluster::Key& key, const std::string& uid, const Result<cluster::Object>& answer) {
    // A namesake that came since is another one: it fails the precondition.
    const bool gone = answer || answer.error().code == Code::kNotFound || answer.error().code == Code::kAborted;
    if (gone) surplus_.erase(key);
    if (!gone && !expiring_.contains(key)) {
      log::warn("{} {}/{} has expired and is deleted later: {}", key.resource->kind, key.ns, key.name,
                answer.error().message);
      expect(key, {uid, executor_.now() + options_.retry});
    }
    delete_due();
  }

  void arm() {
    const std::optional<Time> first =
        order_.empty() || under_way_ >= kMostAtOnce ? std::nullopt : std::optional(order_.begin()->first);
    if (first == armed_) return;
    executor_.cancel(std::exchange(timer_, 0));
    armed_ = first;
    if (!first) return;
    timer_ = executor_.schedule(*first, guarded([](State& self) {
      self.timer_ = 0;
      self.armed_.reset();
      self.delete_due();
    }));
  }

  Executor& executor_;
  cluster::Cluster& cluster_;
  ExpiryControllerOptions options_;
  std::map<cluster::Key, Expiring> expiring_;
  std::set<std::pair<Time, cluster::Key>> order_;  ///< the same, the first one first
  std::optional<Retention> retention_;
  std::set<cluster::Key> surplus_;  ///< workflows that are deleted because there are too many, until they are gone
  std::size_t under_way_ = 0;
  std::map<const cluster::Resource*, std::unique_ptr<cluster::Watch>> watches_;
  std::unique_ptr<cluster::Watch> ended_watch_;
  Executor::TimerId timer_ = 0;
  std::optional<Time> armed_;
};

ExpiryController::ExpiryController(Executor& executor, cluster::Cluster& cluster, ExpiryControllerOptions options)
    : state_(std::make_shared<State>(executor, cluster, std::move(options))) {}

ExpiryController::~ExpiryController() = default;

void ExpiryController::start() {
  state_->start();
}

}  // namespace tiphys::controllers
