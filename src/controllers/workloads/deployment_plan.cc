#include "controllers/workloads/deployment_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cluster/pod_phase.h"
#include "controllers/workloads/conditions.h"
#include "controllers/workloads/fields.h"
#include "controllers/workloads/revisions.h"

namespace tiphys::controllers::workloads {
namespace {

std::int64_t replicas_of(const doc::Value& object) {
  return number_at(object, "spec", "replicas").value_or(1);
}

/// "25%" of `total`, or a number.
std::int64_t share(const doc::Value& value, std::int64_t total, bool round_up) {
  if (value.is_int64()) return value.get_int64();
  if (!value.is_string()) return 0;
  const double part = std::strtod(value.get_string().c_str(), nullptr) * static_cast<double>(total) / 100;
  return static_cast<std::int64_t>(round_up ? std::ceil(part) : std::floor(part));
}

bool made_before(const cluster::Object& one, const cluster::Object& other) {
  const auto of = [](const cluster::Object& object) {
    return std::pair(doc::find_string(*object, "metadata", "creationTimestamp"), name_of(*object));
  };
  return of(one) < of(other);
}

/// One look at a Deployment.
class Look {
 public:
  Look(const doc::Value& deployment, std::vector<cluster::Object> replica_sets,
       const std::vector<cluster::Object>& pods, Time now)
      : deployment_(deployment), all_(std::move(replica_sets)), pods_(pods), now_(now) {
    std::ranges::sort(all_, made_before);
    newest_ = find_newest(deployment, all_);
    for (const auto& one : all_) {
      if (one != newest_) old_.push_back(one);
    }
    wanted_ = replicas_of(deployment);
    recreates_ = doc::find_string(deployment, "spec", "strategy", "type") == "Recreate";
    paused_ = is_true_at(deployment, "spec", "paused");
    const doc::Value& rolling = value_at(deployment, "spec", "strategy", "rollingUpdate");
    surge_ = recreates_ ? 0 : share(value_at(rolling, "maxSurge"), wanted_, true);
    unavailable_ = recreates_ ? 0 : share(value_at(rolling, "maxUnavailable"), wanted_, false);
    if (!recreates_ && surge_ == 0 && unavailable_ == 0) unavailable_ = 1;
    unavailable_ = std::min(unavailable_, wanted_);
    if (const doc::Value& status = value_at(deployment, "status"); status.is_object())
      plan_.status = status.get_object();
  }

  DeploymentPlan make() {
    if (!is_deleting(deployment_)) act();
    tell();
    return std::move(plan_);
  }

 private:
  void act() {
    if (paused_) return follow_scale();
    if (recreates_ && take_down_old()) return;
    if (!newest_) return create_newest();
    number_newest();
    if (recreates_) {
      scale(newest_, wanted_);
    } else if (!scale_newest()) {
      scale_old();
    }
    if (complete()) forget_old();
  }

  std::int64_t next_revision() const {
    std::int64_t last = 0;
    for (const auto& one : old_) last = std::max(last, revision_of(*one));
    return last + 1;
  }

  void create_newest() {
    plan_.revision = std::to_string(next_revision());
    doc::Value made = make_replica_set(deployment_, next_revision());
    const std::int64_t others = total_of(old_);
    const std::int64_t first = recreates_ ? wanted_ : std::clamp<std::int64_t>(wanted_ + surge_ - others, 0, wanted_);
    made.at("spec").as_object()["replicas"] = first;
    note_size(made);
    progress("NewReplicaSetCreated", fmt::format("Created new replica set \"{}\"", name_of(made)));
    if (first > 0) note_scale(name_of(made), 0, first);
    plan_.create = std::move(made);
  }

  /// A template that comes back makes its ReplicaSet the newest revision.
  void number_newest() {
    const std::int64_t revision = std::max(next_revision(), revision_of(*newest_));
    if (std::to_string(revision) != doc::find_string(deployment_, "metadata", "annotations", kRevision)) {
      plan_.revision = std::to_string(revision);
    }
    doc::Value changed = *newest_;
    bool any = annotate(changed, deployment_, revision);
    const auto seconds = number_at(deployment_, "spec", "minReadySeconds").value_or(0);
    if (number_at(changed, "spec", "minReadySeconds").value_or(0) != seconds) {
      changed.at("spec").as_object()["minReadySeconds"] = seconds;
      any = true;
    }
    if (any) plan_.update.push_back(std::move(changed));
    if (!find_condition(doc::Value(plan_.status), "Progressing")) {
      progress("FoundNewReplicaSet", fmt::format("Found new replica set \"{}\"", name_of(*newest_)));
    }
  }

