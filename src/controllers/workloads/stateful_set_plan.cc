#include "controllers/workloads/stateful_set_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <ranges>

#include "cluster/pod_phase.h"
#include "controllers/workloads/fields.h"
#include "controllers/workloads/pods.h"
#include "controllers/workloads/set_claims.h"
#include "controllers/workloads/set_revisions.h"

namespace tiphys::controllers::workloads {
namespace {

using std::chrono::seconds;

constexpr std::string_view kRevisionLabel = "controller-revision-hash";
constexpr std::string_view kPodName = "statefulset.kubernetes.io/pod-name";
constexpr std::string_view kPodIndex = "apps.kubernetes.io/pod-index";

std::string_view revision_label(const doc::Value& pod) {
  return doc::find_string(pod, "metadata", "labels", kRevisionLabel);
}

class Look {
 public:
  Look(const doc::Value& set, const StatefulSetParts& parts, Time now)
      : set_(set),
        parts_(parts),
        now_(now),
        revisions_(revisions_of(cluster::kStatefulSets, set, parts.revisions)),
        start_(number_at(set, "spec", "ordinals", "start").value_or(0)),
        replicas_(number_at(set, "spec", "replicas").value_or(1)),
        at_least_(seconds(number_at(set, "spec", "minReadySeconds").value_or(0))),
        ordered_(doc::find_string(set, "spec", "podManagementPolicy") != "Parallel") {
    for (const auto& pod : parts.pods) {
      if (const auto ordinal = ordinal_of(set, *pod)) pods_[*ordinal] = pod;
    }
  }

  StatefulSetPlan make() {
    count();
    if (!is_deleting(set_)) {
      plan_.create_revision = revisions_.create;
      plan_.update_revision = revisions_.change;
      if (run_replicas() && remove_surplus()) roll();
    }
    finish_status();
    return std::move(plan_);
  }

 private:
  bool in_range(std::int64_t ordinal) const { return ordinal >= start_ && ordinal < start_ + replicas_; }
  bool runs_ready(const doc::Value& pod) const {
    return doc::find_string(pod, "status", "phase") == "Running" && is_ready(pod);
  }
  bool runs_available(const doc::Value& pod) {
    if (!runs_ready(pod)) return false;
    if (is_available(pod, at_least_, now_)) return true;
    // It is as soon as it has been ready for long enough.
    for (const doc::Value& condition : list_at(pod, "status", "conditions")) {
      if (doc::find_string(condition, "type") != "Ready") continue;
      const Time when = time_at(condition, "lastTransitionTime").value_or(now_) + at_least_;
      plan_.look_again = std::min(plan_.look_again.value_or(when), when);
    }
    return false;
  }
  bool is_unavailable(const doc::Value& pod) { return is_deleting(pod) || !runs_available(pod); }

  void count() {
    for (const auto& [ordinal, pod] : pods_) {
      ++present_;
      if (runs_ready(*pod)) ++ready_;
      if (runs_available(*pod)) ++available_;
      if (is_deleting(*pod)) continue;
      if (revision_label(*pod) == revisions_.current) ++current_;
      if (revision_label(*pod) == revisions_.update) ++updated_;
    }
  }

  const doc::Value* claim_named(const std::string& name) const {
    const auto found = std::ranges::find_if(parts_.claims, [&](const auto& one) { return name_of(*one) == name; });
    return found == parts_.claims.end() ? nullptr : &**found;
  }
  /// False while one of before is on its way out.
  bool provide_claims(std::int64_t ordinal, const doc::Value* pod, bool surplus) {
    bool there = true;
    for (doc::Value& wanted : claims_of(set_, ordinal)) {
      const doc::Value* known = claim_named(name_of(wanted));
      if (!known) {
        if (!surplus) plan_.create_claims.push_back(std::move(wanted));
      } else if (is_deleting(*known)) {
        there = false;
      } else if (auto owned = with_owners(set_, *known, pod, surplus)) {
        plan_.update_claims.push_back(std::move(*owned));
      }
    }
    return there;
  }

  doc::Value make_pod(std::int64_t ordinal) const {
    const bool rolls = doc::find_string(set_, "spec", "updateStrategy", "type") != "OnDelete";
    const bool stays = rolls && ordinal < start_ + partition();
    const std::string name = fmt::format("{}-{}", name_of(set_), ordinal);
    doc::Object pod =
        pod_of(stays ? revisions_.current_template : revisions_.update_template, cluster::kStatefulSets, set_);
    doc::Object& metadata = doc::ensure_object(pod, "metadata");
    metadata.erase("generateName");
    metadata["name"] = name;
    doc::Object& labels = doc::ensure_object(metadata, "labels");
    labels[kPodName] = name;
    labels[kPodIndex] = std::to_string(ordinal);
    labels[kRevisionLabel] = stays ? revisions_.current : revisions_.update;
    doc::Object& spec = doc::ensure_object(pod, "spec");
    spec["hostname"] = name;
    if (const auto service = doc::find_string(set_, "spec", "serviceName"); !service.empty())
      spec["subdomain"] = service;
    mount_claims(set_, ordinal, pod);
    return pod;
  }

