// tiphys eval.
#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/random.h"
#include "base/strings.h"
#include "cli/commands/common.h"
#include "cli/manifest.h"
#include "cli/terminal.h"
#include "doc/gjson.h"
#include "doc/jsonpath.h"
#include "expr/ambient.h"
#include "expr/condition.h"
#include "expr/expression.h"
#include "expr/go_json.h"
#include "expr/go_text.h"
#include "expr/jq.h"
#include "expr/json_path.h"
#include "expr/text_template.h"

namespace tiphys::cli {
namespace {

constexpr std::size_t kMostSteps = 1000;
constexpr std::size_t kWidestPart = 60;
constexpr int kMostPasses = 8;

constexpr std::string_view kExamples = R"(  tiphys eval 'asInt(inputs.parameters.count) * 2' --with vars.yaml
  tiphys eval '{{workflow.name}}-{{=sprig.upper(item.name)}}' --with vars.yaml --explain
  tiphys eval 'heads == heads' --as when
  tiphys eval 'status.phase == Complete' --as condition --with job.yaml)";

/// What the text sees, and who hears of each step.
struct Evaluation {
  std::string text;
  doc::Value document;
  expr::Scope scope;
  expr::Trace trace;
};

/// Names of the scope: maps below maps as dotted names, as manifests write them. What is no string has its text for
/// tags beside its value for expressions.
void set_variables(std::string_view name, const doc::Value& value, expr::Scope& scope) {
  if (const auto* map = value.if_object(); map && !map->empty()) {
    for (const auto& [key, member] : *map) {
      set_variables(name.empty() ? std::string(key) : fmt::format("{}.{}", name, std::string_view(key)), member, scope);
    }
    return;
  }
  if (value.is_string()) return scope.set(std::string(name), std::string(value.get_string()));
  scope.set_value(std::string(name), value);
  if (!value.is_null()) scope.set(std::string(name), value.is_array() ? doc::to_json(value) : doc::scalar_text(value));
}

std::string shown(const doc::Value& value) {
  std::string text;
  expr::append_go_json(value, text);
  return text;
}

std::string printed(const doc::Value& value) {
  return value.is_string() ? std::string(value.get_string()) : shown(value);
}

/// Prints steps, each but once in a row.
class StepPrinter {
 public:
  explicit StepPrinter(const Style& style) : arrow_(style.utf8 ? "→" : "->") {}

  void operator()(std::string_view part, const doc::Value& value) {
    if (++count_ > kMostSteps) return;
    if (count_ == kMostSteps) return print(fmt::format("  and more steps, which are not shown\n"));
    std::string line(part);
    std::ranges::replace_if(line, [](char c) { return c == '\n' || c == '\t'; }, ' ');
    if (line.size() > kWidestPart) line = line.substr(0, kWidestPart - 3) + "...";
    print(fmt::format("  {:<30} {} {}  ({})\n", line, arrow_, shown(value),
                      value.is_null() ? "nil" : expr::go_type(value)));
  }

