#include "cli/view/run_state.h"

#include "doc/value.h"

namespace tiphys::cli {

std::string_view RunState::phase() const {
  return workflow ? doc::find_string(*workflow, "status", "phase") : std::string_view();
}

doc::Value RunState::with_spec() const {
  doc::Value copy = *workflow;
  if (const doc::Value* spec = doc::find(*whole, "spec")) copy.as_object()["spec"] = *spec;
  if (const doc::Value* stored = doc::find(*whole, "status", "storedWorkflowTemplateSpec")) {
    doc::ensure_object(copy.as_object(), "status")["storedWorkflowTemplateSpec"] = *stored;
  }
  return copy;
}

}  // namespace tiphys::cli
