#include "engine/run.h"

#include <array>

#include "engine/machine.h"

namespace tiphys::engine {
namespace {

constexpr std::array<std::string_view, 6> kPhaseNames = {"", "Pending", "Running", "Succeeded", "Failed", "Error"};

}  // namespace

class Run::State : public Machine {
 public:
  using Machine::Machine;
};

std::string_view phase_name(RunStatus::Phase phase) {
  return kPhaseNames[static_cast<std::size_t>(phase)];
}

std::optional<RunStatus::Phase> parse_phase(std::string_view name) {
  for (std::size_t i = 0; i < kPhaseNames.size(); ++i) {
    if (kPhaseNames[i] == name) return static_cast<RunStatus::Phase>(i);
  }
  return std::nullopt;
}

Run::Run(std::unique_ptr<State> state) : state_(std::move(state)) {}
Run::~Run() = default;

Result<std::unique_ptr<Run>> Run::create(api::Workflow workflow, Random& random) {
  return std::unique_ptr<Run>(new Run(std::make_unique<State>(std::move(workflow), random)));
}

Result<std::unique_ptr<Run>> Run::restore(api::Workflow workflow, RunStatus status, std::vector<api::NodeStatus> nodes,
                                          Random& random) {
  auto state = std::make_unique<State>(std::move(workflow), random);
  TIPHYS_CHECK_OK(state->load(std::move(status), std::move(nodes)));
  return std::unique_ptr<Run>(new Run(std::move(state)));
}

void Run::apply(const Event& event, Time now, std::vector<Effect>& effects) {
  state_->apply(event, now, effects);
}

void Run::metric_refused(std::string_view error) {
  state_->metric_failed(error);
}

const api::Workflow& Run::workflow() const {
  return state_->workflow();
}

const RunStatus& Run::status() const {
  return state_->status();
}

std::optional<api::NodeStatus> Run::find_node(std::string_view node_id) const {
  return state_->find_node(node_id);
}

std::size_t Run::node_count() const {
  return state_->node_count();
}

Run::Changes Run::take_changes() {
  return state_->take_changes();
}

}  // namespace tiphys::engine