  /// False when the next has to wait.
  bool run_replica(std::int64_t ordinal) {
    const auto found = pods_.find(ordinal);
    if (found == pods_.end()) {
      if (!provide_claims(ordinal, nullptr, false)) return false;
      plan_.create_pods.push_back(make_pod(ordinal));
      return !ordered_;
    }
    const cluster::Object& pod = found->second;
    if (cluster::pod_ended(*pod)) {
      // Whatever came of it, it runs again.
      if (!is_deleting(*pod)) plan_.remove_pods.push_back(pod);
      return !ordered_;
    }
    if (ordered_ && (is_deleting(*pod) || !runs_available(*pod))) {
      if (!is_deleting(*pod)) provide_claims(ordinal, pod.get(), false);
      return false;
    }
    if (is_deleting(*pod)) return true;
    provide_claims(ordinal, pod.get(), false);
    if (doc::find_string(*pod, "metadata", "labels", kPodName) != name_of(*pod)) {
      doc::Value named = *pod;
      doc::Object& metadata = doc::ensure_object(named.get_object(), "metadata");
      doc::ensure_object(metadata, "labels")[kPodName] = name_of(*pod);
      plan_.update_pods.push_back(std::move(named));
    }
    return true;
  }

  bool run_replicas() {
    for (std::int64_t i = 0; i < replicas_; ++i) {
      if (!run_replica(start_ + i) && ordered_) return false;
    }
    return true;
  }

  /// The one with the highest number first.
  bool remove_surplus() {
    std::vector<std::pair<std::int64_t, cluster::Object>> surplus;
    for (const auto& [ordinal, pod] : pods_) {
      if (!in_range(ordinal)) surplus.emplace_back(ordinal, pod);
    }
    const doc::Value* first_unavailable = nullptr;
    for (const auto& [ordinal, pod] : surplus) {
      if (!first_unavailable && is_unavailable(*pod)) first_unavailable = pod.get();
      if (!is_deleting(*pod)) provide_claims(ordinal, pod.get(), true);
    }
    for (const auto& [ordinal, pod] : surplus | std::views::reverse) {
      if (is_deleting(*pod)) {
        if (ordered_) return false;
        continue;
      }
      if (ordered_ && !runs_available(*pod) && pod.get() != first_unavailable) return false;
      plan_.remove_pods.push_back(pod);
      if (ordered_) return false;
    }
    return true;
  }

  std::int64_t partition() const {
    return number_at(set_, "spec", "updateStrategy", "rollingUpdate", "partition").value_or(0);
  }

  /// The highest number that is not of the newest revision goes, when all above it run.
  void roll() {
    if (doc::find_string(set_, "spec", "updateStrategy", "type") == "OnDelete") return;
    for (std::int64_t i = replicas_ - 1; i >= partition(); --i) {
      const auto found = pods_.find(start_ + i);
      if (found == pods_.end()) return;
      const cluster::Object& pod = found->second;
      if (revision_label(*pod) != revisions_.update && !is_deleting(*pod)) {
        plan_.remove_pods.push_back(pod);
        if (revision_label(*pod) == revisions_.current) --current_;
        return;
      }
      if (is_unavailable(*pod)) return;
    }
  }

  void finish_status() {
    std::string current = revisions_.current;
    const bool rolls = doc::find_string(set_, "spec", "updateStrategy", "type") != "OnDelete";
    if (rolls && updated_ == replicas_ && ready_ == replicas_ && present_ == replicas_) {
      current = revisions_.update;
      current_ = updated_;
    }
    std::vector<std::string> in_use{current, revisions_.update};
    for (const auto& [ordinal, pod] : pods_) in_use.emplace_back(revision_label(*pod));
    if (!is_deleting(set_)) plan_.remove_revisions = surplus_revisions(set_, parts_.revisions, in_use);
    plan_.status = doc::Object{{"replicas", present_}, {"availableReplicas", available_}};
    for (const auto& [member, number] :
         {std::pair{"readyReplicas", ready_}, {"currentReplicas", current_}, {"updatedReplicas", updated_}}) {
      if (number > 0) plan_.status[member] = number;
    }
    plan_.status["currentRevision"] = current;
    plan_.status["updateRevision"] = revisions_.update;
    plan_.status["collisionCount"] = number_at(set_, "status", "collisionCount").value_or(0);
    if (const auto generation = number_at(set_, "metadata", "generation"))
      plan_.status["observedGeneration"] = *generation;
  }

  const doc::Value& set_;
  const StatefulSetParts& parts_;
  const Time now_;
  const SetRevisions revisions_;
  const std::int64_t start_, replicas_;
  const Duration at_least_;
  const bool ordered_;
  std::map<std::int64_t, cluster::Object> pods_;
  std::int64_t present_ = 0, ready_ = 0, available_ = 0, current_ = 0, updated_ = 0;
  StatefulSetPlan plan_;
};

}  // namespace

std::optional<std::int64_t> ordinal_of(const doc::Value& set, const doc::Value& pod) {
  const std::string name = name_of(pod), prefix = name_of(set) + "-";
  if (!name.starts_with(prefix)) return std::nullopt;
  std::int64_t ordinal = 0;
  const char* end = name.data() + name.size();
  const auto [rest, error] = std::from_chars(name.data() + prefix.size(), end, ordinal);
  if (error != std::errc() || rest != end || ordinal < 0) return std::nullopt;
  return ordinal;
}

StatefulSetPlan plan_stateful_set(const doc::Value& set, const StatefulSetParts& parts, Time now) {
  return Look(set, parts, now).make();
}

}  // namespace tiphys::controllers::workloads
