#include "engine/declarations.h"

#include "engine/node_outputs.h"

namespace tiphys::engine {

void fill_text(std::string& text, const expr::Scope& globals, const Variables& variables) {
  if (auto filled = render(std::string_view(text), globals, variables, Leftover::kKeep)) text = std::move(*filled);
}

void fill_declaration(api::Parameter& parameter, const expr::Scope& globals, const Variables& variables) {
  if (!has_tag(parameter)) return;
  fill_text(parameter.global_name, globals, variables);
  fill_text(parameter.description, globals, variables);
  if (!parameter.value_from) return;
  api::ValueFrom& from = *parameter.value_from;
  for (std::string* text : {&from.path, &from.json_path, &from.jq_filter}) fill_text(*text, globals, variables);
  if (from.default_value) fill_text(*from.default_value, globals, variables);
}

}  // namespace tiphys::engine
