#include "controllers/config_map_watch.h"

#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "base/log.h"

namespace tiphys::controllers {
namespace {

constexpr Duration kPause = std::chrono::seconds(1);

cluster::Selector any_type() {
  auto parsed = cluster::Selector::parse(engine::kConfigMapTypeLabel);
  TIPHYS_CHECK(parsed.has_value(), "a label's name is a selector");
  return std::move(*parsed);
}

}  // namespace

class ConfigMapWatch::State : public std::enable_shared_from_this<State> {
 public:
  State(Executor& executor, cluster::Cluster& cluster, std::string ns, std::move_only_function<void()> on_known)
      : executor_(executor), cluster_(cluster), ns_(std::move(ns)), on_known_(std::move(on_known)) {}
  ~State() { executor_.cancel(timer_); }

  void begin() {
    // What exists comes first, and takes the place of what was known when the last object of it has come.
    next_ = std::make_shared<engine::ConfigMaps>();
    cluster::WatchOptions options;
    options.ns = ns_;
    options.labels = any_type();
    watch_ = cluster_.watch(cluster::kConfigMaps, std::move(options),
                            {[weak = weak_from_this()](const cluster::WatchEvent& event) {
                               if (const auto self = weak.lock()) self->on_event(event);
                             },
                             [weak = weak_from_this()](const Error& error) {
                               if (const auto self = weak.lock()) self->on_end(error);
                             }});
  }

  const std::shared_ptr<engine::ConfigMaps>& current() const { return current_; }

 private:
  void on_event(const cluster::WatchEvent& event) {
    if (event.type == cluster::WatchEvent::Type::kSynced) {
      if (next_) current_ = std::exchange(next_, nullptr);
      if (auto known = std::exchange(on_known_, nullptr)) known();
      return;
    }
    const bool removed = event.type == cluster::WatchEvent::Type::kDeleted;
    const auto change = [&](engine::ConfigMaps& maps) {
      return removed ? maps.remove(*event.object) : maps.put(event.object);
    };
    if (next_) {
      change(*next_);
      return;
    }
    // Runs hold the one before.
    auto changed = std::make_shared<engine::ConfigMaps>(*current_);
    if (change(*changed)) current_ = std::move(changed);
  }

  void on_end(const Error& error) {
    log::warn("watching ConfigMaps ended and begins anew: {}", error.message);
    timer_ = executor_.schedule(executor_.now() + kPause, [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->begin();
    });
  }

  Executor& executor_;
  cluster::Cluster& cluster_;
  std::string ns_;
  std::move_only_function<void()> on_known_;
  std::shared_ptr<engine::ConfigMaps> current_ = std::make_shared<engine::ConfigMaps>();
  std::shared_ptr<engine::ConfigMaps> next_;  ///< null once the watch is in step
  std::unique_ptr<cluster::Watch> watch_;
  Executor::TimerId timer_ = 0;
};

ConfigMapWatch::ConfigMapWatch(Executor& executor, cluster::Cluster& cluster, std::string ns,
                               std::move_only_function<void()> on_known)
    : state_(std::make_shared<State>(executor, cluster, std::move(ns), std::move(on_known))) {
  state_->begin();
}

ConfigMapWatch::~ConfigMapWatch() = default;

std::shared_ptr<const engine::ConfigMaps> ConfigMapWatch::current() const {
  return state_->current();
}

Status ConfigMapWatch::give_arguments(api::Workflow& workflow) const {
  for (const api::Parameter& parameter : workflow.spec.arguments.parameters) {
    if (parameter.value || !parameter.value_from || !parameter.value_from->config_map) continue;
    const api::ConfigMapKey& from = *parameter.value_from->config_map;
    auto value = state_->current()->value(workflow.ns, from.name, from.key);
    if (!value && parameter.value_from->default_value) value = *parameter.value_from->default_value;
    if (!value) {
      return fail(value.error().code,
                  fmt::format("failed to set global parameter {} from configmap with name {} and key {}: {}",
                              parameter.name, from.name, from.key, value.error().message));
    }
    workflow.config_map_arguments[parameter.name] = std::move(*value);
  }
  workflow.take_config_map_arguments();
  return {};
}

}  // namespace tiphys::controllers
