#include "kube/node_watch.h"

#include "base/check.h"
#include "cluster/node_teller.h"
#include "kube/object_watch.h"

namespace tiphys::kube {
namespace {

class NodeWatch final : public cluster::Watch {
 public:
  NodeWatch(const std::shared_ptr<Api>& api, const cluster::Key& workflow, cluster::Cluster::NodeSink sink)
      : teller_(workflow.name, std::move(sink)) {
    ObjectWatchOptions options{.with_nodes = true};
    options.watch.ns = workflow.ns;
    Result<cluster::Selector> by_name = cluster::Selector::parse_fields("metadata.name=" + workflow.name);
    TIPHYS_CHECK(by_name.has_value(), "a Kubernetes name needs no escapes in a selector");
    options.watch.fields = std::move(*by_name);
    watch_ = watch_objects(api, cluster::kWorkflows, std::move(options),
                           {[this](const cluster::WatchEvent& event) { teller_.take(event); },
                            [this](Error error) { teller_.end(std::move(error)); }});
  }

 private:
  cluster::NodeTeller teller_;
  std::unique_ptr<cluster::Watch> watch_;
};

}  // namespace

std::unique_ptr<cluster::Watch> watch_nodes(const std::shared_ptr<Api>& api, const cluster::Key& workflow,
                                            cluster::Cluster::NodeSink sink) {
  return std::make_unique<NodeWatch>(api, workflow, std::move(sink));
}

}  // namespace tiphys::kube
