#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "expr/expression_testing.h"

namespace tiphys::expr {
namespace {

/// What expr-lang 1.17.8 gives for literals, operators and variables; the wording of errors is ours where ours says
/// more.
const ExpressionRow kRows[] = {
    {"1", "1"},
    {"1 + 2", "3"},
    {"1 + 2 * 3", "7"},
    {"(1 + 2) * 3", "9"},
    {"2 ** 3 ** 2", "512"},
    {"-2 ** 2", "-4"},
    {"2 ^ 3", "8"},
    {"7 % 3", "1"},
    {"-7 % 3", "-1"},
    {"7 / 2", "3.5"},
    {"6 / 2", "3"},
    {"1 / 0", "null"},
    {"1 % 0", "error: integer divide by zero (1:3)"},
    {"sprig.max(7, false ? 1 % 0 : 5)", "error: integer divide by zero (1:24)"},
    {"1.5 + 1", "2.5"},
    {"1.0", "1"},
    {"1e3", "1000"},
    {"1_000", "1000"},
    {"0x1F", "31"},
    {"0b101", "5"},
    {"0o17", "15"},
    {"017", "17"},
    {".5", "0.5"},
    {"1.", "1"},
    {"1..3", "[1,2,3]"},
    {"3..1", "[]"},
    {"1 .. 3", "[1,2,3]"},
    {"1e400", "error: invalid float literal: 1e400 (1:1)"},
    {"9223372036854775807", "9223372036854775807"},
    {"9223372036854775808", "error: invalid integer literal: 9223372036854775808 (1:1)"},
    {"9223372036854775807 + 1", "-9223372036854775808"},
    {"-9223372036854775807 - 1", "-9223372036854775808"},
    {"1 < 2", "true"},
    {"1 < 2 < 3", "true"},
    {"1 < 3 < 2", "false"},
    {"1 == 1.0", "true"},
    {"'a' == \"a\"", "true"},
    {"'a' < 'b'", "true"},
    {"'a' + 'b'", "text: ab"},
    {"'a' + 1", "error: invalid operation: + (mismatched types string and int) (1:5)"},
    {"1 + 'a'", "error: invalid operation: + (mismatched types int and string) (1:3)"},
    {"'a' == 1", "error: invalid operation: == (mismatched types string and int) (1:5)"},
    {"num == 1", "error: invalid operation: == (mismatched types string and int) (1:5)"},
    {"num == '1'", "true"},
    {"inputs.parameters.num == 1", "false"},
    {"inputs.parameters.num == '1'", "true"},
    {"true and false", "false"},
    {"true or false", "true"},
    {"not true", "false"},
    {"!true", "false"},
    {"true && not false", "true"},
    {"not (1 == 1)", "false"},
    {"not 1 == 1", "error: invalid operation: not (mismatched type int) (1:1)"},
    {"nil == nil", "true"},
    {"nil ?\? 'x'", "text: x"},
    {"'a' ?\? 'x'", "text: a"},
    {"missing ?\? 'x'", "error: unknown name missing (1:1)"},
    {"inputs.parameters.missing ?\? 'x'", "text: x"},
    {"inputs.parameters.missing", "null"},
    {"inputs.missing.deep", "error: cannot fetch deep from <nil> (1:16)"},
    {"inputs.missing.deep ?\? 'x'", "error: cannot fetch deep from <nil> (1:16)"},
    {"inputs.missing?.deep ?\? 'x'", "text: x"},
    {"inputs?.missing?.deep?.deeper", "null"},
    {"inputs.parameters['my-param']", "text: p"},
    {"inputs.parameters[\"my-param\"]", "text: p"},
    {"inputs.parameters.my-param", "error: unknown name param (1:22)"},
    {"steps['flip-coin'].outputs.result == 'heads' ? 'H' : 'T'", "text: H"},
    {"steps.a.outputs.result", "text: res"},
    {"item", "{\"list\":[1,2,3],\"obj\":{\"k\":{\"v\":\"deep\"}},\"x\":\"v\",\"y\":5}"},
    {"item.x", "text: v"},
    {"item['x']", "text: v"},
    {"item[\"y\"] + 1", "6"},
    {"item.z", "null"},
    {"item?.z", "null"},
    {"item.z?.w", "null"},
    {"item.list[0]", "1"},
    {"item.list[-1]", "3"},
    {"item.list[5]", "error: index out of range: 5 (array length is 3) (1:10)"},
    {"item.list[0:2]", "[1,2]"},
    {"item.list[1:]", "[2,3]"},
    {"item.list[:1]", "[1]"},
    {"item.list[:]", "[1,2,3]"},
    {"item.list[-1:]", "[3]"},
    {"'hello'[1:3]", "text: el"},
    {"'hello'[0]", "error: type string[int] is undefined (1:8)"},
    {"'hello'[-1]", "error: type string[int] is undefined (1:8)"},
    {"[1, 2, 3]", "[1,2,3]"},
    {"[1, 2, 3,]", "[1,2,3]"},
    {"[]", "[]"},
    {"{}", "{}"},
    {"{a: 1, 'b': 2, \"c-d\": 3, 4: 5}", "{\"4\":5,\"a\":1,\"b\":2,\"c-d\":3}"},
    {"{(1 + 'a'): 2}", "error: invalid operation: + (mismatched types int and string) (1:5)"},
    {"{('a' + 'b'): 2}", "{\"ab\":2}"},
    {"{a: 1}.a", "1"},
    {"{a: 1}['a']", "1"},
    {"{a: 1}.b", "null"},
    {"{a: {b: 1}}.a.b", "1"},
    {"{a: 1,}", "{\"a\":1}"},
    {"1 in [1, 2]", "true"},
    {"'1' in [1, 2]", "error: cannot use string as type int in array (1:5)"},
    {"3 not in [1, 2]", "true"},
    {"'a' in {a: 1}", "true"},
    {"'a' not in {a: 1}", "false"},
    {"1 in {a: 1}", "error: cannot use int as type string in map key (1:3)"},
    {"'a' in 'abc'", "error: invalid operation: in (mismatched types string and string) (1:5)"},
    {"item.x in ['v']", "true"},
    {"'abc' contains 'b'", "true"},
    {"'abc' not contains 'b'", "false"},
    {"'abc' startsWith 'a'", "true"},
    {"'abc' endsWith 'c'", "true"},
    {"'abc' matches '^a'", "true"},
    {"'abc' not matches '^b'", "true"},
    {"'abc' matches '['", "error: error parsing regexp: missing ]: [ (1:7)"},
    {"'abc' matches 'a' + 'b'", "true"},
    {"nil contains 'a'", "error: invalid operation: contains (mismatched types unknown and string) (1:5)"},
    {"1 contains 'a'", "error: invalid operation: contains (mismatched types int and string) (1:3)"},
    {"true ? 1 : 2", "1"},
    {"false ? 1 : 2", "2"},
    {"1 ? 1 : 2", "error: non-bool expression (type int) used as condition (1:1)"},
    {"'a' ?: 'b'", "error: non-bool expression (type string) used as condition (1:1)"},
    {"true ? false ? 1 : 2 : 3", "2"},
    {"false ? 1 : true ? 2 : 3", "2"},
    {"if true { 1 } else { 2 }", "1"},
    {"if false { 1 } else if true { 2 } else { 3 }", "2"},
    {"if true { 1 }", "error: unexpected token EOF, expected else (1:14)"},
    {"let x = 1; x + 1", "2"},
    {"let x = 1; let y = 2; x + y", "3"},
    {"let x = 1; let x = 2; x", "error: cannot redeclare variable x (1:16)"},
    {"let len = 1; len", "error: cannot redeclare builtin len (1:5)"},
    {"let x = 1 x", "error: unexpected token Identifier(\"x\"), expected ; (1:11)"},
    {"1; 2", "2"},
    {"1; 2;", "2"},
    {"\"it's\"", "text: it's"},
    {"'it\\'s'", "text: it's"},
    {"\"say \\\"hi\\\"\"", "text: say \"hi\""},
    {"'\\n\\t\\\\'", "text: \n\t\\"},
    {"'\\u00e9'", "text: é"},
    {"'\\x41'", "text: A"},
    {"'\\101'", "text: A"},
    {"'\\u{1F600}'", "text: 😀"},
    {"`raw \\n string`", "text: raw \\n string"},
    {"`back``tick`", "text: back`tick"},
    {"'unterminated", "error: literal not terminated (1:14)"},
    {"\"unterminated", "error: literal not terminated (1:14)"},
    {"`unterminated", "error: literal not terminated (1:14)"},
    {"'bad \\q escape'", "error: invalid char escape (1:7)"},
    {"// comment only", "error: unexpected token EOF, expected a value (1:16)"},
    {"1 // comment", "1"},
    {"/* c */ 1", "1"},
    {"1 /* unclosed", "error: unclosed comment (1:3)"},
    {"1 +", "error: unexpected token EOF, expected a value (1:4)"},
    {"+ 1", "1"},
    {"+1", "1"},
    {"-1", "-1"},
    {"--1", "1"},
    {"- -1", "1"},
    {"!!true", "true"},
    {"()", "error: unexpected token Bracket(\")\"), expected a value (1:2)"},
    {"(1", "error: unexpected token EOF, expected ) (1:3)"},
    {"1)", "error: unexpected token Bracket(\")\"), expected an operator or the end (1:2)"},
    {"[1", "error: unexpected token EOF, expected , (1:3)"},
    {"{a", "error: unexpected token EOF, expected : (1:3)"},
    {"{a: ", "error: unexpected token EOF, expected a value (1:5)"},
    {"[1 2]", "error: unexpected token Number(\"2\"), expected , (1:4)"},
    {"1 2", "error: unexpected token Number(\"2\"), expected an operator or the end (1:3)"},
    {"a b", "error: unexpected token Identifier(\"b\"), expected an operator or the end (1:3)"},
    {"foo", "error: unknown name foo (1:1)"},
    {"foo.bar", "error: unknown name foo (1:1)"},
    {"foo(1)", "error: unknown name foo (1:1)"},
    {"#", "error: unexpected token Operator(\"#\"), expected a value (1:1)"},
    {".x", "error: unexpected token Operator(\".\"), expected a value (1:1)"},
    {"# > 1", "error: unexpected token Operator(\"#\"), expected a value (1:1)"},
    {"@", "error: unrecognized character: '@' (1:1)"},
    {"a @ b", "error: unrecognized character: '@' (1:3)"},
    {"a = b", "error: unexpected token Operator(\"=\"), expected an operator or the end (1:3)"},
    {"a === b", "error: unexpected token Operator(\"=\"), expected a value (1:5)"},
    {"1 !== 2", "error: unexpected token Operator(\"=\"), expected a value (1:5)"},
    {"\"a\" & \"b\"", "error: unrecognized character: '&' (1:5)"},
    {"true & false", "error: unrecognized character: '&' (1:6)"},
    {"1 | 2", "error: unexpected token Number(\"2\"), expected a function (1:5)"},
    {"{a: 1} == {a: 1}", "true"},
    {"[1] == [1]", "true"},
    {"[1] == [1.0]", "true"},
    {"[1] == ['1']", "false"},
    {"nil == 1", "false"},
    {"1 == nil", "false"},
    {"nil == ''", "false"},
    {"item == nil", "false"},
    {"item.x == nil", "false"},
    {"item.nope == nil", "true"},
    {"num == nil", "false"},
    {"not num", "error: invalid operation: not (mismatched type string) (1:1)"},
    {"!num", "error: invalid operation: not (mismatched type string) (1:1)"},
    {"num && true", "error: invalid operation: && (mismatched types string and bool) (1:5)"},
    {"true && num", "error: invalid operation: && (mismatched types bool and string) (1:6)"},
    {"num ? 1 : 2", "error: non-bool expression (type string) used as condition (1:1)"},
    {"-num", "error: invalid operation: - (mismatched type string) (1:1)"},
    {"num + num", "text: 11"},
    {"num * 2", "error: invalid operation: * (mismatched types string and int) (1:5)"},
    {"flag == 'true'", "true"},
    {"flag == true", "error: invalid operation: == (mismatched types string and bool) (1:6)"},
    {"$env[\"num\"]", "text: 1"},
    {"$env.num", "text: 1"},
    {"\"num\" in $env", "true"},
    {"$env[\"nope\"]", "error: unknown name nope (1:1)"},
    {"workflow.parameters", "{\"a\":\"A\",\"b\":{\"c\":\"C\"}}"},
    {"workflow.parameters.a", "text: A"},
    {"workflow.status == \"Succeeded\" ? \"SUCCESSFUL\" : \"FAILED\"", "text: SUCCESSFUL"},
    {"inputs.parameters.json",
     "text: {\"list\": [{\"name\": \"a\", \"n\": 1}, {\"name\": \"b\", \"n\": 2}], \"obj\": {\"k\": \"v\"}, \"b\": "
     "true}"},
    {"1 + 2 ?\? 3", "3"},
    {"nil ?\? 1 + 2",
     "error: Operator (+) and coalesce expressions (?\?) cannot be mixed. Wrap either by parentheses. (1:10)"},
    {"(nil ?\? 1) + 2", "3"},
    {"nil ?\? nil ?\? 3", "3"},
    {"'a' in ['a'] and 'b' not in ['a']", "true"},
    {"1 in 1..3", "true"},
    {"4 in 1..3", "false"},
    {"item.x + '-' + inputs.parameters.num", "text: v-1"},
    {"item.obj.k.v", "text: deep"},
    {"item.obj['k']['v']", "text: deep"},
    {"item.obj.k?.v", "text: deep"},
    {"item.obj?.k.v", "text: deep"},
    {"item.nope?.k.v", "null"},
    {"item.nope.k", "error: cannot fetch k from <nil> (1:11)"},
    {"(item).x", "text: v"},
    {"(item?.x)", "text: v"},
    {"\"a\\", "error: invalid char escape (1:4)"},
    {"b\"", "error: literal not terminated (1:3)"},
    {"\"日本語\"[0:3]", "text: 日"},
    {"'a' not in 'abc'", "error: invalid operation: in (mismatched types string and string) (1:9)"},
    {"not ('a' in ['b'])", "true"},
    {"not 'a' in ['b']", "error: invalid operation: not (mismatched type string) (1:1)"},
    {"1 not in [1] or true", "true"},
    {"true ?: false", "true"},
    {"1 == 1 == true", "true"},
    {"1 > 2 == false", "true"},
    {"1 + 1 == 2 and 'a' + 'b' == 'ab'", "true"},
    {"3 - 2 - 1", "0"},
    {"2 * 3 % 4", "2"},
    {"10 / 2 / 5", "1"},
    {"1 - -1", "2"},
    {"1 - +1", "0"},
    {"a.b.", "error: expected name, found EOF (1:5)"},
    {"a..b", "error: unknown name a (1:1)"},
    {".a", "error: unexpected token Operator(\".\"), expected a value (1:1)"},
    {"a[", "error: unexpected token EOF, expected a value (1:3)"},
    {"a[]", "error: unexpected token Bracket(\"]\"), expected a value (1:3)"},
    {"a[1", "error: unexpected token EOF, expected ] (1:4)"},
    {"f(", "error: unexpected token EOF, expected a value (1:3)"},
    {"f(,)", "error: unexpected token Operator(\",\"), expected a value (1:3)"},
    {"f(1,)", "error: unknown name f (1:1)"},
    {"{,}",
     "error: a map key must be a quoted string, a number, a identifier, or an expression enclosed in parentheses "
     "(unexpected token Operator(\",\")) (1:2)"},
    {"[,]", "error: unexpected token Operator(\",\"), expected a value (1:2)"},
    {"{'a' 1}", "error: unexpected token Number(\"1\"), expected : (1:6)"},
    {"{1+1: 2}", "error: unexpected token Operator(\"+\"), expected : (1:3)"},
    {"in", "error: unexpected token Operator(\"in\"), expected a value (1:1)"},
    {"not", "error: unexpected token EOF, expected a value (1:4)"},
    {"and", "error: unexpected token Operator(\"and\"), expected a value (1:1)"},
    {"let", "error: unexpected token EOF, expected the name of a variable (1:4)"},
    {"1 and", "error: unexpected token EOF, expected a value (1:6)"},
    {"1 in", "error: unexpected token EOF, expected a value (1:5)"},
    {"? :", "error: unexpected token Operator(\"?\"), expected a value (1:1)"},
    {"1 ? 2", "error: unexpected token EOF, expected : (1:6)"},
    {"1 ? : 2", "error: non-bool expression (type int) used as condition (1:1)"},
    {"true ? 1 :", "error: unexpected token EOF, expected a value (1:11)"},
    {";", "error: unexpected token Operator(\";\"), expected a value (1:1)"},
    {"1 ;; 2", "error: unexpected token Operator(\";\"), expected a value (1:4)"},
    {"\"\\u12\"", "error: invalid char escape (1:3)"},
    {"'\\xZZ'", "error: invalid char escape (1:3)"},
    {"0x", "error: invalid integer literal: 0x (1:1)"},
    {"0xG", "error: bad number syntax: \"0xG\" (1:3)"},
    {"1a", "error: bad number syntax: \"1a\" (1:2)"},
    {"1.2.3", "error: unexpected token Number(\".3\"), expected an operator or the end (1:4)"},
    {"1e", "error: invalid float literal: 1e (1:1)"},
    {"1e+", "error: invalid float literal: 1e+ (1:1)"},
    {"1__0", "10"},
    {"$", "error: unknown name $ (1:1)"},
    {"$x", "error: unknown name $x (1:1)"},
    {"_x", "error: unknown name _x (1:1)"},
    {"x$", "error: unknown name x$ (1:1)"},
    {"日本", "error: unknown name 日本 (1:1)"},
    {"日本 == 1", "error: unknown name 日本 (1:1)"},
    {"😀", "error: unrecognized character: '😀' (1:1)"},
    {"\"😀\"", "text: 😀"},
};

TEST(Expression, FollowsExprLang) {
  check_expressions(kRows);
}

TEST(Expression, ErrorsPointAtTheirPlace) {
  const auto error = eval_expression("1 +\n  nope * 2", Scope()).error();
  EXPECT_EQ(error.message, "unknown name nope (2:3)\n |   nope * 2\n | ..^");
  Scope scope;
  scope.set("steps.flip-coin.outputs.result", "heads");
  EXPECT_EQ(eval_expression("steps['flip-coin'].output.result", scope).error().message,
            "cannot fetch result from <nil>; did you mean \"steps.flip-coin.outputs.result\"? (1:27)\n | "
            "steps['flip-coin'].output.result\n | ..........................^");
}

TEST(Expression, BoolExpressionsMustGiveBools) {
  Scope scope;
  scope.set("lastRetry.exitCode", "2");
  EXPECT_TRUE(*eval_bool_expression("asInt(lastRetry.exitCode) >= 2", scope));
  EXPECT_FALSE(*eval_bool_expression("lastRetry.exitCode == '0'", scope));
  EXPECT_EQ(eval_bool_expression("lastRetry.exitCode", scope).error().message,
            "unable to cast expression result '2' to bool");
  EXPECT_EQ(eval_bool_expression("asInt('x') > 1", scope).error().message,
            "unable to evaluate expression 'asInt('x') > 1': invalid operation: int(x) (1:1)\n | asInt('x') > 1\n | "
            "^");
}

TEST(Expression, RequiresWhatIsNotGuarded) {
  struct Case {
    const char* text;
    std::vector<std::string> required;
  };
  for (const auto& [text, required] : {
           Case{"item.key", {"item", "item.key"}},
           Case{"item.key ?? 'x'", {"item"}},
           Case{"item['key'] ?? ''", {"item"}},
           Case{"item?.key", {"item"}},
           Case{"item.a?.b", {"item"}},
           Case{"item.a.b?.c", {"item", "item.a"}},
           Case{"item.a + (item.b ?? 'x')", {"item", "item.a"}},
           Case{"tasks.a.outputs.result ?? 'x'", {"tasks"}},
           Case{"'workflow.status' == 'x'", {}},
           Case{"sprig.trunc(5, a.b)", {"a", "a.b"}},
           Case{"let x = a; x.b + map([1], #.c)[0]", {"a"}},
       }) {
    EXPECT_EQ(Expression::compile(text)->required(), required) << text;
  }
}

TEST(Expression, HostileTextsEndInErrors) {
  const auto repeat = [](std::string_view part, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += part;
    return text;
  };
  const std::string doubling = "let a0 = [1,1,1,1]; " + [] {
    std::string text;
    for (int i = 1; i < 40; ++i) {
      const std::string before = "a" + std::to_string(i - 1);
      text += "let a" + std::to_string(i) + " = [" + before + "," + before + "," + before + "]; ";
    }
    return text;
  }() + "a39";
  const std::string texts[] = {
      repeat("(", 100000),
      repeat("(", 5000) + "1" + repeat(")", 5000),
      repeat("[", 5000) + repeat("]", 5000),
      repeat("!", 50000) + "true",
      repeat("-", 50000) + "1",
      repeat("1+", 20000) + "1",
      repeat("a?.", 20000) + "a",
      repeat("1 < ", 5000) + "1",
      repeat("true ? 1 : ", 5000) + "1",
      repeat("map([1], ", 2000),
      repeat("if true {", 2000),
      repeat("let x = 1;", 2000) + "x",
      "'" + repeat("a", 2 << 20) + "'",
      "map(1..1000, map(1..1000, map(1..1000, 1)))",
      "1..1000000000",
      "jsonpath('[1]', '$" + repeat(".", 100000) + "')",
      "reduce(1..1000, #acc + #acc, 'aaaaaaaa')",
      "replace(repeat('a', 1000000), 'a', repeat('b', 1000000))",
      "sprig.repeat(1000000000, 'ab')",
      "sprig.until(1000000000)",
      "sprig.indent(1000000000, 'a')",
      "filter(1..1000000, count(1..1000000, true) > 0)",
      doubling,
  };
  for (const std::string& text : texts) {
    EXPECT_FALSE(eval_expression(text, Scope())) << text.substr(0, 60);
  }
}

TEST(Expression, SomeFieldsKnowExprLangsFunctionsAlone) {
  for (const char* text : {"asInt('1')", "asFloat('1')", "toJson(1)", "jsonpath('{}', '$')", "sprig.upper('a')",
                           "1 == 1 && [sprig.upper('a')] == nil"}) {
    EXPECT_TRUE(Expression::compile(text)) << text;
    const auto compiled = Expression::compile(text, Functions::kExprLang);
    ASSERT_FALSE(compiled) << text;
    EXPECT_THAT(compiled.error().message, testing::StartsWith("unknown name ")) << text;
  }
  EXPECT_TRUE(Expression::compile("int('1') + len(toJSON(filter([1], {# > 0})))", Functions::kExprLang));
  EXPECT_EQ(Expression::compile("1 + asInt('1')", Functions::kExprLang).error().message,
            "unknown name asInt (1:5)\n | 1 + asInt('1')\n | ....^");
}

}  // namespace
}  // namespace tiphys::expr
