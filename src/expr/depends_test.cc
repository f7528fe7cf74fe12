#include "expr/depends.h"

#include <gtest/gtest.h>

#include <map>

namespace tiphys::expr {
namespace {

constexpr std::uint16_t kBare = kSucceeded | kSkipped | kDaemoned;

TEST(Depends, Evaluates) {
  struct Row {
    const char* rule;
    const char* text;
    std::map<std::string, std::uint16_t> results;
    bool wanted;
  };
  const Row rows[] = {
      {"a bare name that succeeded", "a", {{"a", kSucceeded}}, true},
      {"a bare name that was skipped", "a", {{"a", kSkipped}}, true},
      {"a bare name that is a daemon", "a", {{"a", kDaemoned}}, true},
      {"a bare name that failed", "a", {{"a", kFailed}}, false},
      {"a bare name that was omitted", "a", {{"a", kOmitted}}, false},
      {"a result", "a.Failed", {{"a", kFailed}}, true},
      {"each result", "a.Errored || a.Omitted", {{"a", kOmitted}}, true},
      {"hyphens", "task-1.Succeeded && task-2", {{"task-1", kSucceeded}, {"task-2", kSkipped}}, true},
      {"a name like a keyword", "not-a && in1 && Or", {{"not-a", 1}, {"in1", 1}, {"Or", 1}}, true},
      {"equal", "a == b", {{"a", kSucceeded}, {"b", kFailed}}, false},
      {"equal binds closer than and", "a == b && c", {{"a", kFailed}, {"b", kFailed}, {"c", kSucceeded}}, true},
      {"not binds closer than equal", "!a == b", {{"a", kFailed}, {"b", kSucceeded}}, true},
      {"equal from the left", "a == b == c", {{"a", kFailed}, {"b", kFailed}, {"c", kFailed}}, false},
      {"different", "a != (b || c)", {{"a", kSucceeded}, {"b", kFailed}, {"c", kFailed}}, true},
      {"equal to what was skipped", "a == (b && c)", {{"a", kFailed}, {"b", kFailed}}, true},
      {"the first choice", "a ? b.Failed : c.Failed", {{"a", kSucceeded}, {"b", kFailed}, {"c", kSucceeded}}, true},
      {"the second choice", "a ? b : c", {{"a", kFailed}, {"b", kSucceeded}, {"c", kFailed}}, false},
      {"a choice within a choice", "a ? b : c ? d : a", {{"a", kFailed}, {"c", kSucceeded}, {"d", kSucceeded}}, true},
      {"a choice of itself", "a ?: b", {{"a", kFailed}, {"b", kSucceeded}}, true},
      {"and", "a && b", {{"a", kSucceeded}, {"b", kFailed}}, false},
      {"or", "a || b", {{"a", kSucceeded}, {"b", kFailed}}, true},
      {"and binds closer than or", "a || b && c", {{"a", kSucceeded}, {"b", kFailed}, {"c", kFailed}}, true},
      {"parentheses", "(a || b) && c", {{"a", kSucceeded}, {"b", kFailed}, {"c", kFailed}}, false},
      {"not", "!a.Skipped", {{"a", kFailed}}, true},
      {"not of parentheses", "!(a || b)", {{"a", kFailed}, {"b", kFailed}}, true},
      {"not binds closer than and", "!a && b", {{"a", kFailed}, {"b", kSucceeded}}, true},
      {"double not", "!!a", {{"a", kSucceeded}}, true},
      {"not after a skipped operand", "!(a && b) && c", {{"a", kFailed}, {"b", kFailed}, {"c", kSucceeded}}, true},
      {"line breaks and tabs", "a\n  &&\tb\r\n", {{"a", kSucceeded}, {"b", kSucceeded}}, true},
      {"no white space", "a&&(b||!c)", {{"a", kSucceeded}, {"b", kFailed}, {"c", kFailed}}, true},
      {"loops", "a.AnySucceeded && !b.AllFailed", {{"a", kFailed | kAnySucceeded}, {"b", kFailed}}, true},
      {"the same task twice", "a.Failed || a.Succeeded", {{"a", kSucceeded}}, true},
      {"not finished", "a || b", {}, false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.rule);
    const auto depends = Depends::compile(row.text);
    ASSERT_TRUE(depends) << depends.error().message;
    const auto result = [&](std::size_t task) -> std::uint16_t {
      const auto it = row.results.find(depends->tasks()[task]);
      return it == row.results.end() ? 0 : it->second;
    };
    EXPECT_EQ(depends->eval(result, [](std::size_t) { return kBare; }), row.wanted);
  }
}

TEST(Depends, BareNamesAreTheCallers) {
  const auto depends = Depends::compile("a && b");
  const auto failed = [](std::size_t) -> std::uint16_t { return kFailed; };
  EXPECT_TRUE(depends->eval(failed, [](std::size_t) -> std::uint16_t { return kBare | kFailed; }));
  EXPECT_FALSE(depends->eval(failed, [](std::size_t task) -> std::uint16_t {
    if (task) return kBare;
    return kFailed;
  }));
}

TEST(Depends, ListsTasksInOrder) {
  const auto depends = Depends::compile("b && (a || b.AnySucceeded) && c-d.Failed");
  EXPECT_EQ(depends->tasks(), (std::vector<std::string>{"b", "a", "c-d"}));
  EXPECT_TRUE(depends->uses_loop_result(0));
  EXPECT_FALSE(depends->uses_loop_result(1));
  EXPECT_FALSE(depends->uses_loop_result(2));
  EXPECT_FALSE(Depends::compile("a.AnySucceeded || a")->uses_loop_result(0));
  EXPECT_TRUE(Depends::compile("a || a.AnySucceeded")->uses_loop_result(0));
}

TEST(Depends, ErrorsHaveAColumn) {
  struct Row {
    const char* rule;
    std::string text;
    const char* part;
  };
  const Row rows[] = {
      {"nothing", "", "it ends where a task, ! or ( should follow (1:1)"},
      {"an operand is missing", "a &&", "should follow (1:5)"},
      {"an operator is missing", "a b", "unexpected 'b', expected &&, || or the end (1:3)"},
      {"a digit first", "a && 1b", "the task '1b' must not begin with a digit (1:6)"},
      {"a word of expressions", "in.Failed", "the task 'in' is a word of the expression language"},
      {"an underscore", "a_b", "unexpected '_'"},
      {"half a choice", "a ? b", "it ends where : should follow"},
      {"no choice", "a ?? b", "unexpected '?'"},
      {"one ampersand", "a & b", "unexpected '&', expected &&, || or the end (1:3)"},
      {"not closed", "(a", "the parenthesis is not closed (1:1)"},
      {"closed too often", "a)", "unexpected ')'"},
      {"an unknown result", "a.Suceeded",
       "task result 'Suceeded' for task 'a' is invalid; did you mean \"Succeeded\"?"},
      {"no result after the dot", "a.", "task result '' for task 'a' is invalid"},
      {"a path", "a.Succeeded.b", "unexpected '.'"},
      {"deep choices",
       [] {
         std::string text;
         for (int i = 0; i < 102; ++i) text += "a ? b : ";
         return text + "c";
       }(),
       "nested too deeply"},
      {"deep", std::string(101, '(') + "a" + std::string(101, ')'), "nested too deeply"},
      {"long", std::string(70000, 'a'), "longer than"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.rule);
    const auto depends = Depends::compile(row.text);
    ASSERT_FALSE(depends);
    EXPECT_NE(depends.error().message.find(row.part), std::string::npos) << depends.error().message;
    EXPECT_EQ(depends.error().code, Code::kInvalidArgument);
  }
  EXPECT_TRUE(Depends::compile(std::string(60000, '!') + "a"));
}

}  // namespace
}  // namespace tiphys::expr
