#include "expr/expression.h"

namespace tiphys::expr {

struct Expression::Program {
  std::vector<std::string> references;
  std::vector<std::string> required;
};

Result<Expression> Expression::compile(std::string_view) {
  return fail(Code::kUnimplemented, "expressions are not supported yet");
}

const std::vector<std::string>& Expression::references() const {
  return program_->references;
}
const std::vector<std::string>& Expression::required() const {
  return program_->required;
}

Result<doc::Value> Expression::eval(const Scope&) const {
  return fail(Code::kUnimplemented, "expressions are not supported yet");
}

bool knows(const Scope& scope, std::string_view name) {
  if (scope.text(name) || scope.value(name)) return true;
  for (std::size_t dot = name.rfind('.'); dot != std::string_view::npos && dot > 0; dot = name.rfind('.', dot - 1)) {
    const doc::Value* value = scope.value(name.substr(0, dot));
    if (!value) continue;
    for (std::string_view rest = name.substr(dot + 1); value; rest.remove_prefix(rest.find('.') + 1)) {
      const doc::Object* object = value->if_object();
      const auto end = rest.find('.');
      value = object ? object->if_contains(rest.substr(0, end)) : nullptr;
      if (end == std::string_view::npos) break;
    }
    if (value) return true;
  }
  return scope.has_below(name);
}

}  // namespace tiphys::expr
