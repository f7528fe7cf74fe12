#include "controllers/workloads/daemon_set_plan.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "cluster/rare_resources.h"
#include "controllers/workloads/fields.h"
#include "controllers/workloads/node_fit.h"
#include "controllers/workloads/pods.h"
#include "controllers/workloads/set_revisions.h"

namespace tiphys::controllers::workloads {
namespace {

using std::chrono::seconds;

constexpr std::string_view kRevisionLabel = "controller-revision-hash";
constexpr Duration kFirstBrake = seconds(1);
constexpr Duration kLongestBrake = std::chrono::minutes(15);

std::string_view phase_of(const doc::Value& pod) {
  return doc::find_string(pod, "status", "phase");
}

/// A number, or a share of `whole`, rounded up.
std::int64_t share_of(const doc::Value& share, std::int64_t whole) {
  if (share.is_int64()) return share.get_int64();
  if (!share.is_string()) return 0;
  std::int64_t percent = 0;
  const auto& text = share.get_string();
  std::from_chars(text.data(), text.data() + text.size(), percent);
  return (percent * whole + 99) / 100;
}

bool is_older(const cluster::Object& one, const cluster::Object& other) {
  const auto made = [](const doc::Value& pod) { return doc::find_string(pod, "metadata", "creationTimestamp"); };
  // What a node has is older than what waits for one.
  const auto bound = [](const doc::Value& pod) { return !doc::find_string(pod, "spec", "nodeName").empty(); };
  if (bound(*one) != bound(*other)) return bound(*one);
  if (made(*one) != made(*other)) return made(*one) < made(*other);
  return name_of(*one) < name_of(*other);
}

class Look {
 public:
  Look(const doc::Value& set, const DaemonSetParts& parts, Time now)
      : set_(set),
        parts_(parts),
        now_(now),
        revisions_(revisions_of(cluster::kDaemonSets, set, parts.revisions)),
        at_least_(seconds(number_at(set, "spec", "minReadySeconds").value_or(0))) {
    for (const auto& pod : parts.pods) pods_[std::string(target_node(*pod))].push_back(pod);
    for (auto& [node, pods] : pods_) std::ranges::sort(pods, is_older);
  }

  DaemonSetPlan make() {
    if (!is_deleting(set_)) {
      plan_.create_revision = revisions_.create;
      plan_.update_revision = revisions_.change;
      run_pods();
      if (plan_.create_pods.empty() && plan_.remove_pods.empty() && rolls()) roll();
      remove_old_revisions();
    }
    count();
    return std::move(plan_);
  }

 private:
  bool rolls() const { return doc::find_string(set_, "spec", "updateStrategy", "type") != "OnDelete"; }
  const doc::Value& rolling(const char* member) const {
    return value_at(set_, "spec", "updateStrategy", "rollingUpdate", member);
  }
  bool may_surge() const { return rolls() && share_of(rolling("maxSurge"), 100) > 0; }
  bool is_new(const doc::Value& pod) const {
    return doc::find_string(pod, "metadata", "labels", kRevisionLabel) == revisions_.update_hash;
  }
  bool available(const doc::Value& pod) {
    if (!is_ready(pod)) return false;
    if (is_available(pod, at_least_, now_)) return true;
    const Time due = now_ + at_least_;
    plan_.look_again = std::min(plan_.look_again.value_or(due), due);
    return false;
  }
  const std::vector<cluster::Object>& pods_on(const std::string& node) const {
    static const std::vector<cluster::Object> kNone;
    const auto found = pods_.find(node);
    return found == pods_.end() ? kNone : found->second;
  }

  void create_on(std::string_view node) {
    doc::Object pod = pod_of(value_at(set_, "spec", "template"), cluster::kDaemonSets, set_);
    doc::Object& labels = doc::ensure_object(doc::ensure_object(pod, "metadata"), "labels");
    labels[kRevisionLabel] = revisions_.update_hash;
    const auto generation = doc::find_string(set_, "metadata", "annotations", kTemplateGeneration);
    if (!generation.empty()) labels[kPodTemplateGeneration] = generation;
    bind_to_node(doc::ensure_object(pod, "spec"), node);
    plan_.create_pods.emplace_back(std::move(pod));
  }

  /// What fails again and again is not replaced in a rush.
  bool is_braked(const doc::Value& pod) {
    const Time due = finished_at(pod) + std::min(kFirstBrake * (1 << std::min(parts_.failures, 10)), kLongestBrake);
    if (due <= now_) return false;
    plan_.look_again = std::min(plan_.look_again.value_or(due), due);
    return true;
  }

  void run_pods() {
    std::size_t known = 0;
    for (const auto& node : parts_.nodes) {
      const std::string name = name_of(*node);
      known += pods_.count(name);
      run_on(name, node_fit(*node, value_at(set_, "spec", "template", "spec")));
    }
    if (known == pods_.size()) return;
    // For a node that there is not, and not bound to it: nobody else would remove them.
    for (const auto& [name, pods] : pods_) {
      const bool there = std::ranges::any_of(parts_.nodes, [&](const auto& node) { return name_of(*node) == name; });
      for (const auto& pod : pods) {
        if (!there && !is_deleting(*pod)) plan_.remove_pods.push_back(pod);
      }
    }
  }

  void run_on(const std::string& node, const NodeFit& fit) {
    const auto& pods = pods_on(node);
    if (!fit.stays) {
      for (const auto& pod : pods) {
        if (!is_deleting(*pod)) plan_.remove_pods.push_back(pod);
      }
      return;
    }
    if (pods.empty()) {
      if (fit.runs) create_on(node);
      return;
    }
    std::vector<cluster::Object> running;
    for (const auto& pod : pods) {
      if (is_deleting(*pod)) continue;
      const bool failed = phase_of(*pod) == "Failed";
      if (failed && is_braked(*pod)) continue;
      (failed || phase_of(*pod) == "Succeeded" ? plan_.remove_pods : running).push_back(pod);
    }
    if (!may_surge()) {
      for (std::size_t i = 1; i < running.size(); ++i) plan_.remove_pods.push_back(running[i]);
    } else {
      keep_two(running);
    }
  }