  static std::int64_t total_of(const std::vector<cluster::Object>& replica_sets) {
    std::int64_t total = 0;
    for (const auto& one : replica_sets) total += replicas_of(*one);
    return total;
  }

  bool scale_newest() {
    const std::int64_t have = replicas_of(*newest_);
    if (have > wanted_) return scale(newest_, wanted_);
    const std::int64_t room = wanted_ + surge_ - total_of(all_);
    return scale(newest_, have + std::clamp<std::int64_t>(room, 0, wanted_ - have));
  }

  /// First what is not available anyhow, then as many as can be missed; the oldest first.
  void scale_old() {
    if (total_of(old_) == 0) return;
    const std::int64_t at_least = wanted_ - unavailable_;
    const std::int64_t pending = replicas_of(*newest_) - available_of(*newest_);
    std::int64_t surplus = total_of(all_) - at_least - pending;
    if (surplus <= 0) return;
    std::int64_t available = 0;
    for (const auto& one : all_) available += available_of(*one);
    std::int64_t spare = std::max<std::int64_t>(available - at_least, 0);
    for (const auto& one : old_) {
      const std::int64_t have = replicas_of(*one);
      const std::int64_t idle = std::clamp<std::int64_t>(have - available_of(*one), 0, surplus);
      surplus -= idle;
      const std::int64_t working = std::min({have - idle, spare, surplus});
      surplus -= working;
      spare -= working;
      scale(one, have - idle - working);
    }
  }

  /// True while something of the old ones is left.
  bool take_down_old() {
    bool any = false;
    for (const auto& one : old_) any = scale(one, 0) || any;
    if (any) return true;
    return std::ranges::any_of(pods_, [&](const auto& pod) {
      return !cluster::pod_ended(*pod) &&
             std::ranges::any_of(old_, [&](const auto& one) { return is_controlled_by(*pod, *one); });
    });
  }

  static bool is_controlled_by(const doc::Value& pod, const doc::Value& replica_set) {
    return std::ranges::any_of(list_at(pod, "metadata", "ownerReferences"), [&](const doc::Value& owner) {
      return doc::find_string(owner, "uid") == uid_of(replica_set);
    });
  }

  /// One that is paused can still be scaled.
  void follow_scale() {
    if (newest_ && total_of(old_) == 0) scale(newest_, wanted_);
  }

  static std::int64_t available_of(const doc::Value& replica_set) {
    return number_at(replica_set, "status", "availableReplicas").value_or(0);
  }

  void note_size(doc::Value& replica_set) const {
    doc::Object& annotations =
        doc::ensure_object(doc::ensure_object(replica_set.get_object(), "metadata"), "annotations");
    annotations[kDesiredReplicas] = std::to_string(wanted_);
    annotations[kMaxReplicas] = std::to_string(wanted_ + surge_);
  }

  void note_scale(const std::string& name, std::int64_t from, std::int64_t to) {
    plan_.notes.push_back({"ScalingReplicaSet", fmt::format("Scaled {} replica set {} from {} to {}",
                                                            to > from ? "up" : "down", name, from, to)});
  }

  /// False when it has this size already.
  bool scale(const cluster::Object& replica_set, std::int64_t replicas) {
    const std::int64_t have = replicas_of(*replica_set);
    const bool sized =
        doc::find_string(*replica_set, "metadata", "annotations", kDesiredReplicas) == std::to_string(wanted_);
    if (have == replicas && (sized || replicas == 0)) return false;
    auto changed =
        std::ranges::find_if(plan_.update, [&](const doc::Value& one) { return uid_of(one) == uid_of(*replica_set); });
    if (changed == plan_.update.end()) changed = plan_.update.insert(plan_.update.end(), *replica_set);
    changed->at("spec").as_object()["replicas"] = replicas;
    note_size(*changed);
    if (have != replicas) note_scale(name_of(*replica_set), have, replicas);
    return have != replicas;
  }

  bool complete() const {
    const doc::Value& status = value_at(deployment_, "status");
    const auto is = [&](const char* member) { return number_at(status, member).value_or(0) == wanted_; };
    return is("updatedReplicas") && is("replicas") && is("availableReplicas") && total_of(old_) == 0 &&
           number_at(status, "observedGeneration") == number_at(deployment_, "metadata", "generation");
  }

