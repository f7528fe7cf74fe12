// The part of ObjectApi that evicts pods.
#include <fmt/format.h>

#include <algorithm>

#include "objects/eviction.h"
#include "objects/object_request.h"

namespace tiphys::objects {
namespace {

RemoveOptions deletion_of(const doc::Value& body, bool dry_run) {
  RemoveOptions options;
  options.dry_run = dry_run;
  if (const doc::Value* asked = doc::find(body, "deleteOptions", "dryRun"); asked && asked->is_array()) {
    options.dry_run = options.dry_run || !asked->get_array().empty();
  }
  if (const doc::Value* grace = doc::find(body, "deleteOptions", "gracePeriodSeconds"); grace && grace->is_int64()) {
    options.grace_seconds = static_cast<int>(std::clamp<std::int64_t>(grace->get_int64(), 0, 1 << 30));
  }
  options.uid = doc::find_string(body, "deleteOptions", "preconditions", "uid");
  options.resource_version = doc::find_string(body, "deleteOptions", "preconditions", "resourceVersion");
  return options;
}

/// That the pod is the one that is meant.
Outcome<void> check_preconditions(const Target& target, const doc::Value& pod, const RemoveOptions& wanted) {
  const auto uid = doc::find_string(pod, "metadata", "uid");
  const auto version = doc::find_string(pod, "metadata", "resourceVersion");
  std::string why;
  if (!wanted.uid.empty() && wanted.uid != uid) {
    why = fmt::format(
        "the UID in the precondition ({}) does not match the UID in record ({}). The object might have "
        "been deleted and then recreated",
        wanted.uid, uid);
  } else if (!wanted.resource_version.empty() && wanted.resource_version != version) {
    why = fmt::format(
        "the ResourceVersion in the precondition ({}) does not match the ResourceVersion in record ({}). "
        "The object might have been modified",
        wanted.resource_version, version);
  }
  if (why.empty()) return {};
  Refusal refusal{409, "Conflict", fmt::format("Operation cannot be fulfilled on Pod \"{}\": {}", target.name, why)};
  refusal.details = {{"name", target.name}, {"kind", "Pod"}};
  return std::unexpected(std::move(refusal));
}

}  // namespace

Outcome<void> ObjectApi::take_disruption(const Target& pod, const doc::Value& object, bool dry_run) {
  const auto all = store_.snapshot(cluster::kPodDisruptionBudgets);
  if (!all) return std::unexpected(refusal_of(all.error()));
  std::vector<cluster::Object> budgets;
  std::ranges::copy_if(*all, std::back_inserter(budgets), [&](const cluster::Object& one) {
    return doc::find_string(*one, "metadata", "namespace") == pod.ns;
  });
  const auto counting = counting_budget(object, budgets);
  if (!counting) return std::unexpected(counting.error());
  if (!*counting) return {};
  Outcome<void> outcome;
  const auto count = [&](const cluster::Object& newest) -> Result<doc::Value> {
    if (!newest) return fail(Code::kNotFound, "the budget has just been deleted, and allows everything");
    auto counted = count_disruption(*newest, pod.name, executor_.now());
    if (counted) return std::move(*counted);
    outcome = std::unexpected(std::move(counted.error()));
    return fail(Code::kFailedPrecondition, "the budget does not allow it");
  };
  // It is on disk with the removal, whose answer tells what the disk says.
  const std::string budget(doc::find_string(**counting, "metadata", "name"));
  store_.modify({&cluster::kPodDisruptionBudgets, pod.ns, budget}, count, {.dry_run = dry_run},
                [](const Result<cluster::Object>&) {});
  return outcome;
}

void ObjectApi::evict(const Target& pod, const doc::Value& body, bool dry_run, Reply<Written> reply) {
  const RemoveOptions asked = deletion_of(body, dry_run);
  // One turn: nothing comes between what is read here and what is written.
  const auto decide = [&]() -> Outcome<RemoveOptions> {
    if (auto meant = check_eviction(body, pod.name); !meant) return std::unexpected(std::move(meant.error()));
    const auto newest = store_.newest(pod.key());
    if (!newest) return std::unexpected(refusal_for(pod, newest.error()));
    if (!*newest) return std::unexpected(not_found(pod));
    if (auto same = check_preconditions(pod, **newest, asked); !same) return std::unexpected(std::move(same.error()));
    if (auto taken = take_disruption(pod, **newest, asked.dry_run); !taken) {
      return std::unexpected(std::move(taken.error()));
    }
    RemoveOptions deletion = asked;
    deletion.resource_version.clear();
    deletion.uid = doc::find_string(**newest, "metadata", "uid");
    return deletion;
  };
  auto deletion = decide();
  if (!deletion) return reply(std::unexpected(std::move(deletion.error())));
  const auto mark = [this](const cluster::Object& newest) -> Result<doc::Value> {
    if (!newest) return fail(Code::kNotFound, "the removal tells that there is none");
    return mark_evicted(*newest, executor_.now());
  };
  if (!asked.dry_run) store_.modify(pod.key(), mark, {}, [](const Result<cluster::Object>&) {});
  remove(pod, *deletion, [reply = std::move(reply)](Outcome<Removed> removed) mutable {
    if (!removed) return reply(std::unexpected(std::move(removed.error())));
    doc::Object done{
        {"kind", "Status"}, {"apiVersion", "v1"}, {"metadata", doc::Object()}, {"status", "Success"}, {"code", 201}};
    reply(Written{.object = std::make_shared<const doc::Value>(std::move(done)), .created = true});
  });
}

}  // namespace tiphys::objects
