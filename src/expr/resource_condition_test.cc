#include <gtest/gtest.h>

#include "expr/condition.h"

namespace tiphys::expr {
namespace {

const doc::Value& job() {
  static const doc::Value value = {
      {"metadata", {{"labels", {{"a.b", "dotted"}}}}},
      {"status",
       {{"succeeded", 2},
        {"failed", 0},
        {"phase", "Ready"},
        {"active", true},
        {"message", nullptr},
        {"ratio", 1.5},
        {"large", 1e21},
        {"conditions", {{{"type", "Complete"}, {"status", "True"}}, {{"type", "Other"}}}},
        {"replicaStatuses", {{"Worker", {{"succeeded", 2}}}}}}},
  };
  return value;
}

TEST(ResourceCondition, Evaluates) {
  struct Row {
    const char* text;
    bool all;
    bool any;
  };
  for (const auto& [text, all, any] : {
           Row{"", true, false},
           Row{"status.succeeded > 0", true, true},
           Row{"status.succeeded > 2", false, false},
           Row{"status.succeeded < 3", true, true},
           Row{"status.succeeded>1", true, true},
           Row{"status.failed > 0", false, false},
           Row{"status.missing > 0", false, false},
           Row{"status.missing < 5", false, false},
           Row{"status.phase > 0", false, false},
           Row{"status.ratio > 0", false, false},
           Row{"status.phase == Ready", true, true},
           Row{"status.phase = Ready", true, true},
           Row{"status.phase=Done", false, false},
           Row{"status.phase != Done", true, true},
           Row{"status.phase != Ready", false, false},
           Row{"status.missing != x", true, true},
           Row{"status.phase in (Done, Ready)", true, true},
           Row{"status.phase in (Done,Failed)", false, false},
           Row{"status.phase notin (Done)", true, true},
           Row{"status.phase notin (Done, Ready)", false, false},
           Row{"status.missing notin (a)", true, true},
           Row{"status.missing in (a)", false, false},
           Row{"status.phase", true, true},
           Row{"status.missing", false, false},
           Row{"!status.missing", true, true},
           Row{"! status.phase", false, false},
           Row{"status.message", true, true},
           Row{"status.message=", true, true},
           Row{"status.message in (, x)", true, true},
           Row{"status.active == true", true, true},
           Row{"status.ratio == 1.5", true, true},
           Row{"status.large == 1000000000000000000000", true, true},
           Row{"status.succeeded == 2", true, true},
           Row{"status.conditions.0.type == Complete", true, true},
           Row{"status.conditions.5.type == Complete", false, false},
           Row{"status.replicaStatuses.Worker.succeeded = 2", true, true},
           Row{"status.phase == Ready, status.succeeded > 5", false, true},
           Row{"status.phase == Ready,status.succeeded > 1", true, true},
           Row{"status.phase == Done,status.succeeded > 5", false, false},
           Row{"in in (in)", false, false},
           Row{"notin", false, false},
       }) {
    SCOPED_TRACE(text);
    const auto with_all = eval_resource_condition(text, job());
    ASSERT_TRUE(with_all) << with_all.error().message;
    EXPECT_EQ(*with_all, all);
    EXPECT_EQ(*eval_resource_condition(text, job(), Join::kAny), any);
  }
}

TEST(ResourceCondition, Rejects) {
  struct Row {
    const char* text;
    const char* message;
  };
  for (const auto& [text, message] : {
           Row{"a b", "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, >, <"},
           Row{"= a", "unable to parse requirement: found '=', expected: identifier"},
           Row{"a,", "unable to parse requirement: found '', expected: identifier after ','"},
           Row{"a in b", "unable to parse requirement: found 'b', expected: '('"},
           Row{"a in (b", "unable to parse requirement: found '', expected: ',', ')' or identifier"},
           Row{"a in (b c)", "unable to parse requirement: found 'c', expected: ',', ')' or identifier"},
           Row{"a > b",
               "unable to parse requirement: values[0][a]: Invalid value: \"b\": for 'Gt', 'Lt' operators, the value "
               "must be an integer"},
           Row{"a == (", "unable to parse requirement: found '(', expected: identifier"},
           Row{"a == b c", "unable to parse requirement: found 'c', expected: ',' or 'end of string'"},
           Row{"!", "unable to parse requirement: found '', expected: identifier"},
       }) {
    SCOPED_TRACE(text);
    const auto result = eval_resource_condition(text, job());
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message, message);
  }
  for (const char* text :
       {"status.conditions.# == 2", "a\\.b == c", "a == \"b\"", "a == 'b'", "a > -1", "a == b/c", "a. == b", ".a == b",
        "a == b-", "a/b/c == d", "A.b/c == d", "/a == b", "a* == b", "é == b"}) {
    EXPECT_FALSE(eval_resource_condition(text, job())) << text;
  }
  EXPECT_FALSE(eval_resource_condition(std::string(64, 'a') + " == b", job()));
  EXPECT_TRUE(eval_resource_condition(std::string(63, 'a') + " == b", job()));
  EXPECT_FALSE(eval_resource_condition(std::string(100000, 'a'), job()));
}

}  // namespace
}  // namespace tiphys::expr
