#include "simulation/lock_ledger.h"

#include <fmt/format.h>

#include <algorithm>

#include "api/synchronization.h"
#include "base/check.h"
#include "controllers/names.h"
#include "controllers/workflow_status.h"

namespace tiphys::simulation {
namespace {

std::string name_of(const doc::Value& workflow) {
  return std::string(doc::find_string(workflow, "metadata", "name"));
}

std::int64_t priority_of(const doc::Value& workflow) {
  const doc::Value* priority = doc::find(workflow, "spec", "priority");
  return priority && priority->is_int64() ? priority->get_int64() : 0;
}

}  // namespace

void LockLedger::committed(const doc::Value& workflow) {
  const std::string name = name_of(workflow);
  Entry entry;
  entry.order = {-priority_of(workflow), std::string(doc::find_string(workflow, "metadata", "creationTimestamp")),
                 name};
  entry.pending = doc::find_string(workflow, "status", "phase") == "Pending" && controllers::has_begun(workflow);
  const doc::Value* document = doc::find(workflow, "status", "synchronization");
  if (document && document->is_object()) {
    const auto status = api::parse_synchronization_status(*document);
    TIPHYS_CHECK(status, "what is written of locks can be read");
    for (const auto& mutex : status->mutexes_held) entry.holds[mutex.name].insert(mutex.holder);
    for (const auto& semaphore : status->semaphores_held) {
      entry.holds[semaphore.name].insert(semaphore.holders.begin(), semaphore.holders.end());
    }
    for (const auto& mutex : status->mutexes_awaited) {
      waited_.insert(name + " " + mutex.name);
      entry.awaited[mutex.name].insert(mutex.holder);
    }
    for (const auto& semaphore : status->semaphores_awaited) {
      waited_.insert(name + " " + semaphore.name);
      entry.awaited[semaphore.name].insert(semaphore.holders.begin(), semaphore.holders.end());
    }
    if (doc::find_string(workflow, "metadata", "labels", controllers::kCompletedLabel) == "true") {
      complaints_.push_back(fmt::format("{} has ended and has locks: {}", name, doc::to_json(*document)));
    }
  }
  const Entry before = std::exchange(entries_[name], entry);
  check_limits();
  if (in_order_) check_turn(name, before, entry);
}

std::size_t LockLedger::holders(const std::string& lock) const {
  std::size_t count = 0;
  for (const auto& [name, entry] : entries_) {
    const auto found = entry.holds.find(lock);
    if (found != entry.holds.end()) count += found->second.size();
  }
  return count;
}

void LockLedger::check_limits() {
  for (const auto& [lock, limit] : limits_) {
    if (const std::size_t count = holders(lock); count > limit) {
      complaints_.push_back(fmt::format("{} has {} holders, and may have {}", lock, count, limit));
    }
  }
}

/// Nobody who waits for one of its own locks comes before a workflow that has got them. Who was told to wait for that
/// very workflow came later: their two writes may reach the disk the other way round.
void LockLedger::check_turn(const std::string& workflow, const Entry& before, const Entry& after) {
  for (const std::string& lock : manifests_.at(workflow).own) {
    if (before.holds.contains(lock) || !after.holds.contains(lock)) continue;
    for (const auto& [name, other] : entries_) {
      if (name == workflow || !other.pending || !manifests_.at(name).own.contains(lock)) continue;
      const auto awaited = other.awaited.find(lock);
      const auto& holders = after.holds.at(lock);
      if (awaited != other.awaited.end() && std::ranges::includes(awaited->second, holders)) continue;
      if (other.order < after.order) complaints_.push_back(fmt::format("{} got {} before {}", workflow, lock, name));
    }
  }
}

void LockLedger::pod(const std::string& name, const std::string& mutex, bool lives) {
  if (!lives) {
    ended_pods_.insert(name);
    pods_[mutex].erase(name);
  } else if (!ended_pods_.contains(name) && pods_[mutex].insert(name).second && pods_[mutex].size() > 1) {
    complaints_.push_back(fmt::format("{} pods of mutex {} live at the same time", pods_[mutex].size(), mutex));
  }
}

std::vector<LockLedger::Claim> LockLedger::claims(const std::vector<doc::Value>& workflows) const {
  std::vector<Claim> claims;
  for (const doc::Value& workflow : workflows) {
    const std::string name = name_of(workflow);
    const Entry& entry = entries_.at(name);
    const LockedManifest& manifest = manifests_.at(name);
    if (entry.pending) claims.push_back({name, entry.order, manifest.own});
    const doc::Value* nodes = doc::find(workflow, "status", "nodes");
    if (!nodes || !nodes->is_object()) continue;
    for (const auto& [id, node] : nodes->as_object()) {
      if (doc::find_string(node, "synchronizationStatus", "waiting").empty()) continue;
      claims.push_back({name, entry.order, manifest.templates.at(std::string(doc::find_string(node, "templateName")))});
    }
  }
  return claims;
}

void LockLedger::at_rest(const std::vector<doc::Value>& workflows) {
  const std::vector<Claim> waiting = claims(workflows);
  const auto first_of = [&](const std::string& lock) {
    const Claim* first = nullptr;
    for (const Claim& claim : waiting) {
      if (claim.locks.contains(lock) && (!first || claim.order < first->order)) first = &claim;
    }
    return first->workflow;
  };
  for (const Claim& claim : waiting) {
    const bool could = std::ranges::all_of(claim.locks, [&](const std::string& lock) {
      return holders(lock) < limits_.at(lock) && first_of(lock) == claim.workflow;
    });
    if (could) complaints_.push_back(fmt::format("{} waits for what it could have", claim.workflow));
  }
}

}  // namespace tiphys::simulation
