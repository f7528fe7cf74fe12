#include "argo/find_workflow.h"

#include <algorithm>

namespace tiphys::argo {
namespace {

/// Within one second of creation the later version is the newer.
auto age_of(const cluster::Object& workflow) {
  const std::string_view version = doc::find_string(*workflow, "metadata", "resourceVersion");
  return std::tuple(doc::find_string(*workflow, "metadata", "creationTimestamp"), version.size(), version);
}

}  // namespace

void find_latest(cluster::Cluster& cluster, const std::string& ns, cluster::Done<cluster::Object> done) {
  cluster::ListOptions options;
  options.ns = ns;
  cluster.list(cluster::kWorkflows, std::move(options), [done = std::move(done)](Result<cluster::List> list) mutable {
    if (!list) return done(std::unexpected(std::move(list.error())));
    if (list->items.empty()) return done(fail(Code::kNotFound, "no workflows found"));
    done(*std::ranges::max_element(list->items, {}, age_of));
  });
}

void with_workflow(const WorkPtr& work, std::move_only_function<void(const cluster::Key& key)> next) {
  if (work->text("name") != kLatest) return next(work->named(cluster::kWorkflows));
  find_latest(work->cluster(), work->text("namespace"),
              work->then<cluster::Object>([next = std::move(next)](const cluster::Object& latest) mutable {
                next({&cluster::kWorkflows, std::string(doc::find_string(*latest, "metadata", "namespace")),
                      std::string(doc::find_string(*latest, "metadata", "name"))});
              }));
}

}  // namespace tiphys::argo
