#include "oracles/answer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "base/strings.h"
#include "doc/gjson.h"
#include "doc/jsonpath.h"
#include "doc/patch.h"
#include "doc/sjson.h"
#include "doc/utf8.h"
#include "expr/ambient.h"
#include "expr/condition.h"
#include "expr/cron_schedule.h"
#include "expr/depends.h"
#include "expr/expression.h"
#include "expr/go_json.h"
#include "expr/go_text.h"
#include "expr/go_value.h"
#include "expr/jq.h"
#include "expr/json_path.h"
#include "expr/operators.h"
#include "expr/text_template.h"
#include "oracles/managed_fields.h"

namespace tiphys::oracles {
namespace {

const doc::Value* field(const Row& row, std::string_view name) {
  return row.fields.if_contains(name);
}

bool flag(const Row& row, std::string_view name) {
  const doc::Value* value = field(row, name);
  return value && value->is_bool() && value->get_bool();
}

/// The document that a row has in "with".
const doc::Value& document(const Row& row) {
  static const doc::Value nothing;
  const doc::Value* with = field(row, "with");
  return with ? *with : nothing;
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

Answer failed(const Error& error) {
  return {.out = {}, .type = "", .error = error.message, .missing = error.code == Code::kNotFound};
}

/// As encoding/json writes it; what JSON has not as text.
doc::Value plain(doc::Value value) {
  if (value.is_double() && !std::isfinite(value.get_double())) return doc::Value(expr::go_text(value));
  if (value.is_string() && !doc::is_utf8(value.get_string())) return doc::Value(expr::go_quote(value.get_string()));
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
  if (value->is_string() && !doc::is_utf8(value->get_string())) type += " quoted";
  return {.out = plain(std::move(*value)), .type = std::move(type)};
}

Answer expression(const Row& row) {
  return typed(expr::eval_expression(source(row), scope(row)));
}

Answer substitution(const Row& row) {
  using expr::Unresolved;
  auto unresolved = flag(row, "allowUnresolved") ? Unresolved::kKeep : Unresolved::kError;
  if (const doc::Value* strict = field(row, "strict")) {
    unresolved = strict->get_array().empty() ? Unresolved::kKeep : Unresolved::kErrorForSiblings;
  }
  const auto compiled = expr::DocumentTemplate::compile(*field(row, "in"));
  if (!compiled) return failed(compiled.error());
  const auto document = compiled->render(scope(row), unresolved);
  if (!document) return failed(document.error());
  return {.out = **document, .type = ""};
}

Answer when(const Row& row) {
  const auto decided =
      expr::eval_when(source(row), flag(row, "cron") ? expr::WhenWords::kVariables : expr::WhenWords::kStrings);
  if (!decided) return failed(decided.error());
  return {.out = doc::Value(*decided), .type = "bool"};
}

/// The next times of a schedule, each after the one before.
Answer cron(const Row& row) {
  const auto text = [&](std::string_view name) {
    const doc::Value* value = field(row, name);
    return value ? std::string(value->get_string()) : std::string();
  };
  const auto schedule = expr::CronSchedule::parse(source(row));
  if (!schedule) return failed(schedule.error());
  const auto local = expr::load_zone(text("local"));
  if (!local) return failed(local.error());
  const doc::Value* count = field(row, "count");
  std::optional<Time> time = parse_rfc3339(text("after")).value();
  doc::Array times;
  for (std::int64_t left = count ? count->to_number<std::int64_t>() : 1; left > 0; --left) {
    time = schedule->next(*time, *local);
    if (!time) break;
    times.push_back(doc::Value(format_rfc3339(*time)));
  }
  return {.out = std::move(times), .type = ""};
}

/// A task that others depend on: its phase, or an object.
struct Task {
  explicit Task(const doc::Value& value)
      : phase(value.is_string() ? std::string_view(value.get_string()) : doc::find_string(value, "phase")),
        daemoned(truth(doc::find(value, "daemoned")) && phase != "Pending") {
    if (const doc::Value* list = doc::find(value, "children"); list && list->is_array()) children = &list->get_array();
    bare = expr::kSucceeded | expr::kSkipped | expr::kDaemoned;
    if (truth(doc::find(value, "continueOn", "error"))) bare |= expr::kErrored;
    if (truth(doc::find(value, "continueOn", "failed"))) bare |= expr::kFailed;
  }

  bool finished() const {
    constexpr std::array<std::string_view, 5> kEnds = {"Succeeded", "Failed", "Error", "Skipped", "Omitted"};
    return daemoned || std::ranges::find(kEnds, phase) != kEnds.end();
  }
  std::uint16_t results() const {
    std::uint16_t bits = daemoned ? expr::kDaemoned : 0;
    if (phase == "Succeeded") bits |= expr::kSucceeded;
    if (phase == "Failed") bits |= expr::kFailed;
    if (phase == "Error") bits |= expr::kErrored;
    if (phase == "Skipped") bits |= expr::kSkipped;
    if (phase == "Omitted") bits |= expr::kOmitted;
    if (!children) return bits;
    const auto is = [](std::string_view wanted) {
      return [wanted](const doc::Value& child) { return child.is_string() && child.get_string() == wanted; };
    };
    if (std::ranges::any_of(*children, is("Succeeded"))) bits |= expr::kAnySucceeded;
    if (!children->empty() && std::ranges::all_of(*children, is("Failed"))) bits |= expr::kAllFailed;
    return bits;
  }

  static bool truth(const doc::Value* value) { return value && value->is_bool() && value->get_bool(); }

  std::string_view phase;
  bool daemoned;
  const doc::Array* children = nullptr;
  std::uint16_t bare;
};

Answer depends(const Row& row) {
  std::string text;
  if (const doc::Value* names = field(row, "dependencies")) {
    for (const doc::Value& name : names->get_array()) text += (text.empty() ? "" : " && ") + doc::scalar_text(name);
  } else {
    text = source(row);
  }
  const auto compiled = expr::Depends::compile(text);
  if (!compiled) return failed(compiled.error());
  std::vector<Task> tasks;
  for (std::size_t i = 0; i < compiled->tasks().size(); ++i) {
    const std::string& name = compiled->tasks()[i];
    const doc::Value* task = doc::find(document(row), name);
    if (!task) return {.error = "dependency '" + name + "' not defined"};
    tasks.emplace_back(*task);
    if (compiled->uses_loop_result(i) && !tasks.back().children) return {.error = name + " is no loop"};
  }
  if (!std::ranges::all_of(tasks, &Task::finished)) return {.type = "nil"};
  const bool run =
      compiled->eval([&](std::size_t i) { return tasks[i].results(); }, [&](std::size_t i) { return tasks[i].bare; });
  return {.out = doc::Value(run), .type = "bool"};
}

Answer condition(const Row& row) {
  const doc::Value* as = field(row, "as");
  const auto join = as && *as == "failure" ? expr::Join::kAny : expr::Join::kAll;
  return typed(expr::eval_resource_condition(source(row), document(row), join));
}

Answer json_path(const Row& row) {
  return typed(expr::query_json_path(source(row), go_document(row)));
}

Answer kubectl_json_path(const Row& row) {
  auto text = doc::eval_jsonpath(source(row), document(row), flag(row, "allowMissingKeys"));
  if (!text) return failed(text.error());
  return {.out = doc::Value(*text)};
}

template <typename Apply>
Answer patched(const Row& row, Apply apply) {
  doc::Value target = document(row);
  doc::Value patch = *field(row, "in");
  if (patch.is_string()) {
    auto parsed = doc::parse_json(std::string_view(patch.get_string()));
    if (!parsed) return failed(parsed.error());
    patch = std::move(*parsed);
  }
  const Status done = apply(target, patch);
  if (!done) return failed(done.error());
  return {.out = std::move(target)};
}

Answer json_patch(const Row& row) {
  return patched(row, doc::apply_json_patch);
}

Answer merge_patch(const Row& row) {
  return patched(row, doc::apply_merge_patch);
}

Answer strategic_merge_patch(const Row& row) {
  const doc::Value* kind = field(row, "kind");
  return patched(row, [&](doc::Value& target, const doc::Value& patch) {
    return doc::apply_strategic_merge_patch(target, patch, doc::scalar_text(*kind));
  });
}

Answer gjson(const Row& row) {
  constexpr std::string_view kTypes[] = {"Null", "False", "Number", "String", "True", "JSON"};
  const auto found = doc::gjson_get(row.document, source(row));
  return {.out = doc::Value(found.text()), .type = std::string(kTypes[static_cast<std::size_t>(found.type)])};
}

Answer sjson(const Row& row) {
  const doc::Value* set = field(row, "set");
  const doc::Value* raw = field(row, "setRaw");
  const auto text = set   ? doc::sjson_set(row.document, source(row), decoded(*set))
                    : raw ? doc::sjson_set_raw(row.document, source(row), std::string_view(raw->get_string()))
                          : doc::sjson_delete(row.document, source(row));
  if (!text) return failed(text.error());
  return {.out = doc::Value(*text)};
}

/// The text that valueFrom.jqFilter makes of the outputs.
Answer jq(const Row& row) {
  const auto outputs = expr::run_jq(source(row), document(row));
  if (!outputs) return failed(outputs.error());
  std::string text;
  for (const doc::Value& output : *outputs) {
    if (const auto* string = output.if_string()) {
      text += std::string_view(*string);
    } else {
      expr::append_go_json(output, text);
    }
    text += '\n';
  }
  return {.out = doc::Value(trim(text))};
}

Answer managed_fields(const Row& row) {
  return {.out = write_object(row.fields)};
}

struct Language {
  std::string_view name;
  Answer (*answer)(const Row&);
};

constexpr std::array kLanguages{
    Language{"condition", condition},
    Language{"cron", cron},
    Language{"depends", depends},
    Language{"expr", expression},
    Language{"gjson", gjson},
    Language{"jq", jq},
    Language{"json_patch", json_patch},
    Language{"jsonpath", json_path},
    Language{"kubectl_jsonpath", kubectl_json_path},
    Language{"managed_fields", managed_fields},
    Language{"merge_patch", merge_patch},
    Language{"sjson", sjson},
    Language{"strategic_merge_patch", strategic_merge_patch},
    Language{"template", substitution},
    Language{"when", when},
};

/// Numbers by value, whatever their type.
bool same(const doc::Value& left, const doc::Value& right) {
  const auto* a = left.if_array();
  const auto* b = right.if_array();
  if (a && b) return std::ranges::equal(*a, *b, same);
  const auto* c = left.if_object();
  const auto* d = right.if_object();
  if (!c || !d) return expr::values_equal(left, right);
  return c->size() == d->size() && std::ranges::all_of(*c, [&](const auto& member) {
           const doc::Value* other = d->if_contains(member.key());
           return other && same(member.value(), *other);
         });
}

enum class Number { kNone, kInteger, kFloat };

Number number_of(std::string_view type) {
  if (type.starts_with("float")) return Number::kFloat;
  return type.starts_with("int") || type.starts_with("uint") ? Number::kInteger : Number::kNone;
}

}  // namespace

std::vector<std::string_view> languages() {
  std::vector<std::string_view> names;
  for (const auto& language : kLanguages) names.push_back(language.name);
  return names;
}

std::string Row::question() const {
  return doc::to_json(*fields.if_contains(fields.contains("in") ? "in" : "dependencies"));
}

Result<Row> read_row(std::string_view line) {
  TIPHYS_TRY(const doc::Value parsed, doc::parse_json(line));
  if (!parsed.is_object()) return fail(Code::kInvalidArgument, "this is no row: " + std::string(line));
  Row row{parsed.get_object(), doc::gjson_get(line, "with").raw};
  doc::Value* with = row.fields.if_contains("with");
  if (with && with->is_string()) {
    const auto path =
        std::filesystem::path(TIPHYS_SOURCE_DIR) / "tests/oracles/data" / (doc::scalar_text(*with) + ".json");
    std::ifstream file(path);
    row.document = std::string(trim(std::string{std::istreambuf_iterator<char>(file), {}}));
    TIPHYS_TRY(*with, doc::parse_json(row.document));
  }
  return row;
}

std::string source(const Row& row) {
  const doc::Value& in = *field(row, "in");
  return in.is_string() ? std::string(in.get_string()) : doc::to_json(in);
}

expr::Scope scope(const Row& row) {
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

doc::Value go_document(const Row& row) {
  return decoded(document(row));
}

Answer answer(std::string_view language, const Row& row) {
  const auto found = std::ranges::find(kLanguages, language, &Language::name);
  return found == kLanguages.end() ? Answer{.error = "no such language"} : found->answer(row);
}

std::string difference(const Row& row, const Answer& answer) {
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
  // A slice that is nil prints as null, and is an empty one in all else.
  const bool empty = given.is_array() && given.get_array().empty();
  if (empty && wanted_type.starts_with("[]") && (!out || out->is_null())) return "";
  if (given.is_double() && out && out->is_string()) given = expr::go_text(given);
  if (!same(given, out ? *out : doc::Value())) return "gives " + doc::to_json(given) + " instead of " + wanted;
  if (number_of(wanted_type) != Number::kNone && number_of(answer.type) != number_of(wanted_type)) {
    return "gives the type " + answer.type + " instead of " + std::string(wanted_type);
  }
  return "";
}

}  // namespace tiphys::oracles
