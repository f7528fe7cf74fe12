// The expression languages: times the rows of tests/oracles/bench.jsonl that are of one language.
//
//   expression_bench LANGUAGE <tests/oracles/bench.jsonl
//
// Prints {name, compile_ns, eval_ns} for each, as `oracles bench` does of the originals: what is done once for a text,
// and what each time. Where ours keeps nothing between two evaluations, compile_ns is 0. Time is the processor's.
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iostream>
#include <string>

#include "base/check.h"
#include "expr/condition.h"
#include "expr/expression.h"
#include "expr/jq.h"
#include "expr/json_path.h"
#include "expr/text_template.h"
#include "oracles/answer.h"

namespace tiphys {
namespace {

/// One text's work; each says whether it succeeded.
struct Measured {
  std::function<bool()> compile, eval;
};

/// Of this process and of those that it has waited for.
std::int64_t cpu_nanoseconds() {
  std::int64_t microseconds = 0;
  for (const auto who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage{};
    ::getrusage(who, &usage);
    for (const timeval& part : {usage.ru_utime, usage.ru_stime}) {
      microseconds += part.tv_sec * 1'000'000 + part.tv_usec;
    }
  }
  return microseconds * 1000;
}

/// Of one call, from as many as take a while.
std::int64_t nanoseconds(const std::function<bool()>& work) {
  constexpr std::int64_t kWhile = 50'000'000;
  if (!work) return 0;
  for (std::int64_t count = 1;; count *= 2) {
    const std::int64_t begin = cpu_nanoseconds();
    for (std::int64_t i = 0; i < count; ++i) TIPHYS_CHECK(work(), "a row succeeds");
    const std::int64_t spent = cpu_nanoseconds() - begin;
    if (spent >= kWhile) return spent / count;
  }
}

Measured expression(const oracles::Row& row) {
  const std::string text = oracles::source(row);
  return {.compile = [text] { return expr::Expression::compile(text).has_value(); },
          .eval = [compiled = expr::Expression::compile(text).value(),
                   scope = oracles::scope(row)] { return compiled.eval(scope).has_value(); }};
}

Measured when(const oracles::Row& row) {
  return {.compile = nullptr, .eval = [text = oracles::source(row)] { return expr::eval_when(text).has_value(); }};
}

Measured json_path(const oracles::Row& row) {
  return {.compile = nullptr, .eval = [text = oracles::source(row), document = oracles::go_document(row)] {
            return expr::query_json_path(text, document).has_value();
          }};
}

Measured jq(const oracles::Row& row) {
  return {.compile = nullptr, .eval = [text = oracles::source(row), document = oracles::go_document(row)] {
            return expr::run_jq(text, document).has_value();
          }};
}

std::size_t number(const oracles::Row& row, std::string_view name) {
  const doc::Value* value = row.fields.if_contains(name);
  return value ? value->to_number<std::size_t>() : 0;
}

/// A text of "copies" times "in", each made "length" long with dots.
Measured substitution(const oracles::Row& row) {
  std::string one = oracles::source(row);
  one.resize(std::max(one.size(), number(row, "length")), '.');
  std::string text;
  for (std::size_t i = 0; i < std::max<std::size_t>(number(row, "copies"), 1); ++i) text += one;
  return {
      .compile = [text] { return expr::DocumentTemplate::compile(doc::Value(text)).has_value(); },
      .eval = [compiled = expr::DocumentTemplate::compile(doc::Value(text)).value(),
               scope = oracles::scope(row)] { return compiled.render(scope, expr::Unresolved::kError).has_value(); }};
}

struct Language {
  std::string_view name;
  Measured (*measured)(const oracles::Row&);
};

constexpr Language kLanguages[] = {
    {"expr", expression}, {"jq", jq}, {"jsonpath", json_path}, {"template", substitution}, {"when", when}};

int bench(const Language& language) {
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto row = oracles::read_row(line);
    TIPHYS_CHECK(row, row.error().message);
    const doc::Value* of = row->fields.if_contains("language");
    if (!of || doc::scalar_text(*of) != language.name) continue;
    const Measured measured = language.measured(*row);
    const std::int64_t compile = nanoseconds(measured.compile);
    const std::int64_t eval = nanoseconds(measured.eval);
    std::cout << doc::to_json(doc::Object{{"name", row->fields.at("name")}, {"compile_ns", compile}, {"eval_ns", eval}})
              << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace tiphys

int main(int argc, char** argv) {
  for (const auto& language : tiphys::kLanguages) {
    if (argc == 2 && language.name == argv[1]) return tiphys::bench(language);
  }
  fmt::print(stderr, "usage: expression_bench expr|jq|jsonpath|template|when <tests/oracles/bench.jsonl\n");
  return 2;
}
