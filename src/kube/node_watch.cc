#include "kube/node_watch.h"

#include <fmt/format.h>

#include <unordered_map>

#include "base/check.h"
#include "kube/object_watch.h"

namespace tiphys::kube {
namespace {

class NodeWatch final : public cluster::Watch {
 public:
  NodeWatch(const std::shared_ptr<Api>& api, const cluster::Key& workflow, cluster::Cluster::NodeSink sink)
      : name_(workflow.name), sink_(std::move(sink)) {
    ObjectWatchOptions options{.with_nodes = true};
    options.watch.ns = workflow.ns;
    Result<cluster::Selector> by_name = cluster::Selector::parse_fields("metadata.name=" + name_);
    TIPHYS_CHECK(by_name.has_value(), "a Kubernetes name needs no escapes in a selector");
    options.watch.fields = std::move(*by_name);
    watch_ = watch_objects(api, cluster::kWorkflows, std::move(options),
                           {[this](const cluster::WatchEvent& event) { on_event(event); },
                            [this](Error error) { end(std::move(error)); }});
  }

 private:
  using Type = cluster::WatchEvent::Type;

  void on_event(const cluster::WatchEvent& event) {
    if (!sink_.on_end) return;
    if (event.type == Type::kSynced && uid_.empty()) {
      return end({Code::kNotFound, fmt::format("workflows.argoproj.io \"{}\" not found", name_)});
    }
    if (event.type == Type::kSynced) return sink_.on_synced();
    const std::string_view uid = doc::find_string(*event.object, "metadata", "uid");
    if (event.type == Type::kDeleted) return end({Code::kNotFound, "the workflow has been deleted"});
    if (!uid_.empty() && uid != uid_) return end({Code::kOutOfRange, "the workflow has been replaced by another"});
    uid_ = uid;
    tell_changes(*event.object);
  }

  void tell_changes(const doc::Value& workflow) {
    static const doc::Value kNone = doc::Object{};
    const doc::Value* found = doc::find(workflow, "status", "nodes");
    const doc::Value& nodes = found && found->is_object() ? *found : kNone;
    for (const auto& [id, text] : told_) {
      if (!doc::find(nodes, id)) return end({Code::kOutOfRange, "nodes have been removed"});
    }
    const std::weak_ptr<bool> alive = alive_;
    for (const auto& [id, node] : nodes.get_object()) {
      std::string text = doc::to_json(node);
      std::string& told = told_[id];
      if (told == text) continue;
      told = text;
      sink_.on_node(text);
      if (alive.expired()) return;
    }
  }

  void end(Error error) {
    auto on_end = std::exchange(sink_.on_end, nullptr);
    if (on_end) on_end(std::move(error));
  }

  std::string name_, uid_;
  cluster::Cluster::NodeSink sink_;
  std::unordered_map<std::string, std::string> told_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::unique_ptr<cluster::Watch> watch_;
};

}  // namespace

std::unique_ptr<cluster::Watch> watch_nodes(const std::shared_ptr<Api>& api, const cluster::Key& workflow,
                                            cluster::Cluster::NodeSink sink) {
  return std::make_unique<NodeWatch>(api, workflow, std::move(sink));
}

}  // namespace tiphys::kube
