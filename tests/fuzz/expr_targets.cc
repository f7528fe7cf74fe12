#include <algorithm>

#include "base/time.h"
#include "expr/ambient.h"
#include "expr/condition.h"
#include "expr/depends.h"
#include "expr/expression.h"
#include "expr/go_json.h"
#include "expr/go_layout.h"
#include "expr/go_url.h"
#include "expr/jq_syntax.h"
#include "expr/json_path.h"
#include "expr/semver.h"
#include "expr/text_template.h"
#include "fuzz/targets.h"

namespace tiphys::fuzz {
namespace {

/// Repeatable: the clock stands and chance begins anew for each input.
struct World {
  SeededRandom random{1};
  expr::Ambient ambient{.now = parse_rfc3339("2026-11-24T11:52:54Z").value(), .random = &random};
  expr::Scope scope;

  World() {
    scope.set_ambient(&ambient);
    scope.set("num", "1");
    scope.set("inputs.parameters.num", "1");
    scope.set("inputs.parameters.my-param", "p");
    scope.set("inputs.parameters.json", R"({"list": [{"name": "a", "n": 1}], "obj": {"k": "v"}})");
    scope.set("steps.flip-coin.outputs.result", "heads");
    scope.set("workflow.status", "Succeeded");
    scope.set_value("tasks.t.outputs.parameters.p", nullptr);
    scope.set_value("item", document(""));
  }
};

void expression(std::string_view input) {
  const auto compiled = expr::Expression::compile(input);
  check_error(compiled);
  if (compiled) check_error(compiled->eval(World().scope));
}

void text_template(std::string_view input) {
  const World world;
  const auto compiled = expr::TextTemplate::compile(input);
  check_error(compiled);
  if (!compiled) return;
  for (const auto unresolved :
       {expr::Unresolved::kKeep, expr::Unresolved::kError, expr::Unresolved::kErrorForSiblings}) {
    const auto text = compiled->render(world.scope, unresolved);
    check_error(text);
    if (compiled->constant()) TIPHYS_CHECK(text && *text == input, "constant text renders to itself");
  }
}

void document_template(std::string_view input) {
  const World world;
  auto document = doc::parse_json(input);
  if (!document) document = doc::Object{{"a", input}, {input, doc::Array{input, 1}}};
  const auto compiled = expr::DocumentTemplate::compile(*document);
  check_error(compiled);
  if (!compiled) return;
  for (const auto unresolved : {expr::Unresolved::kKeep, expr::Unresolved::kErrorForSiblings}) {
    const auto rendered = compiled->render(world.scope, unresolved);
    check_error(rendered);
    if (compiled->constant())
      TIPHYS_CHECK(rendered && **rendered == *document, "a constant document renders to itself");
  }
}

void when(std::string_view input) {
  check_error(expr::eval_when(input));
  check_error(expr::eval_when(input, expr::WhenWords::kVariables));
}

void depends(std::string_view input) {
  const auto compiled = expr::Depends::compile(input);
  check_error(compiled);
  if (!compiled) return;
  for (std::size_t i = 0; i < compiled->tasks().size(); ++i) {
    TIPHYS_CHECK(!compiled->tasks()[i].empty(), "tasks have names");
    static_cast<void>(compiled->uses_loop_result(i));
  }
  const auto result = [](std::size_t task) { return static_cast<std::uint16_t>(1U << (task % 8)); };
  const auto bare = [](std::size_t) { return static_cast<std::uint16_t>(expr::kSucceeded | expr::kSkipped); };
  static_cast<void>(compiled->eval(result, bare));
}

void condition(std::string_view input) {
  const auto [text, json] = parts<2>(input);
  const doc::Value object = document(json);
  check_error(expr::eval_resource_condition(text, object));
  check_error(expr::eval_resource_condition(text, object, expr::Join::kAny));
}

void jsonpath(std::string_view input) {
  const auto [path, json] = parts<2>(input);
  // As the function's caller decodes it: every number is a float.
  auto root = expr::parse_go_json(json);
  check_error(expr::query_json_path(path, root ? *root : document("")));
}

void jq_syntax(std::string_view input) {
  TIPHYS_CHECK(std::ranges::count(expr::to_jq16(input), '\n') == std::ranges::count(input, '\n'),
               "lines stay where they are");
}

void semver(std::string_view input) {
  const auto [constraint, text] = parts<2>(input);
  const auto version = expr::parse_version(text);
  check_error(version);
  const auto constraints = expr::VersionConstraints::parse(constraint);
  check_error(constraints);
  if (!version) return;
  // Parts that were left out make it longer, maybe too long.
  const std::string whole = version->text();
  const auto again = expr::parse_version(whole);
  TIPHYS_CHECK(whole.size() > 256 || (again && compare(*again, *version) == 0), "what is written is read back");
  for (const auto next : {expr::next_major, expr::next_minor, expr::next_patch}) {
    const auto later = next(*version);
    check_error(later);
    TIPHYS_CHECK(!later || compare(*later, *version) > 0, "the next version is a later one");
  }
  if (constraints) static_cast<void>(constraints->hold_for(*version));
}

void url(std::string_view input) {
  const auto parsed = expr::parse_url(input);
  check_error(parsed);
  if (!parsed) return;
  static_cast<void>(parsed->host_name());
  const auto again = expr::parse_url(parsed->text());
  check_error(again);
}

void layout(std::string_view input) {
  const auto [layout, text] = parts<2>(input);
  auto time = expr::parse_time(layout, text, expr::GoZone());
  check_error(time);
  if (!time) return;
  static_cast<void>(expr::format_time(*time, layout));
  const std::int64_t year = civil_time(*time).year;
  time->zone = expr::GoZone();
  if (year < 1 || year > 9998) return;  // four digits in every zone
  const auto again = expr::parse_time(expr::kRfc3339Nano, format_time(*time, expr::kRfc3339Nano), time->zone);
  TIPHYS_CHECK(again && compare(*again, *time) == 0, "what is written is read back");
}

void duration(std::string_view input) {
  check_error(parse_seconds_or_duration(input));
  check_error(parse_rfc3339(input));
  const auto duration = parse_go_duration(input);
  check_error(duration);
  TIPHYS_CHECK(!duration || parse_go_duration(format_go_duration(*duration)) == *duration,
               "what is written is read back");
}

constexpr std::array kTargets{
    Target{"expr", expression},   Target{"template", text_template}, Target{"document_template", document_template},
    Target{"when", when},         Target{"depends", depends},        Target{"condition", condition},
    Target{"jsonpath", jsonpath}, Target{"jq_syntax", jq_syntax},    Target{"semver", semver},
    Target{"url", url},           Target{"layout", layout},          Target{"duration", duration},
};

}  // namespace

std::span<const Target> expr_targets() {
  return kTargets;
}

}  // namespace tiphys::fuzz