  /// While a node has its new pod beside the old one, the old one goes when it is not ready, or the new one available.
  void keep_two(const std::vector<cluster::Object>& running) {
    cluster::Object newer, older;
    for (const auto& pod : running) {
      cluster::Object& place = is_new(*pod) ? newer : older;
      if (place) {
        plan_.remove_pods.push_back(pod);
      } else {
        place = pod;
      }
    }
    if (newer && older && (!is_ready(*older) || available(*newer))) plan_.remove_pods.push_back(older);
  }

  /// A node's pod of the present template and that of another; false when it has several of either.
  static bool sort_out(const std::vector<cluster::Object>& pods, const Look& look, cluster::Object& newer,
                       cluster::Object& older) {
    for (const auto& pod : pods) {
      if (is_deleting(*pod)) continue;
      cluster::Object& place = look.is_new(*pod) ? newer : older;
      if (place) return false;
      place = pod;
    }
    return true;
  }

  void roll() {
    const auto wanted = std::ranges::count_if(parts_.nodes, [this](const auto& node) {
      return node_fit(*node, value_at(set_, "spec", "template", "spec")).runs;
    });
    if (may_surge()) return roll_by_surge(share_of(rolling("maxSurge"), wanted));
    const doc::Value& most = rolling("maxUnavailable");
    std::int64_t room = most.is_null() ? 1 : share_of(most, wanted);
    std::vector<cluster::Object> candidates;
    for (const auto& [node, pods] : pods_) {
      cluster::Object newer, older;
      if (!sort_out(pods, *this, newer, older) || (newer != nullptr) == (older != nullptr)) {
        --room;
      } else if (newer) {
        if (!available(*newer)) --room;
      } else if (!available(*older)) {
        // Nothing is lost with it.
        plan_.remove_pods.push_back(older);
        --room;
      } else {
        candidates.push_back(older);
      }
    }
    candidates.resize(std::min(candidates.size(), static_cast<std::size_t>(std::max<std::int64_t>(room, 0))));
    plan_.remove_pods.insert(plan_.remove_pods.end(), candidates.begin(), candidates.end());
  }

  void roll_by_surge(std::int64_t room) {
    std::vector<std::string> candidates;
    for (const auto& [node, pods] : pods_) {
      cluster::Object newer, older;
      if (!sort_out(pods, *this, newer, older)) {
        --room;
      } else if (older && newer) {
        if (available(*newer)) {
          plan_.remove_pods.push_back(older);
        } else {
          --room;
        }
      } else if (older && !available(*older)) {
        create_on(node);
      } else if (older) {
        candidates.push_back(node);
      }
    }
    candidates.resize(std::min(candidates.size(), static_cast<std::size_t>(std::max<std::int64_t>(room, 0))));
    for (const std::string& node : candidates) create_on(node);
  }

  void remove_old_revisions() {
    std::vector<std::string> in_use{revisions_.update};
    for (const auto& revision : parts_.revisions) {
      const auto hash = hash_of(cluster::kDaemonSets, *revision);
      const bool has_pods = std::ranges::any_of(parts_.pods, [&](const auto& pod) {
        return doc::find_string(*pod, "metadata", "labels", kRevisionLabel) == hash;
      });
      if (has_pods) in_use.push_back(name_of(*revision));
    }
    plan_.remove_revisions = surplus_revisions(set_, parts_.revisions, in_use);
  }

  void count() {
    std::int64_t desired = 0, current = 0, misplaced = 0, ready = 0, updated = 0, available_count = 0;
    for (const auto& node : parts_.nodes) {
      const auto& pods = pods_on(name_of(*node));
      if (!node_fit(*node, value_at(set_, "spec", "template", "spec")).runs) {
        if (!pods.empty()) ++misplaced;
        continue;
      }
      ++desired;
      if (pods.empty()) continue;
      ++current;
      const doc::Value& pod = *pods.front();
      if (is_ready(pod)) ++ready;
      if (available(pod)) ++available_count;
      if (is_new(pod)) ++updated;
    }
    plan_.status = doc::Object{{"currentNumberScheduled", current},
                               {"numberMisscheduled", misplaced},
                               {"desiredNumberScheduled", desired},
                               {"numberReady", ready}};
    for (const auto& [member, number] : {std::pair{"updatedNumberScheduled", updated},
                                         {"numberAvailable", available_count},
                                         {"numberUnavailable", desired - available_count}}) {
      if (number > 0) plan_.status[member] = number;
    }
    plan_.status["observedGeneration"] = number_at(set_, "metadata", "generation").value_or(1);
    for (const char* kept : {"collisionCount", "conditions"}) {
      if (const doc::Value& value = value_at(set_, "status", kept); !value.is_null()) plan_.status[kept] = value;
    }
  }

  const doc::Value& set_;
  const DaemonSetParts& parts_;
  const Time now_;
  const SetRevisions revisions_;
  const Duration at_least_;
  std::map<std::string, std::vector<cluster::Object>> pods_;  ///< by node, the oldest first
  DaemonSetPlan plan_;
};

}  // namespace

DaemonSetPlan plan_daemon_set(const doc::Value& set, const DaemonSetParts& parts, Time now) {
  return Look(set, parts, now).make();
}

}  // namespace tiphys::controllers::workloads
