#include "engine/text.h"

#include "base/strings.h"

namespace tiphys::engine {
namespace {

expr::Unresolved strictness(Leftover leftover) {
  switch (leftover) {
    case Leftover::kKeep:
      return expr::Unresolved::kKeep;
    case Leftover::kFailSiblings:
      return expr::Unresolved::kErrorForSiblings;
    case Leftover::kFailAll:
      return expr::Unresolved::kError;
  }
  return expr::Unresolved::kKeep;
}

void provide_all(const std::vector<std::string>& names, const Variables& variables, expr::Scope& scope) {
  for (const std::string& name : names) variables.provide(name, scope);
}

}  // namespace

Text::Text(const std::string& source) : source_(&source) {
  if (!has_tag(source)) return;
  const bool one_tag = source.starts_with("{{") && source.find("}}") == source.size() - 2 && source[2] != '=' &&
                       source.find("{{", 2) == std::string::npos;
  sole_tag_ = one_tag && !trim(std::string_view(source).substr(2, source.size() - 4)).empty();
  if (!sole_tag_) {
    program_ = std::make_unique<const Result<expr::TextTemplate>>(expr::TextTemplate::compile(source));
  }
}

std::string_view Text::sole_tag() const {
  if (!sole_tag_) return {};
  return trim(std::string_view(*source_).substr(2, source_->size() - 4));
}

const std::string& Text::source() const {
  static const std::string none;
  return source_ ? *source_ : none;
}

ExpressionText::ExpressionText(const std::string& source) {
  if (has_tag(source)) {
    text_ = Text(source);
  } else if (!source.empty()) {
    compiled_ = expr::Expression::compile(source);
  }
}

const std::vector<std::string>* ExpressionText::references() const {
  return compiled_ && *compiled_ ? &(*compiled_)->references() : nullptr;
}

Result<expr::Expression> ExpressionText::filled(const expr::Scope& globals, const Variables& variables) const {
  if (compiled_) return *compiled_;
  TIPHYS_TRY(const std::string text, render(text_, globals, variables, Leftover::kKeep));
  return expr::Expression::compile(text);
}

bool has_tag(const doc::Value& value) {
  if (const auto* text = value.if_string()) return has_tag(std::string_view(*text));
  if (const auto* array = value.if_array()) {
    for (const auto& element : *array) {
      if (has_tag(element)) return true;
    }
  } else if (const auto* object = value.if_object()) {
    for (const auto& [key, member] : *object) {
      if (has_tag(std::string_view(key)) || has_tag(member)) return true;
    }
  }
  return false;
}

Result<std::string> render(const expr::TextTemplate& program, const expr::Scope& globals, const Variables& variables,
                           Leftover leftover) {
  expr::Scope scope(&globals);
  provide_all(program.references(), variables, scope);
  TIPHYS_TRY(std::string text, program.render(scope, expr::Unresolved::kKeep));
  for (int pass = 1; pass < kRenderPasses && has_tag(text); ++pass) {
    // A value may hold anything: braces in it that are no tag stay what they are.
    const auto again = expr::TextTemplate::compile(text);
    if (!again) return text;
    provide_all(again->references(), variables, scope);
    TIPHYS_TRY(std::string next, again->render(scope, expr::Unresolved::kKeep));
    const bool settled = next == text;
    text = std::move(next);
    if (settled) {
      if (leftover == Leftover::kKeep) return text;
      return again->render(scope, strictness(leftover));
    }
  }
  return text;
}

Result<std::string> render(const Text& text, const expr::Scope& globals, const Variables& variables,
                           Leftover leftover) {
  if (text.constant()) return text.source();
  if (const std::string_view name = text.sole_tag(); !name.empty()) {
    expr::Scope scope(&globals);
    variables.provide(name, scope);
    if (const std::string* value = scope.text(name); value && !has_tag(*value)) return *value;
    return render(std::string_view(text.source()), globals, variables, leftover);
  }
  if (!text.program()) return std::unexpected(text.program().error());
  return render(*text.program(), globals, variables, leftover);
}

Result<std::string> render(std::string_view text, const expr::Scope& globals, const Variables& variables,
                           Leftover leftover) {
  if (!has_tag(text)) return std::string(text);
  TIPHYS_TRY(const auto program, expr::TextTemplate::compile(text));
  return render(program, globals, variables, leftover);
}

Result<doc::Shared> render(const expr::DocumentTemplate& document, const std::vector<std::string>& references,
                           const expr::Scope& globals, const Variables& variables) {
  if (document.constant()) return document.document();
  expr::Scope scope(&globals);
  provide_all(references, variables, scope);
  TIPHYS_TRY(doc::Shared rendered, document.render(scope, expr::Unresolved::kKeep));
  for (int pass = 1; pass < kRenderPasses && has_tag(*rendered); ++pass) {
    auto again = expr::DocumentTemplate::compile(*rendered);
    if (!again || again->constant()) return rendered;
    provide_all(again->references(), variables, scope);
    TIPHYS_TRY(doc::Shared next, again->render(scope, expr::Unresolved::kKeep));
    const bool settled = *next == *rendered;
    rendered = std::move(next);
    if (settled) break;
  }
  return rendered;
}

}  // namespace tiphys::engine
