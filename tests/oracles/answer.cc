#include "oracles/answer.h"

#include <algorithm>
#include <array>

#include "doc/jsonpath.h"
#include "doc/patch.h"
#include "expr/ambient.h"
#include "expr/condition.h"
#include "expr/expression.h"
#include "expr/go_json.h"
#include "expr/go_text.h"
#include "expr/go_value.h"
#include "expr/operators.h"
#include "expr/text_template.h"

namespace tiphys::oracles {
namespace {

const doc::Value* field(const doc::Object& row, std::string_view name) {
  const auto found = row.find(name);
  return found == row.end() ? nullptr : &found->value();
}

bool flag(const doc::Object& row, std::string_view name) {
  const doc::Value* value = field(row, name);
  return value && value->is_bool() && value->get_bool();
}

/// The text of "in"; one that is no string stands for its own JSON text.
std::string source(const doc::Object& row) {
  const doc::Value& in = *field(row, "in");
  return in.is_string() ? std::string(in.get_string()) : doc::to_json(in);
}

/// As Go decodes JSON: every number is a float.
doc::Value decoded(const doc::Value& value) {
  return expr::parse_go_json(doc::to_json(value)).value();
}

/// What depends on clock or chance is in no row; it has to work.
const expr::Ambient& ambient() {
  static SystemRandom random;
  static const expr::Ambient ambient{.now = system_now(), .random = &random};
  return ambient;
}

expr::Scope scope(const doc::Object& row) {
  expr::Scope scope;
  scope.set_ambient(&ambient());
  if (const doc::Value* with = field(row, "with"); with && with->is_object()) {
    for (const auto& [name, value] : with->get_object()) {
      if (value.is_string()) {
        scope.set(name, std::string(value.get_string()));
      } else {
        scope.set_value(name, decoded(value));
      }
    }
  }
  return scope;
}

Answer failed(const Error& error) {
  return {.out = {}, .type = "", .error = error.message, .missing = error.code == Code::kNotFound};
}

/// As encoding/json writes it, but for numbers that JSON has not.
doc::Value plain(doc::Value value) {
  if (auto* array = value.if_array()) {
    for (doc::Value& element : *array) element = plain(std::move(element));
  } else if (value.is_object() && expr::go_kind(value)) {
    return expr::go_value_plain(value);
  } else if (auto* object = value.if_object()) {
    for (auto& member : *object) member.value() = plain(std::move(member.value()));
  }
  return value;
}

Answer typed(Result<doc::Value> value) {
  if (!value) return failed(value.error());
  std::string type(value->is_null() ? "nil" : expr::go_type(*value));
  return {.out = plain(std::move(*value)), .type = std::move(type)};
}

Answer expression(const doc::Object& row) {
  return typed(expr::eval_expression(source(row), scope(row)));
}

Answer substitution(const doc::Object& row) {
  using expr::Unresolved;
  auto unresolved = flag(row, "allowUnresolved") ? Unresolved::kKeep : Unresolved::kError;
  if (field(row, "strict")) unresolved = Unresolved::kErrorForSiblings;
  if (const doc::Value* mode = field(row, "mode"); mode && *mode == "plain") {
    const auto compiled = expr::TextTemplate::compile(source(row));
    if (!compiled) return failed(compiled.error());
    auto text = compiled->render(scope(row), unresolved);
    if (!text) return failed(text.error());
    return {.out = doc::Value(*text), .type = ""};
  }
  const auto compiled = expr::DocumentTemplate::compile(*field(row, "in"));
  if (!compiled) return failed(compiled.error());
  const auto document = compiled->render(scope(row), unresolved);
  if (!document) return failed(document.error());
  return {.out = **document, .type = ""};
}

Answer when(const doc::Object& row) {
  const auto decided = expr::eval_when(source(row));
  if (!decided) return failed(decided.error());
  return {.out = doc::Value(*decided), .type = "bool"};
}

struct Language {
  std::string_view name;
  Answer (*answer)(const doc::Object&);
};

constexpr std::array kLanguages{
    Language{"expr", expression},
    Language{"template", substitution},
    Language{"when", when},
};

enum class Number { kNone, kInteger, kFloat };

Number number_of(std::string_view type) {
  if (type.starts_with("float")) return Number::kFloat;
  return type.starts_with("int") || type.starts_with("uint") ? Number::kInteger : Number::kNone;
}

/// Numbers by value at every depth: a row's JSON does not tell which were floats.
bool same_document(const doc::Value& left, const doc::Value& right) {
  const auto *array = left.if_array(), *other_array = right.if_array();
  if (array && other_array) return std::ranges::equal(*array, *other_array, same_document);
  const auto *object = left.if_object(), *other = right.if_object();
  if (!object || !other) return expr::values_equal(left, right);
  return object->size() == other->size() && std::ranges::all_of(*object, [&](const auto& member) {
           const doc::Value* value = other->if_contains(member.key());
           return value && same_document(member.value(), *value);
         });
}

}  // namespace

std::vector<std::string_view> languages() {
  std::vector<std::string_view> names;
  for (const auto& language : kLanguages) names.push_back(language.name);
  return names;
}

Answer answer(std::string_view language, const doc::Object& row) {
  const auto found = std::ranges::find(kLanguages, language, &Language::name);
  return found == kLanguages.end() ? Answer{.error = "no such language"} : found->answer(row);
}

std::string difference(const doc::Object& row, const Answer& answer) {
  const doc::Value* error = field(row, "error");
  if (error) {
    if (answer.error.empty())
      return "gives " + doc::to_json(answer.out) + " instead of the error " + doc::to_json(*error);
    if (flag(row, "missing") != answer.missing) return "is wrong about whether it may be known later: " + answer.error;
    return "";
  }
  const doc::Value* out = field(row, "out");
  const doc::Value* type = field(row, "type");
  const std::string wanted = out ? doc::to_json(*out) : "null";
  if (!answer.error.empty()) return "fails instead of giving " + wanted + ": " + answer.error;
  const std::string_view wanted_type = type && type->is_string() ? std::string_view(type->get_string()) : "";
  doc::Value given = answer.out;
  if (wanted_type == "string quoted" && given.is_string()) given = expr::go_quote(given.get_string());
  if (given.is_double() && out && out->is_string()) given = expr::go_text(given);
  if (!same_document(given, out ? *out : doc::Value())) return "gives " + doc::to_json(given) + " instead of " + wanted;
  if (number_of(wanted_type) != Number::kNone && number_of(answer.type) != number_of(wanted_type)) {
    return "gives the type " + answer.type + " instead of " + std::string(wanted_type);
  }
  return "";
}

}  // namespace tiphys::oracles
