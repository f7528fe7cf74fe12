#include "store/node_watches.h"

#include <algorithm>

namespace tiphys::store {

class NodeWatch {
 public:
  explicit NodeWatch(NodeWatches::Sink sink) : sink_(std::move(sink)) {}

  bool closed() const { return closed_; }
  void close() {
    closed_ = true;
    if (!calling_) sink_ = {};
  }
  void end(Error error) {
    if (closed_) return;
    closed_ = true;
    auto on_end = std::move(sink_.on_end);
    sink_ = {};
    if (on_end) on_end(std::move(error));
  }
  void tell(std::string_view json) {
    call([&] { sink_.on_node(json); });
  }
  void synced() {
    call([&] { sink_.on_synced(); });
  }

  /// The newest version that the first reading has shown.
  std::uint64_t seen = 0;

 private:
  void call(auto&& function) {
    if (closed_) return;
    calling_ = true;
    function();
    calling_ = false;
    // Closed by its own reader, whose function had to live until here.
    if (closed_) sink_ = {};
  }

  NodeWatches::Sink sink_;
  bool closed_ = false;
  bool calling_ = false;
};

namespace {

class NodeWatchHandle final : public cluster::Watch {
 public:
  explicit NodeWatchHandle(std::shared_ptr<NodeWatch> watch) : watch_(std::move(watch)) {}
  ~NodeWatchHandle() override { watch_->close(); }

 private:
  std::shared_ptr<NodeWatch> watch_;
};

bool deletes_a_node(const Change& change) {
  return std::ranges::any_of(change.nodes, [](const auto& node) { return node.json.empty(); });
}

}  // namespace

std::shared_ptr<NodeWatch> NodeWatches::make(Sink sink) {
  return std::make_shared<NodeWatch>(std::move(sink));
}

std::unique_ptr<cluster::Watch> NodeWatches::handle(std::shared_ptr<NodeWatch> watch) {
  return std::make_unique<NodeWatchHandle>(std::move(watch));
}

void NodeWatches::start(const std::shared_ptr<NodeWatch>& watch, const Result<std::string>& workflow_uid) {
  if (watch->closed()) return;
  if (!workflow_uid) return watch->end(workflow_uid.error());
  // Copied, because the reader's functions must not run inside a read of the database.
  std::vector<std::string> nodes;
  const Status read = disk_.nodes(*workflow_uid, [&](std::string_view, std::uint64_t version, std::string_view json) {
    watch->seen = std::max(watch->seen, version);
    nodes.emplace_back(json);
  });
  if (!read) return watch->end(read.error());
  auto& watches = watches_[*workflow_uid];
  std::erase_if(watches, [](const auto& other) { return other->closed(); });
  watches.push_back(watch);
  for (const std::string& json : nodes) watch->tell(json);
  watch->synced();
}

void NodeWatches::dispatch(const Change& change) {
  if (watches_.empty()) return;
  const bool deleted = change.object_changed && !change.after;
  if (change.nodes.empty() && !deleted) return;
  const auto found = watches_.find(change.workflow_uid());
  if (found == watches_.end()) return;
  for (const auto& watch : found->second) {
    if (deleted) {
      watch->end({Code::kNotFound, "the workflow was deleted"});
    } else if (deletes_a_node(change)) {
      watch->end({Code::kOutOfRange, "nodes were removed from the workflow; read it again"});
    } else if (change.version > watch->seen) {
      for (const auto& node : change.nodes) watch->tell(node.json);
    }
  }
  std::erase_if(found->second, [](const auto& watch) { return watch->closed(); });
  if (found->second.empty()) watches_.erase(found);
}

}  // namespace tiphys::store
