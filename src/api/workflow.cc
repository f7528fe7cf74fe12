#include "api/workflow.h"

#include <algorithm>

namespace tiphys::api {

const Template* WorkflowSpec::find_template(std::string_view name) const {
  const auto found =
      std::ranges::find(templates, name, [](const auto& each) -> std::string_view { return each->name; });
  return found == templates.end() ? nullptr : found->get();
}

const Template* Workflow::find_template(std::string_view scope, std::string_view called,
                                        const std::optional<TemplateRef>& ref) const {
  if (!ref && scope.empty()) return spec.find_template(called);
  const auto found = stored_templates.find(ref ? ref->key() : std::string(scope) + "/" + std::string(called));
  return found == stored_templates.end() ? nullptr : found->second.get();
}

void Workflow::take_config_map_arguments() {
  for (Parameter& parameter : spec.arguments.parameters) {
    if (const auto given = config_map_arguments.find(parameter.name); given != config_map_arguments.end()) {
      parameter.value = given->second;
    }
  }
}

}  // namespace tiphys::api
