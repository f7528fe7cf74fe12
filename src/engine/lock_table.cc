#include "engine/lock_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/check.h"

namespace tiphys::engine {
namespace {

/// "NAMESPACE/WORKFLOW" of a holder.
std::string workflow_of(std::string_view holder) {
  const std::size_t slash = holder.find('/');
  if (slash == holder.npos) return std::string(holder);
  return std::string(holder.substr(0, holder.find('/', slash + 1)));
}

constexpr std::string_view kKindNames[] = {"Mutex", "ConfigMap", "Database"};

}  // namespace

std::string LockName::text() const {
  const std::string_view name = kKindNames[static_cast<std::size_t>(kind)];
  if (kind == Kind::kConfigMap) return fmt::format("{}/{}/{}/{}", ns, name, resource, key);
  return fmt::format("{}/{}/{}", ns, name, resource);
}

std::string LockName::id() const {
  if (kind == Kind::kDatabase) return fmt::format("{}/{}/{}", semaphore ? "sem" : "mtx", ns, resource);
  return text();
}

std::optional<LockName> LockName::parse(std::string_view text, bool semaphore) {
  const std::size_t first = text.find('/');
  const std::size_t second = first == text.npos ? text.npos : text.find('/', first + 1);
  if (second == text.npos) return std::nullopt;
  const auto kind = std::ranges::find(kKindNames, text.substr(first + 1, second - first - 1));
  if (kind == std::end(kKindNames)) return std::nullopt;
  LockName name;
  name.kind = static_cast<Kind>(kind - std::begin(kKindNames));
  name.semaphore = semaphore;
  name.ns = text.substr(0, first);
  std::string_view rest = text.substr(second + 1);
  if (name.kind == Kind::kConfigMap) {
    const std::size_t slash = rest.find('/');
    if (slash == rest.npos) return std::nullopt;
    name.key = rest.substr(slash + 1);
    rest = rest.substr(0, slash);
    if (name.key.empty() || name.key.find('/') != name.key.npos) return std::nullopt;
  }
  name.resource = rest;
  if (name.ns.empty() || name.resource.empty()) return std::nullopt;
  return name;
}

bool LockTable::InOrder::operator()(const Claim* a, const Claim* b) const {
  const auto key = [](const Claim* claim) {
    return std::tie(claim->request.created, claim->workflow, claim->request.rank, claim->request.holder);
  };
  if (a->request.priority != b->request.priority) return a->request.priority > b->request.priority;
  return key(a) < key(b);
}

LockTable::Lock& LockTable::lock(const LockName& name) {
  std::unique_ptr<Lock>& found = locks_[name.id()];
  if (!found) {
    found = std::make_unique<Lock>();
    found->name = name;
    if (!name.semaphore) found->limit = 1;
  }
  return *found;
}

void LockTable::restore(const LockName& name, const std::string& holder) {
  std::unique_ptr<Claim>& claim = claims_[holder];
  if (!claim) {
    claim = std::make_unique<Claim>();
    claim->request.holder = holder;
    claim->workflow = workflow_of(holder);
    claim->granted = true;
  }
  Lock& held = lock(name);
  if (held.holders.insert(holder).second) claim->locks.push_back(&held);
}

bool LockTable::set_limit(const std::string& lock_id, std::int64_t limit) {
  const auto found = locks_.find(lock_id);
  if (found == locks_.end()) return false;
  Lock& changed = *found->second;
  if (changed.limit == limit) return true;
  changed.limit = limit;
  touched_.insert(lock_id);
  // All who wait for it are told anew: their message names the limit.
  for (const Claim* claim : changed.queue) untold_.insert(claim->request.holder);
  return true;
}

bool LockTable::knows_limit(const std::string& lock_id) const {
  const auto found = locks_.find(lock_id);
  return found != locks_.end() && found->second->limit;
}

void LockTable::request(LockRequest request) {
  std::unique_ptr<Claim>& claim = claims_[request.holder];
  if (!claim) {
    claim = std::make_unique<Claim>();
    claim->workflow = workflow_of(request.holder);
    claim->request = std::move(request);
    for (const LockName& name : claim->request.locks) {
      Lock& wanted = lock(name);
      if (!wanted.queue.insert(claim.get()).second) continue;  // named twice
      claim->locks.push_back(&wanted);
      touched_.insert(name.id());
    }
  }
  untold_.insert(claim->request.holder);
}

void LockTable::forget(Claim& claim) {
  for (Lock* each : claim.locks) {
    const std::string id = each->name.id();
    if (claim.granted) each->holders.erase(claim.request.holder);
    if (!claim.granted) each->queue.erase(&claim);
    if (each->holders.empty() && each->queue.empty()) {
      touched_.erase(id);
      locks_.erase(id);
    } else {
      touched_.insert(id);
    }
  }
  untold_.erase(claim.request.holder);
}

void LockTable::release(const std::string& holder) {
  const auto found = claims_.find(holder);
  if (found == claims_.end()) return;
  forget(*found->second);
  claims_.erase(found);
}

std::vector<LockTable::Claim*> LockTable::claims_of(const std::string& workflow) const {
  std::vector<Claim*> claims;
  if (const auto own = claims_.find(workflow); own != claims_.end()) claims.push_back(own->second.get());
  const std::string nodes = workflow + "/";
  for (auto next = claims_.lower_bound(nodes); next != claims_.end() && next->first.starts_with(nodes); ++next) {
    claims.push_back(next->second.get());
  }
  return claims;
}

void LockTable::release_workflow(const std::string& workflow) {
  for (Claim* claim : claims_of(workflow)) {
    forget(*claim);
    claims_.erase(claims_.find(claim->request.holder));
  }
}

void LockTable::set_priority(const std::string& workflow, std::int64_t priority) {
  for (Claim* claim : claims_of(workflow)) {
    if (claim->granted || claim->request.priority == priority) continue;
    for (Lock* each : claim->locks) each->queue.erase(claim);
    claim->request.priority = priority;
    for (Lock* each : claim->locks) {
      each->queue.insert(claim);
      touched_.insert(each->name.id());
    }
  }
}

bool LockTable::undecided(const Claim& claim) const {
  return std::ranges::any_of(claim.locks, [](const Lock* each) { return !each->limit; });
}

const LockTable::Lock* LockTable::obstacle(const Claim& claim) const {
  for (const Lock* each : claim.locks) {
    if (each->full() || (*each->queue.begin())->workflow != claim.workflow) return each;
  }
  return nullptr;
}

void LockTable::grant(Claim& claim) {
  claim.granted = true;
  untold_.erase(claim.request.holder);
  for (Lock* each : claim.locks) {
    each->queue.erase(&claim);
    each->holders.insert(claim.request.holder);
    // Another head may find room in it.
    touched_.insert(each->name.id());
  }
}

/// The first of the head's workflow that can have all its locks; null when there is none.
LockTable::Claim* LockTable::next_of(const Lock& lock) const {
  if (!lock.limit || lock.full() || lock.queue.empty()) return nullptr;
  const std::string& workflow = (*lock.queue.begin())->workflow;
  const auto first = std::ranges::find_if(lock.queue, [&](const Claim* claim) {
    return claim->workflow != workflow || (!undecided(*claim) && !obstacle(*claim));
  });
  return first == lock.queue.end() || (*first)->workflow != workflow ? nullptr : *first;
}

/// In order over all locks: what is granted does not depend on which lock became free.
void LockTable::grant_all(std::vector<LockDecision>& decisions) {
  std::set<Claim*, InOrder> next;
  while (true) {
    while (!touched_.empty()) {
      const auto found = locks_.find(touched_.extract(touched_.begin()).value());
      if (found == locks_.end()) continue;
      if (Claim* claim = next_of(*found->second)) next.insert(claim);
    }
    if (next.empty()) return;
    Claim& claim = **next.begin();
    next.erase(next.begin());
    if (!obstacle(claim)) {
      grant(claim);
      decisions.push_back({.holder = claim.request.holder, .granted = true});
    } else {
      // Another has taken what it needs: its locks may have somebody else next.
      for (const Lock* each : claim.locks) touched_.insert(each->name.id());
    }
  }
}

LockDecision LockTable::waiting(const Claim& claim, const Lock& obstacle) {
  const LockName& name = obstacle.name;
  const auto limit = *obstacle.limit;
  const auto held = static_cast<std::int64_t>(obstacle.holders.size());
  LockDecision decision{.holder = claim.request.holder, .awaited = name.text(), .message = {}};
  if (name.kind == LockName::Kind::kDatabase) {
    decision.message = fmt::format("Waiting for {} lock ({}). Lock status: {}/{}", name.text(), name.id(), held, limit);
  } else if (limit == 0) {
    decision.message = fmt::format("Failed to get semaphore limit for {}", name.text());
  } else {
    decision.message = fmt::format("Waiting for {} lock. Lock status: {}/{}", name.text(), limit - held, limit);
  }
  return decision;
}

std::vector<LockDecision> LockTable::decide() {
  std::vector<LockDecision> decisions;
  grant_all(decisions);
  std::vector<const Claim*> untold;
  for (const std::string& holder : untold_) {
    const Claim& claim = *claims_.at(holder);
    if (claim.granted || !undecided(claim)) untold.push_back(&claim);
  }
  std::ranges::sort(untold, InOrder());
  for (const Claim* claim : untold) {
    untold_.erase(claim->request.holder);
    if (claim->granted) {
      decisions.push_back({.holder = claim->request.holder, .granted = true});
      continue;
    }
    const Lock* first = obstacle(*claim);
    TIPHYS_CHECK(first, "who can have all its locks has them");
    decisions.push_back(waiting(*claim, *first));
  }
  return decisions;
}

std::vector<std::string> LockTable::holders(const std::string& lock_id) const {
  const auto found = locks_.find(lock_id);
  if (found == locks_.end()) return {};
  return {found->second->holders.begin(), found->second->holders.end()};
}

std::vector<std::string> LockTable::waiters(const std::string& lock_id) const {
  std::vector<std::string> names;
  const auto found = locks_.find(lock_id);
  if (found == locks_.end()) return names;
  for (const Claim* claim : found->second->queue) names.push_back(claim->request.holder);
  return names;
}

std::set<std::string> LockTable::workflows() const {
  std::set<std::string> names;
  for (const auto& [holder, claim] : claims_) names.insert(claim->workflow);
  return names;
}

}  // namespace tiphys::engine
