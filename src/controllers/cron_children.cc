#include "controllers/cron_children.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <tuple>

namespace tiphys::controllers {
namespace {

constexpr std::int64_t kKeptSucceeded = 3, kKeptFailed = 1;

const doc::Value* controlling_cron(const doc::Value& workflow) {
  const doc::Value* owners = doc::find(workflow, "metadata", "ownerReferences");
  if (!owners || !owners->is_array()) return nullptr;
  for (const doc::Value& owner : owners->get_array()) {
    const doc::Value* controller = doc::find(owner, "controller");
    if (!controller || !controller->is_bool() || !controller->get_bool()) continue;
    return doc::find_string(owner, "kind") == "CronWorkflow" ? &owner : nullptr;
  }
  return nullptr;
}

Time whole_seconds(Time time) {
  return std::chrono::floor<std::chrono::seconds>(time);
}

bool is_active(const api::CronWorkflowStatus& status, std::string_view uid) {
  return std::ranges::any_of(status.active,
                             [&](const doc::Value& each) { return doc::find_string(each, "uid") == uid; });
}

void count(api::CronWorkflowStatus& status, const CronChild& child) {
  ++(child.phase == "Succeeded" ? status.succeeded : status.failed);
}

}  // namespace

std::string cron_child_name(std::string_view cron, Time scheduled) {
  return fmt::format("{}-{}", cron, whole_seconds(scheduled).time_since_epoch() / std::chrono::seconds(1));
}

std::optional<CronChild> read_cron_child(const doc::Value& workflow) {
  const doc::Value* cron = controlling_cron(workflow);
  if (!cron) return std::nullopt;
  CronChild child;
  const std::string_view cron_name = doc::find_string(*cron, "name");
  child.cron_uid = doc::find_string(*cron, "uid");
  child.name = doc::find_string(workflow, "metadata", "name");
  child.uid = doc::find_string(workflow, "metadata", "uid");
  const std::string_view version = doc::find_string(workflow, "metadata", "resourceVersion");
  std::from_chars(version.data(), version.data() + version.size(), child.version);
  const auto scheduled =
      parse_rfc3339(doc::find_string(workflow, "metadata", "annotations", api::kScheduledTimeAnnotation));
  if (scheduled && cron_child_name(cron_name, *scheduled) == child.name) child.scheduled = whole_seconds(*scheduled);
  child.phase = doc::find_string(workflow, "status", "phase");
  if (const auto finished = parse_rfc3339(doc::find_string(workflow, "status", "finishedAt"))) {
    child.finished = *finished;
  }
  child.labelled = doc::find_string(workflow, "metadata", "labels", api::kCronWorkflowLabel) == cron_name;
  child.reference = {{"kind", "Workflow"}, {"apiVersion", "argoproj.io/v1alpha1"},
                     {"name", child.name}, {"namespace", doc::find_string(workflow, "metadata", "namespace")},
                     {"uid", child.uid},   {"resourceVersion", version}};
  return child;
}

bool reconcile(api::CronWorkflowStatus& status, const CronChildren& children) {
  bool counted = false;
  doc::Array active;
  for (doc::Value& reference : status.active) {
    const auto child = children.find(std::string(doc::find_string(reference, "uid")));
    if (child == children.end()) continue;
    if (child->second.fulfilled()) {
      count(status, child->second);
      counted = true;
    } else {
      active.push_back(std::move(reference));
    }
  }
  status.active = std::move(active);
  std::vector<const CronChild*> unknown;
  for (const auto& [uid, child] : children) {
    // A crash may have come between the beginning of one and the note of it: its time tells that it is new.
    const bool fresh = child.scheduled && *child.scheduled > status.last_scheduled;
    if (fresh || (!child.fulfilled() && !is_active(status, uid))) unknown.push_back(&child);
  }
  std::ranges::sort(unknown, {}, [](const CronChild* child) { return std::tie(child->scheduled, child->name); });
  for (const CronChild* child : unknown) {
    if (child->scheduled && *child->scheduled > status.last_scheduled) {
      status.last_scheduled = *child->scheduled;
      if (status.phase.empty()) status.phase = "Active";
    }
    if (child->fulfilled()) {
      count(status, *child);
      counted = true;
    } else if (!is_active(status, child->uid)) {
      status.active.emplace_back(child->reference);
    }
  }
  return counted;
}

std::vector<CronChild> beyond_history(const api::CronWorkflow& cron, const CronChildren& children) {
  std::vector<CronChild> surplus;
  const auto keep = [&](bool succeeded, const std::optional<std::int64_t>& limit, std::int64_t usual) {
    std::vector<const CronChild*> ended;
    for (const auto& [uid, child] : children) {
      if (child.labelled && child.fulfilled() && (child.phase == "Succeeded") == succeeded) ended.push_back(&child);
    }
    std::ranges::sort(ended, std::greater(),
                      [](const CronChild* child) { return std::tie(child->finished, child->scheduled, child->name); });
    const auto kept = static_cast<std::size_t>(limit && *limit >= 0 ? *limit : usual);
    for (std::size_t i = kept; i < ended.size(); ++i) surplus.push_back(*ended[i]);
  };
  keep(true, cron.successful_jobs_history_limit, kKeptSucceeded);
  keep(false, cron.failed_jobs_history_limit, kKeptFailed);
  return surplus;
}

}  // namespace tiphys::controllers
