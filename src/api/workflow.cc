#include "api/workflow.h"

#include <algorithm>

namespace tiphys::api {

const Template* WorkflowSpec::find_template(std::string_view name) const {
  const auto found =
      std::ranges::find(templates, name, [](const auto& each) -> std::string_view { return each->name; });
  return found == templates.end() ? nullptr : found->get();
}

}  // namespace tiphys::api