  void forget_old() {
    const std::int64_t limit = number_at(deployment_, "spec", "revisionHistoryLimit").value_or(10);
    std::vector<cluster::Object> idle;
    for (const auto& one : old_) {
      const bool empty = replicas_of(*one) == 0 && number_at(*one, "status", "replicas").value_or(0) == 0;
      if (empty && !is_deleting(*one)) idle.push_back(one);
    }
    std::ranges::sort(idle, {}, [](const auto& one) { return revision_of(*one); });
    const std::int64_t surplus = static_cast<std::int64_t>(idle.size()) - limit;
    if (surplus > 0) plan_.remove.assign(idle.begin(), idle.begin() + surplus);
  }

  void progress(std::string_view reason, const std::string& message) {
    set_condition(plan_.status, {"Progressing", true, reason, message}, ConditionStamp::kUpdate, now_);
  }

  void tell() {
    const doc::Value before = plan_.status;
    std::int64_t total = 0, ready = 0, available = 0;
    for (const auto& one : all_) {
      total += number_at(*one, "status", "replicas").value_or(0);
      ready += number_at(*one, "status", "readyReplicas").value_or(0);
      available += available_of(*one);
    }
    const std::int64_t updated = newest_ ? number_at(*newest_, "status", "replicas").value_or(0) : 0;
    plan_.status["observedGeneration"] = number_at(deployment_, "metadata", "generation").value_or(1);
    put("replicas", total);
    put("updatedReplicas", updated);
    put("readyReplicas", ready);
    put("availableReplicas", available);
    put("unavailableReplicas", std::max<std::int64_t>(total_of(all_) - available, 0));
    const bool enough = available >= wanted_ - unavailable_;
    set_condition(plan_.status,
                  {"Available", enough, enough ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
                   enough ? "Deployment has minimum availability." : "Deployment does not have minimum availability."},
                  ConditionStamp::kUpdate, now_);
    tell_progress(before, updated == wanted_ && total == wanted_ && available == wanted_ && newest_);
  }

  void tell_progress(const doc::Value& before, bool done) {
    const auto seconds = number_at(deployment_, "spec", "progressDeadlineSeconds").value_or(600);
    const doc::Value after = plan_.status;
    const doc::Value* condition = find_condition(after, "Progressing");
    if (paused_ || !newest_ || !condition) return;
    const std::string name = name_of(*newest_);
    const auto reason = doc::find_string(*condition, "reason");
    if (done) {
      return progress("NewReplicaSetAvailable", fmt::format("ReplicaSet \"{}\" has successfully progressed.", name));
    }
    const auto grown = [&](const char* member) {
      return number_at(after, member).value_or(0) > number_at(before, member).value_or(0);
    };
    const auto old = [](const doc::Value& status) {
      return number_at(status, "replicas").value_or(0) - number_at(status, "updatedReplicas").value_or(0);
    };
    const bool moved =
        grown("updatedReplicas") || grown("readyReplicas") || grown("availableReplicas") || old(after) < old(before);
    if (moved) {
      const std::string message = fmt::format("ReplicaSet \"{}\" is progressing.", name);
      // The same words again, at a later time: the deadline begins anew.
      if (reason == "ReplicaSetUpdated")
        set_condition(plan_.status, {"Progressing", true, "", ""}, ConditionStamp::kUpdate, now_);
      return progress("ReplicaSetUpdated", message);
    }
    if (reason == "NewReplicaSetAvailable" || reason == "ProgressDeadlineExceeded") return;
    const Time due = time_at(*condition, "lastUpdateTime").value_or(now_) + std::chrono::seconds(seconds);
    if (due > now_) {
      plan_.look_again = due;
      return;
    }
    set_condition(plan_.status,
                  {"Progressing", false, "ProgressDeadlineExceeded",
                   fmt::format("ReplicaSet \"{}\" has timed out progressing.", name)},
                  ConditionStamp::kUpdate, now_);
  }

  void put(const char* member, std::int64_t number) {
    if (number == 0) {
      plan_.status.erase(member);
    } else {
      plan_.status[member] = number;
    }
  }

  const doc::Value& deployment_;
  std::vector<cluster::Object> all_, old_;  ///< the oldest first
  cluster::Object newest_;
  const std::vector<cluster::Object>& pods_;
  const Time now_;
  std::int64_t wanted_ = 1, surge_ = 0, unavailable_ = 0;
  bool recreates_ = false, paused_ = false;
  DeploymentPlan plan_;
};

}  // namespace

DeploymentPlan plan_deployment(const doc::Value& deployment, const std::vector<cluster::Object>& replica_sets,
                               const std::vector<cluster::Object>& pods, Time now) {
  return Look(deployment, replica_sets, pods, now).make();
}

}  // namespace tiphys::controllers::workloads
