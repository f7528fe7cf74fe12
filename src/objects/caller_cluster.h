// A plane as one caller may use it: what is written over Cluster serves clients as it serves the plane's own parts.
#pragma once

#include <memory>

#include "cluster/cluster.h"
#include "objects/object_api.h"

namespace tiphys::objects {

/// A refusal as code that knows no HTTP sees it.
Error error_of(const Refusal& refusal);

/// Statuses of workflows are not written through it: kUnimplemented. What it gives may outlive it; `api` outlives both.
class CallerCluster final : public cluster::Cluster {
 public:
  /// `caller`: null for the plane's owner.
  CallerCluster(ObjectApi& api, std::shared_ptr<const Caller> caller) : api_(api), caller_(std::move(caller)) {}

  void get(const cluster::Key& key, cluster::Done<cluster::Object> done) override;
  void list(const cluster::Resource& resource, cluster::ListOptions options,
            cluster::Done<cluster::List> done) override;
  void create(const cluster::Resource& resource, doc::Value object, cluster::Done<cluster::Object> done) override;
  /// Tells what would be made, and makes nothing.
  void try_create(const cluster::Resource& resource, doc::Value object, cluster::Done<cluster::Object> done);
  void update(const cluster::Key& key, doc::Value object, cluster::Done<cluster::Object> done) override;
  void patch(const cluster::Key& key, cluster::PatchType type, doc::Value patch,
             cluster::Done<cluster::Object> done) override;
  void remove(const cluster::Key& key, cluster::DeleteOptions options, cluster::Done<cluster::Object> done) override;
  void update_workflow_status(const cluster::Key& key, cluster::WorkflowStatusUpdate update,
                              cluster::Done<void> done) override;
  std::unique_ptr<cluster::Watch> watch(const cluster::Resource& resource, cluster::WatchOptions options,
                                        cluster::WatchSink sink) override;
  std::unique_ptr<cluster::Watch> watch_nodes(const cluster::Key& workflow, NodeSink sink) override;
  std::unique_ptr<cluster::Watch> read_log(const cluster::Key& pod, cluster::LogOptions options,
                                           cluster::LogSink sink) override;

 private:
  Target target(const cluster::Resource& resource, const std::string& ns, const std::string& name = "") const;
  Target target(const cluster::Key& key) const { return target(*key.resource, key.ns, key.name); }

  ObjectApi& api_;
  std::shared_ptr<const Caller> caller_;
};

}  // namespace tiphys::objects
