// One call at work: what it was asked, and the plane as its caller may use it. For services alone.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "argo/call.h"
#include "argo/empty_structs.h"
#include "argo/field_filter.h"
#include "argo/judge.h"
#include "argo/plane_services.h"
#include "objects/caller_cluster.h"

namespace tiphys::argo {

/// kPermissionDenied unless the caller may do this with workflows. Without `api` it is the cluster that refuses.
Status may(const objects::ObjectApi* api, const objects::Caller* caller, std::string_view verb, std::string_view ns,
           std::string_view name = {});

class Work : public std::enable_shared_from_this<Work> {
 public:
  Work(const ServedPlane& plane, Call call)
      : plane_(plane),
        call_(std::move(call)),
        cluster_(plane.api ? std::make_shared<objects::CallerCluster>(*plane.api, call_.caller)
                           : std::shared_ptr<cluster::Cluster>(std::shared_ptr<void>(), plane.cluster)) {}

  const ServedPlane& plane() const { return plane_; }
  cluster::Cluster& cluster() { return *cluster_; }
  /// For what goes on: whatever feeds the answer may not hold the call, which holds the answer.
  const std::shared_ptr<cluster::Cluster>& shared_cluster() const { return cluster_; }
  const objects::Caller* caller() const { return call_.caller.get(); }
  const std::shared_ptr<const objects::Caller>& shared_caller() const { return call_.caller; }
  doc::Object& request() { return call_.request; }
  /// Its headers that begin with "x-": lists of their values.
  doc::Object metadata() const;
  Answer& answer() { return *call_.answer; }
  const std::shared_ptr<Answer>& shared_answer() const { return call_.answer; }

  /// A member of the request; "" and false when it has none.
  std::string text(std::string_view field) const;
  bool flag(std::string_view field) const;
  const doc::Value& member(std::string_view field) const;  ///< null when there is none
  std::vector<std::string> texts(std::string_view field) const;
  /// Tells what would be made, and makes nothing.
  void try_create(const cluster::Resource& resource, doc::Value object, cluster::Done<cluster::Object> done);
  /// A key in the request's namespace, by its member "name".
  cluster::Key named(const cluster::Resource& resource) const { return {&resource, text("namespace"), text("name")}; }
  Status may(std::string_view verb, std::string_view ns, std::string_view name = {}) const {
    return argo::may(plane_.api, caller(), verb, ns, name);
  }
  /// What all pages of a list have in common.
  std::string list_identity() const;
  /// listOptions with the request's namespace.
  Result<cluster::ListOptions> list_options() const;
  Judging judging(bool lint = false) const { return {plane_.workflow_defaults, lint, false}; }

  void reply(const doc::Value& message) { call_.answer->reply(message); }
  /// Answers with a list of objects, of which `filter` tells the wanted fields; none is copied for all of them.
  void reply_list(std::string_view kind, const doc::Object& metadata, const std::vector<cluster::Object>& items,
                  const FieldFilter& filter = FieldFilter(""));
  void refuse(Error error);

  /// What an answer of the plane goes on with; an error ends the call.
  template <typename T, typename Next>
  cluster::Done<T> then(Next next) {
    return [self = shared_from_this(), next = std::move(next)](Result<T> result) mutable {
      if (!result) return self->refuse(std::move(result.error()));
      if constexpr (std::is_void_v<T>) {
        next();
      } else {
        next(std::move(*result));
      }
    };
  }
  /// Answers with an object.
  cluster::Done<cluster::Object> reply_object() {
    return then<cluster::Object>(
        [self = shared_from_this()](const cluster::Object& object) { self->reply(*with_empty_structs(object)); });
  }

 private:
  const ServedPlane& plane_;
  Call call_;
  std::shared_ptr<cluster::Cluster> cluster_;
};

using WorkPtr = std::shared_ptr<Work>;

/// The services' methods by their names: "CreateWorkflow".
using Methods = std::vector<std::pair<std::string_view, void (*)(const WorkPtr&)>>;
const Methods& workflow_methods();
const Methods& template_methods();
const Methods& cluster_template_methods();
const Methods& cron_methods();
const Methods& info_methods();
const Methods& archive_methods();
const Methods& sync_methods();
const Methods& event_methods();
const Methods& event_source_methods();
const Methods& sensor_methods();

}  // namespace tiphys::argo
