#include "controllers/namespace_limits.h"

#include <map>
#include <set>
#include <utility>

#include "base/check.h"
#include "base/log.h"
#include "base/whole_number.h"

namespace tiphys::controllers {
namespace {

constexpr std::string_view kLabel = "workflows.argoproj.io/parallelism-limit";
constexpr Duration kPause = std::chrono::seconds(1);

cluster::Selector limited() {
  auto parsed = cluster::Selector::parse(kLabel);
  TIPHYS_CHECK(parsed.has_value(), "a label's name is a selector");
  return std::move(*parsed);
}

}  // namespace

class NamespaceLimits::State : public std::enable_shared_from_this<State> {
 public:
  State(Executor& executor, cluster::Cluster& cluster, Changed changed, std::move_only_function<void()> on_known)
      : executor_(executor), cluster_(cluster), changed_(std::move(changed)), on_known_(std::move(on_known)) {}
  ~State() { executor_.cancel(timer_); }

  void begin() {
    seen_.emplace();
    cluster::WatchOptions options;
    options.labels = limited();
    watch_ = cluster_.watch(cluster::kNamespaces, std::move(options),
                            {[weak = weak_from_this()](const cluster::WatchEvent& event) {
                               if (const auto self = weak.lock()) self->on_event(event);
                             },
                             [weak = weak_from_this()](const Error& error) {
                               if (const auto self = weak.lock()) self->on_end(error);
                             }});
  }

 private:
  void on_event(const cluster::WatchEvent& event) {
    if (event.type == cluster::WatchEvent::Type::kSynced) return synced();
    const std::string ns(doc::find_string(*event.object, "metadata", "name"));
    if (event.type == cluster::WatchEvent::Type::kDeleted) return forget(ns);
    if (seen_) seen_->insert(ns);
    const std::string_view text = doc::find_string(*event.object, "metadata", "labels", kLabel);
    const auto limit = whole_number(text);
    if (!limit) {
      return log::error("namespace {}: label {} is no whole number: \"{}\"; the limit stays as it was", ns, kLabel,
                        text);
    }
    const auto known = limits_.find(ns);
    if (known != limits_.end() && known->second == *limit) return;
    limits_[ns] = *limit;
    changed_(ns, *limit);
  }

  void synced() {
    // What was there before a gap in the watch, and is no more.
    const std::set<std::string> seen = std::exchange(seen_, std::nullopt).value_or(std::set<std::string>());
    const auto known = limits_;
    for (const auto& [ns, limit] : known) {
      if (!seen.contains(ns)) forget(ns);
    }
    tell_known();
  }

  void forget(const std::string& ns) {
    if (limits_.erase(ns) > 0) changed_(ns, std::nullopt);
  }

  void tell_known() {
    if (auto known = std::exchange(on_known_, nullptr)) known();
  }

  void on_end(const Error& error) {
    if (error.code == Code::kPermissionDenied) {
      log::warn("label {} of namespaces is not looked at: {}", kLabel, error.message);
      return tell_known();
    }
    log::warn("watching namespaces ended and begins anew: {}", error.message);
    timer_ = executor_.schedule(executor_.now() + kPause, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->begin();
    });
  }

  Executor& executor_;
  cluster::Cluster& cluster_;
  Changed changed_;
  std::move_only_function<void()> on_known_;
  std::map<std::string, std::int64_t> limits_;
  std::optional<std::set<std::string>> seen_;  ///< until the watch is in step
  std::unique_ptr<cluster::Watch> watch_;
  Executor::TimerId timer_ = 0;
};

NamespaceLimits::NamespaceLimits(Executor& executor, cluster::Cluster& cluster, Changed changed,
                                 std::move_only_function<void()> on_known)
    : state_(std::make_shared<State>(executor, cluster, std::move(changed), std::move(on_known))) {
  state_->begin();
}

NamespaceLimits::~NamespaceLimits() = default;

}  // namespace tiphys::controllers
