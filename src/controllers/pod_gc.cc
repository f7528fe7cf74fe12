#include "controllers/pod_gc.h"

#include <fmt/format.h>

#include <utility>

#include "cluster/pod_phase.h"
#include "controllers/expiry.h"

namespace tiphys::controllers {
namespace {

/// One that is none was warned of; the original takes the default then.
Duration delay_of(const doc::Value& pod_gc, Duration otherwise) {
  const auto own = parse_seconds_or_duration(doc::find_string(pod_gc, "deleteDelayDuration"));
  return own && *own >= Duration::zero() ? *own : otherwise;
}

}  // namespace

using Phase = engine::RunStatus::Phase;

std::string label_selector_text(const doc::Value& selector) {
  std::string text;
  const auto add = [&](const std::string& requirement) { text += (text.empty() ? "" : ",") + requirement; };
  if (const doc::Value* labels = doc::find(selector, "matchLabels"); labels && labels->is_object()) {
    for (const auto& [key, value] : labels->get_object()) {
      add(fmt::format("{}={}", std::string_view(key), doc::scalar_text(value)));
    }
  }
  const doc::Value* expressions = doc::find(selector, "matchExpressions");
  if (!expressions || !expressions->is_array()) return text;
  for (const doc::Value& expression : expressions->get_array()) {
    const std::string_view key = doc::find_string(expression, "key"), op = doc::find_string(expression, "operator");
    if (op == "Exists" || op == "DoesNotExist") {
      add(fmt::format("{}{}", op == "Exists" ? "" : "!", key));
      continue;
    }
    std::string values;
    if (const doc::Value* list = doc::find(expression, "values"); list && list->is_array()) {
      for (const doc::Value& value : list->get_array()) values += (values.empty() ? "" : ",") + doc::scalar_text(value);
    }
    add(fmt::format("{} {} ({})", key, op == "In" ? "in" : "notin", values));
  }
  return text;
}

Result<PodGc> PodGc::of(const doc::Value& spec, Duration delay) {
  PodGc gc;
  gc.delay_ = delay;
  const doc::Value* written = doc::find(spec, "podGC");
  if (!written || !written->is_object()) return gc;
  constexpr std::pair<std::string_view, Strategy> kNames[] = {
      {"OnPodCompletion", Strategy::kPodCompletion},
      {"OnPodSuccess", Strategy::kPodSuccess},
      {"OnWorkflowCompletion", Strategy::kWorkflowCompletion},
      {"OnWorkflowSuccess", Strategy::kWorkflowSuccess},
  };
  for (const auto& [name, strategy] : kNames) {
    if (doc::find_string(*written, "strategy") == name) gc.strategy_ = strategy;
  }
  if (const doc::Value* selector = doc::find(*written, "labelSelector"); selector && selector->is_object()) {
    TIPHYS_TRY(gc.labels_, cluster::Selector::parse(label_selector_text(*selector)));
  }
  gc.delay_ = delay_of(*written, delay);
  return gc;
}

std::string pod_gc_annotation(const doc::Value& spec, Duration delay) {
  const doc::Value* written = doc::find(spec, "podGC");
  if (!written || !written->is_object()) return "";
  return fmt::format("{}/{}", doc::find_string(*written, "strategy"), format_go_duration(delay_of(*written, delay)));
}

void PodGc::saw(const doc::Value& pod) {
  if (strategy_ == Strategy::kNone || !labels_.matches_labels(pod)) return;
  if (!doc::find_string(pod, "metadata", "labels", kExpiresLabel).empty()) return;
  const bool ended = cluster::pod_ended(pod), succeeded = doc::find_string(pod, "status", "phase") == "Succeeded";
  std::string name(doc::find_string(pod, "metadata", "name"));
  const bool due =
      (strategy_ == Strategy::kPodCompletion && ended) || (strategy_ == Strategy::kPodSuccess && succeeded);
  if (!due) {
    waiting_.insert(std::move(name));
  } else {
    waiting_.erase(name);
    due_.insert(std::move(name));
  }
}

std::set<std::string> PodGc::take_due(Phase phase) {
  const bool finished = phase >= Phase::kSucceeded;
  // Nobody looks at the end of a pod that outlives its workflow.
  const bool all =
      (finished && (strategy_ == Strategy::kWorkflowCompletion || strategy_ == Strategy::kPodCompletion)) ||
      (phase == Phase::kSucceeded && strategy_ == Strategy::kWorkflowSuccess);
  if (all) due_.merge(waiting_);
  return std::exchange(due_, {});
}

}  // namespace tiphys::controllers