 private:
  std::string_view arrow_;
  std::size_t count_ = 0;
};

Result<std::string> eval_expression(Evaluation& evaluation) {
  TIPHYS_TRY(const auto expression, expr::Expression::compile(evaluation.text));
  TIPHYS_TRY(const doc::Value value, expression.eval(evaluation.scope, evaluation.trace));
  return printed(value);
}

/// Pass by pass, as a workflow's fields are; what stays unknown is an error.
Result<std::string> eval_template(Evaluation& evaluation) {
  std::string text = evaluation.text;
  for (int pass = 0; pass < kMostPasses; ++pass) {
    TIPHYS_TRY(const auto compiled, expr::TextTemplate::compile(text));
    if (compiled.constant()) return text;
    TIPHYS_TRY(std::string next, compiled.render(evaluation.scope, expr::Unresolved::kKeep));
    if (next == text) return compiled.render(evaluation.scope, expr::Unresolved::kError, evaluation.trace);
    TIPHYS_TRY(next, compiled.render(evaluation.scope, expr::Unresolved::kKeep, evaluation.trace));
    text = std::move(next);
  }
  return text;
}

Result<std::string> eval_when(Evaluation& evaluation) {
  TIPHYS_TRY(const std::string text, eval_template(evaluation));
  TIPHYS_TRY(const bool decided, expr::eval_when(text));
  if (evaluation.trace) evaluation.trace(text, doc::Value(decided));
  return std::string(decided ? "true" : "false");
}

Result<std::string> eval_condition(Evaluation& evaluation) {
  TIPHYS_TRY(const bool holds, expr::eval_resource_condition(evaluation.text, evaluation.document));
  return std::string(holds ? "true" : "false");
}

Result<std::string> eval_json_path(Evaluation& evaluation) {
  TIPHYS_TRY(const doc::Value found, expr::query_json_path(evaluation.text, evaluation.document));
  return printed(found);
}

Result<std::string> eval_kubectl_json_path(Evaluation& evaluation) {
  return doc::eval_jsonpath(evaluation.text, evaluation.document);
}

Result<std::string> eval_gjson(Evaluation& evaluation) {
  const auto found = doc::gjson_get(doc::to_json(evaluation.document), evaluation.text);
  if (!found.exists()) return fail(Code::kNotFound, fmt::format("nothing is found at {}", evaluation.text));
  return found.text();
}

/// A line for each output.
Result<std::string> eval_jq(Evaluation& evaluation) {
  TIPHYS_TRY(const auto outputs, expr::run_jq(evaluation.text, evaluation.document));
  std::string text;
  for (const doc::Value& output : outputs) text += printed(output) + "\n";
  return text;
}

struct Language {
  std::string_view name;
  Result<std::string> (*eval)(Evaluation&);
};

constexpr Language kLanguages[] = {
    {"expression", eval_expression},
    {"template", eval_template},
    {"when", eval_when},
    {"condition", eval_condition},
    {"jsonpath", eval_json_path},
    {"kubectl-jsonpath", eval_kubectl_json_path},
    {"gjson", eval_gjson},
    {"jq", eval_jq},
};

Status read_variables(const std::string& file, Evaluation& evaluation) {
  TIPHYS_TRY(const std::string text, read_text(file));
  TIPHYS_TRY(const auto documents, doc::parse_yaml(text, file == "-" ? "stdin" : file));
  if (documents.size() != 1) {
    return fail(Code::kInvalidArgument, fmt::format("{}: one document is expected, not {}", file, documents.size()));
  }
  evaluation.document = documents.front().root;
  if (evaluation.document.is_object()) set_variables("", evaluation.document, evaluation.scope);
  return {};
}

}  // namespace

int eval_command(const Arguments& arguments) {
  std::vector<std::string> names;
  for (const Language& language : kLanguages) names.emplace_back(language.name);
  std::vector<std::string> texts;
  std::string with, as;
  bool explain = false, no_utf8 = false;
  Flags flags("eval", "Evaluate an expression or a template of a manifest by hand", std::string(kExamples));
  flags.positional("TEXT", texts, 1, 1);
  flags.text("--with", with, "FILE",
             "Its variables, names to values, or the document that it asks; - is standard input");
  flags.choice("--as", as, names, "The language (default: template when the text has {{, else expression)");
  flags.flag("--explain", explain, "Show the value of each part");
  flags.flag("--no-utf8", no_utf8, "Use plain 7-bits ascii characters");
  const auto go_on = flags.parse(arguments);
  if (!go_on) return report("eval", go_on.error());
  if (!*go_on) return kSucceeded;

  SystemRandom random;
  const expr::Ambient ambient{system_now(), &random};
  Evaluation evaluation{.text = texts.front(), .document = {}, .scope = expr::Scope(), .trace = {}};
  evaluation.scope.set_ambient(&ambient);
  if (explain) evaluation.trace = StepPrinter(choose_style(true, no_utf8));
  if (!with.empty()) {
    const Status read = read_variables(with, evaluation);
    if (!read) return report("eval", read.error());
  }
  if (as.empty()) as = evaluation.text.find("{{") == std::string::npos ? "expression" : "template";
  const auto result = std::ranges::find(kLanguages, as, &Language::name)->eval(evaluation);
  if (!result) return report("eval", result.error());
  print(*result + (result->ends_with('\n') ? "" : "\n"));
  return kSucceeded;
}

}  // namespace tiphys::cli
