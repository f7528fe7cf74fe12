// What workflows on disk say of locks, and what must hold of it.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "doc/value.h"

namespace tiphys::simulation {

using LockSet = std::set<std::string>;

/// A workflow's locks of its own and those of its templates, by the names that the status gives them.
struct LockedManifest {
  LockSet own;
  std::map<std::string, LockSet> templates;
};

class LockLedger {
 public:
  /// `in_order`: no write is made again, so that what was decided first is on disk first.
  LockLedger(bool in_order, std::map<std::string, std::size_t> limits, std::map<std::string, LockedManifest> manifests,
             std::vector<std::string>& complaints)
      : in_order_(in_order), limits_(std::move(limits)), manifests_(std::move(manifests)), complaints_(complaints) {}

  /// The state of a workflow, without its nodes, in the order in which states come to be on disk.
  void committed(const doc::Value& workflow);
  void gone(const std::string& workflow) { entries_.erase(workflow); }
  /// A pod that must not run beside others of the same mutex; `lives` is false at its end.
  void pod(const std::string& name, const std::string& mutex, bool lives);
  /// Nothing is under way: whoever could have its locks has them. The workflows are whole.
  void at_rest(const std::vector<doc::Value>& workflows);

  std::size_t waits() const { return waited_.size(); }

 private:
  /// Who comes first in a queue.
  using Order = std::tuple<std::int64_t, std::string, std::string>;
  struct Entry {
    Order order;
    std::map<std::string, std::set<std::string>> holds;    ///< holders by lock
    std::map<std::string, std::set<std::string>> awaited;  ///< by lock, who had it when this one was told to wait
    bool pending = false;
  };
  struct Claim {
    std::string workflow;
    Order order;
    LockSet locks;
  };

  void check_limits();
  void check_turn(const std::string& workflow, const Entry& before, const Entry& after);
  std::size_t holders(const std::string& lock) const;
  std::vector<Claim> claims(const std::vector<doc::Value>& workflows) const;

  bool in_order_;
  std::map<std::string, std::size_t> limits_;  ///< by lock
  std::map<std::string, LockedManifest> manifests_;
  std::vector<std::string>& complaints_;
  std::map<std::string, Entry> entries_;
  std::map<std::string, std::set<std::string>> pods_;  ///< that live, by mutex
  std::set<std::string> ended_pods_;  ///< for good: a late word of one's beginning may come after its end
  std::set<std::string> waited_;
};

}  // namespace tiphys::simulation
