#include "controllers/workloads/job_pods.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "controllers/workloads/fields.h"
#include "controllers/workloads/job_plan.h"
#include "controllers/workloads/pods.h"

namespace tiphys::controllers::workloads {
namespace {

constexpr std::string_view kIndexVariable = "JOB_COMPLETION_INDEX";

/// The variable is read from the pod's own label, as there.
void add_index_variable(doc::Object& spec) {
  const std::string path = fmt::format("metadata.labels['{}']", kCompletionIndex);
  const doc::Object variable{
      {"name", kIndexVariable},
      {"valueFrom", doc::Object{{"fieldRef", doc::Object{{"apiVersion", "v1"}, {"fieldPath", path}}}}}};
  for (const char* list : {"initContainers", "containers"}) {
    doc::Value* containers = spec.if_contains(list);
    if (!containers || !containers->is_array()) continue;
    for (doc::Value& container : containers->get_array()) {
      if (!container.is_object()) continue;
      doc::Value& env = container.get_object()["env"];
      if (!env.is_array()) env = doc::Array();
      const bool there = std::ranges::any_of(
          env.get_array(), [](const doc::Value& one) { return doc::find_string(one, "name") == kIndexVariable; });
      if (!there) env.get_array().push_back(variable);
    }
  }
}

}  // namespace

std::optional<std::int64_t> completion_index(const doc::Value& pod) {
  const auto text = doc::find_string(pod, "metadata", "annotations", kCompletionIndex);
  std::int64_t index = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), index);
  if (text.empty() || read.ec != std::errc() || read.ptr != text.data() + text.size() || index < 0) return std::nullopt;
  return index;
}

doc::Value job_pod(const doc::Value& job, std::optional<std::int64_t> index) {
  doc::Object pod = pod_of(value_at(job, "spec", "template"), cluster::kJobs, job);
  doc::Object& metadata = doc::ensure_object(pod, "metadata");
  doc::Value& finalizers = metadata["finalizers"];
  if (!finalizers.is_array()) finalizers = doc::Array();
  finalizers.get_array().emplace_back(kTrackingFinalizer);
  if (index) {
    const std::string text = std::to_string(*index);
    metadata["generateName"] = fmt::format("{}-{}-", name_of(job), *index);
    doc::ensure_object(metadata, "labels")[kCompletionIndex] = text;
    doc::ensure_object(metadata, "annotations")[kCompletionIndex] = text;
    doc::Object& spec = doc::ensure_object(pod, "spec");
    add_index_variable(spec);
    spec["hostname"] = fmt::format("{}-{}", name_of(job), *index);
  }
  return pod;
}

std::vector<cluster::Object> surplus_pods(std::vector<cluster::Object> active, std::int64_t at_least,
                                          std::optional<std::int64_t> completions) {
  std::ranges::sort(active, [](const auto& one, const auto& other) { return goes_before(*one, *other); });
  std::vector<cluster::Object> surplus, rest;
  // Of several with one index the last in this order stays.
  std::set<std::int64_t> taken;
  for (auto it = active.rbegin(); it != active.rend(); ++it) {
    const auto index = completion_index(**it);
    const bool stays = !completions || (index && *index < *completions && taken.insert(*index).second);
    (stays ? rest : surplus).push_back(*it);
  }
  while (static_cast<std::int64_t>(surplus.size()) < at_least && !rest.empty()) {
    surplus.push_back(std::move(rest.back()));
    rest.pop_back();
  }
  return surplus;
}

}  // namespace tiphys::controllers::workloads
