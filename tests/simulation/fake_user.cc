#include "simulation/fake_user.h"

#include <fmt/format.h>

#include <optional>

#include "controllers/names.h"

namespace tiphys::simulation {
namespace {

constexpr Duration kLook = std::chrono::seconds(7);

bool waits_for_somebody(const doc::Value& workflow) {
  const doc::Value* nodes = doc::find(workflow, "status", "nodes");
  if (!nodes || !nodes->is_object()) return false;
  for (const auto& [id, node] : nodes->as_object()) {
    if (doc::find_string(node, "type") == "Suspend" && doc::find_string(node, "phase") == "Running") return true;
  }
  return false;
}

bool over(const doc::Value& workflow) {
  return doc::find_string(workflow, "metadata", "labels", controllers::kCompletedLabel) == "true";
}

}  // namespace

class FakeUser::State : public std::enable_shared_from_this<State> {
 public:
  State(Executor& executor, cluster::Cluster& cluster, bool meddles, Chance& chance)
      : executor_(executor), cluster_(cluster), meddles_(meddles), chance_(chance) {}

  void look_later(const std::string& workflow) {
    executor_.schedule(executor_.now() + kLook, [weak = weak_from_this(), workflow] {
      if (const auto self = weak.lock()) self->look(workflow);
    });
  }

 private:
  void look(const std::string& name) {
    const cluster::Key key{&cluster::kWorkflows, "sim", name};
    cluster_.get(key, [weak = weak_from_this(), key](const Result<cluster::Object>& workflow) {
      const auto self = weak.lock();
      if (!self) return;
      if (workflow && over(**workflow)) return;
      if (workflow) self->act(key, **workflow);
      self->look_later(key.name);
    });
  }

  void act(const cluster::Key& key, const doc::Value& workflow) {
    const doc::Value* suspended = doc::find(workflow, "spec", "suspend");
    if (suspended && suspended->is_bool() && suspended->as_bool()) {
      return patch(key, doc::Object{{"spec", doc::Object{{"suspend", nullptr}}}});
    }
    if (meddles_ && chance_.percent(5)) return patch(key, doc::Object{{"spec", doc::Object{{"suspend", true}}}});
    if (meddles_ && chance_.percent(3)) {
      return patch(key, doc::Object{{"spec", doc::Object{{"shutdown", chance_.percent(50) ? "Stop" : "Terminate"}}}});
    }
    const bool asked =
        !doc::find_string(workflow, "metadata", "annotations", controllers::kNodeRequestsAnnotation).empty();
    if (asked || !waits_for_somebody(workflow)) return;
    std::string request = fmt::format(R"([{{"id":"{:x}","fields":[],"phase":"Succeeded"}}])", chance_.source().next());
    patch(key, doc::Object{{"metadata", doc::Object{{"annotations", doc::Object{{controllers::kNodeRequestsAnnotation,
                                                                                 std::move(request)}}}}}});
  }

  void patch(const cluster::Key& key, doc::Object body) {
    // A patch that is refused is made again at the next look.
    cluster_.patch(key, cluster::PatchType::kMerge, std::move(body), [](const Result<cluster::Object>&) {});
  }

  Executor& executor_;
  cluster::Cluster& cluster_;
  bool meddles_;
  Chance& chance_;
};

FakeUser::FakeUser(Executor& executor, cluster::Cluster& cluster, std::vector<std::string> workflows, bool meddles,
                   Chance& chance)
    : state_(std::make_shared<State>(executor, cluster, meddles, chance)) {
  for (const std::string& workflow : workflows) state_->look_later(workflow);
}

FakeUser::~FakeUser() = default;

}  // namespace tiphys::simulation
