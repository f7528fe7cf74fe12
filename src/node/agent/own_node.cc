#include "node/agent/own_node.h"

#include <fmt/format.h>

#include "base/log.h"
#include "cluster/taints.h"
#include "doc/truth.h"

namespace tiphys::node {
namespace {

std::string no_room(std::string_view reason) {
  return fmt::format(
      "0/1 nodes are available: 1 {}. no new claims to deallocate, preemption: 0/1 nodes are available: 1 "
      "Preemption is not helpful for scheduling.",
      reason);
}

}  // namespace

std::string why_unschedulable(const doc::Value& node, const doc::Value& pod) {
  static const doc::Value kCordoned = doc::Object{{"key", cluster::kUnschedulableTaint}, {"effect", "NoSchedule"}};
  static const doc::Value kNothing = doc::Object();
  const doc::Value* found = doc::find(pod, "spec");
  const doc::Value& spec = found ? *found : kNothing;
  if (doc::is_true(node, "spec", "unschedulable") && !cluster::pod_tolerates(spec, kCordoned)) {
    return no_room("node(s) were unschedulable");
  }
  const doc::Value* taints = doc::find(node, "spec", "taints");
  if (!taints || !taints->is_array()) return "";
  for (const doc::Value& taint : taints->get_array()) {
    if (!cluster::is_hard(taint) || cluster::pod_tolerates(spec, taint)) continue;
    return no_room(fmt::format("node(s) had untolerated taint {{{}: {}}}", doc::find_string(taint, "key"),
                               doc::find_string(taint, "value")));
  }
  return "";
}

std::optional<doc::Value> unschedulable_patch(const doc::Value& pod, const std::string& why, Time now) {
  const doc::Value* conditions = doc::find(pod, "status", "conditions");
  if (conditions && conditions->is_array()) {
    for (const doc::Value& one : conditions->get_array()) {
      if (doc::find_string(one, "type") == "PodScheduled" && doc::find_string(one, "message") == why) return {};
    }
  }
  const doc::Object condition{{"type", "PodScheduled"},    {"status", "False"},
                              {"reason", "Unschedulable"}, {"message", why},
                              {"lastProbeTime", nullptr},  {"lastTransitionTime", format_rfc3339(now)}};
  return doc::Object{{"status", doc::Object{{"phase", "Pending"}, {"conditions", doc::Array{condition}}}}};
}

void OwnNode::start() {
  cluster::WatchSink sink;
  sink.on_event = [this](const cluster::WatchEvent& event) { on_event(event); };
  sink.on_end = [this](const Error& error) {
    log::warn("the watch of nodes ended: {}", error.message);
    // Not from inside its own callback.
    executor_.post([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->start();
    });
  };
  watch_ = cluster_.watch(cluster::kNodes, {}, std::move(sink));
}

void OwnNode::on_event(const cluster::WatchEvent& event) {
  if (event.type == cluster::WatchEvent::Type::kSynced) {
    synced_ = true;
    for (auto& task : std::exchange(waiting_, {})) task();
    return;
  }
  if (doc::find_string(*event.object, "metadata", "name") != name_) return;
  node_ = event.type == cluster::WatchEvent::Type::kDeleted ? nullptr : event.object;
  if (synced_ && on_change_) on_change_();
}

void OwnNode::when_synced(Executor::Task task) {
  if (synced_) return task();
  waiting_.push_back(std::move(task));
}

std::string OwnNode::why_not(const doc::Value& pod) const {
  return node_ ? why_unschedulable(*node_, pod) : "";
}

}  // namespace tiphys::node
