#include <gtest/gtest.h>

#include "expr/condition.h"
#include "expr/when_token.h"

namespace tiphys::expr {
namespace {

struct Row {
  const char* text;
  bool wanted;
  const char* error;
};

/// What govaluate gives, and says, for each text as Argo calls it.
const Row kRows[] = {
    {"foo == foo", true, ""},
    {"'ref/branch/master' == 'ref/branch/master'", true, ""},
    {"foo != bar", true, ""},
    {"1 == 1", true, ""},
    {"1/2 == 0.5", true, ""},
    {"a < b", true, ""},
    {"(foo == bar) || (foo == foo)", true, ""},
    {"Error in (Failed, Error)", true, ""},
    {"!(Succeeded in (Failed, Error))", true, ""},
    {"true == true", true, ""},
    {"Succeeded in (Failed, Error)", false, ""},
    {"heads =~ hea", true, ""},
    {"heads !~ hea", false, ""},
    {"heads =~ \"^t\"", false, ""},
    {"'a b c' == \"a b c\"", true, ""},
    {"a-b == a-b", false,
     "Failed to evaluate 'when' expresion 'a-b == a-b': Value 'a' cannot be used with the modifier '-', it is not a "
     "number"},
    {"'a-b' == 'a-b'", true, ""},
    {"_x == 1", false,
     "Invalid 'when' expression '_x == 1': Invalid token: '_' (hint: try wrapping the affected expression in quotes "
     "(\"))"},
    {"foo bar", false,
     "Invalid 'when' expression 'foo bar': Cannot transition token types from VARIABLE [foo] to VARIABLE [bar]"},
    {"foo.bar == 1", false,
     "Invalid 'when' expression 'foo.bar == 1': Unable to access unexported field 'bar' in token 'foo.bar'"},
    {"foo.Bar == 1", false, "Failed to evaluate 'when' expresion 'foo.Bar == 1': No parameter 'foo' found."},
    {"foo. == 1", false, "Invalid 'when' expression 'foo. == 1': Hanging accessor on token 'foo.'"},
    {"1.2.3 == 1", false, "Invalid 'when' expression '1.2.3 == 1': Unable to parse numeric value '1.2.3' to float64\n"},
    {"0x1F == 31", true, ""},
    {"0xZZ == 1", false, "Invalid 'when' expression '0xZZ == 1': Unable to parse hex value '' to uint64\n"},
    {"012 == 12", true, ""},
    {".5 == 0.5", true, ""},
    {"1e3 == 1000", false,
     "Invalid 'when' expression '1e3 == 1000': Cannot transition token types from NUMERIC [1] to VARIABLE [e3]"},
    {"-1 < 0", true, ""},
    {"- 1 < 0", true, ""},
    {"--1 < 0", false,
     "Invalid 'when' expression '--1 < 0': Invalid token: '--' (hint: try wrapping the affected expression in quotes "
     "(\"))"},
    {"!true", false, ""},
    {"!!true", false,
     "Invalid 'when' expression '!!true': Invalid token: '!!' (hint: try wrapping the affected expression in quotes "
     "(\"))"},
    {"!foo", false,
     "Failed to parse 'when' expression '!foo': Cannot transition token types from PREFIX [!] to STRING [foo]"},
    {"-foo == 1", false,
     "Failed to parse 'when' expression '-foo == 1': Cannot transition token types from PREFIX [-] to STRING [foo]"},
    {"1 + 1 == 2", true, ""},
    {"1 + 2 * 3 == 7", true, ""},
    {"2 ** 3 ** 2 == 64", true, ""},
    {"-2 ** 2 == 4", true, ""},
    {"10 - 3 - 2 == 5", true, ""},
    {"100 / 10 / 2 == 5", true, ""},
    {"7 % 4 == 3", true, ""},
    {"'a' + 'b' == ab", true, ""},
    {"a + 1 == a1", true, ""},
    {"1 + a == '1a'", true, ""},
    {"true + a == truea", true, ""},
    {"true + 1 == 2", false,
     "Failed to evaluate 'when' expresion 'true + 1 == 2': Value 'true' cannot be used with the modifier '+', it is "
     "not a number"},
    {"1 < a", false,
     "Failed to evaluate 'when' expresion '1 < a': Value '1' cannot be used with the comparator '<', it is not a "
     "number"},
    {"a > 1", false,
     "Failed to evaluate 'when' expresion 'a > 1': Value 'a' cannot be used with the comparator '>', it is not a "
     "number"},
    {"true && false", false, ""},
    {"true && foo", false,
     "Failed to evaluate 'when' expresion 'true && foo': Value 'foo' cannot be used with the logical operator '&&', it "
     "is not a bool"},
    {"foo && true", false,
     "Failed to evaluate 'when' expresion 'foo && true': Value 'foo' cannot be used with the logical operator '&&', it "
     "is not a bool"},
    {"false && foo", false, ""},
    {"true || foo", true, ""},
    {"foo || true", false,
     "Failed to evaluate 'when' expresion 'foo || true': Value 'foo' cannot be used with the logical operator '||', it "
     "is not a bool"},
    {"true ? true : false", true, ""},
    {"false ? true : false", false, ""},
    {"(1 == 1) ? true : false", true, ""},
    {"true ? foo : bar", false, "Expected boolean evaluation for 'true ? foo : bar'. Got foo"},
    {"false ?? true", false, ""},
    {"foo ?? bar", false, "Expected boolean evaluation for 'foo ?? bar'. Got foo"},
    {"1 ?", false, "Invalid 'when' expression '1 ?': Unexpected end of expression"},
    {"1 == ", false, "Invalid 'when' expression '1 == ': Unexpected end of expression"},
    {"== 1", false,
     "Invalid 'when' expression '== 1': Cannot transition token types from UNKNOWN [<nil>] to COMPARATOR [==]"},
    {"(", false, "Invalid 'when' expression '(': Unbalanced parenthesis"},
    {")", false, "Invalid 'when' expression ')': Unbalanced parenthesis"},
    {"(()", false, "Invalid 'when' expression '(()': Unbalanced parenthesis"},
    {"()", false, "Expected boolean evaluation for '()'. Got <nil>"},
    {"(1 == 1", false, "Invalid 'when' expression '(1 == 1': Unbalanced parenthesis"},
    {"1 == 1)", false, "Invalid 'when' expression '1 == 1)': Unbalanced parenthesis"},
    {"((1 == 1))", true, ""},
    {"(((true)))", true, ""},
    {"[foo bar] == 'foo bar'", true, ""},
    {"[foo == 1", false, "Invalid 'when' expression '[foo == 1': Unclosed parameter bracket"},
    {"'abc == 1", false, "Invalid 'when' expression ''abc == 1': Unclosed string literal"},
    {"\"it's\" == 1", false, "Invalid 'when' expression '\"it's\" == 1': Unclosed string literal"},
    {"'2020-01-01' == '2020-01-01'", true, ""},
    {"'2020-01-01' < '2020-01-02'", true, ""},
    {"'2020-01-01T00:00:00Z' < '2020-01-01T01:00:00+00:00'", true, ""},
    {"'2020-01-01 10:00' < '2020-01-01 10:01'", true, ""},
    {"'2020-01-01' == 1577836800", true, ""},
    {"'2020-13-01' == '2020-13-01'", true, ""},
    {"'Mon Jan  2 15:04:05 2006' == 1136214245", true, ""},
    {"'3:04PM' == '15:04'", false, ""},
    {"'3:04PM' > 0", false, ""},
    {"'2006-01-02T15Z' == 1136214000", true, ""},
    {"'2006-01-02T15:04+0100' == 1136210640", true, ""},
    {"'2006-01-02T15:04:05.999Z' == 1136214245", true, ""},
    {"'2006-01-02T15:04:05,5Z' == 1136214245", true, ""},
    {"a == b == false", true, ""},
    {"1 == 1 == true", true, ""},
    {"1 < 2 < 3", false,
     "Failed to evaluate 'when' expresion '1 < 2 < 3': Value 'true' cannot be used with the comparator '<', it is not "
     "a number"},
    {"a in (a)", false,
     "Failed to evaluate 'when' expresion 'a in (a)': Value 'a' cannot be used with the comparator 'in', it is not a "
     "number"},
    {"a in a", false,
     "Failed to evaluate 'when' expresion 'a in a': Value 'a' cannot be used with the comparator 'in', it is not a "
     "number"},
    {"a in (a, b) && true", true, ""},
    {"1 in (1, 2)", true, ""},
    {"a in ((a, b), c)", true, ""},
    {"b in ((a, b), c)", true, ""},
    {"x,y", false, "Expected boolean evaluation for 'x,y'. Got [x y]"},
    {"a b == c", false,
     "Invalid 'when' expression 'a b == c': Cannot transition token types from VARIABLE [a] to VARIABLE [b]"},
    {"true, false", false, "Expected boolean evaluation for 'true, false'. Got [true false]"},
    {"1 & 3 == 1", true, ""},
    {"5 | 2 == 7", true, ""},
    {"5 ^ 1 == 4", true, ""},
    {"1 << 3 == 8", true, ""},
    {"8 >> 2 == 2", true, ""},
    {"~1 == -2", true, ""},
    {"1 & 3", false, "Expected boolean evaluation for '1 & 3'. Got 1"},
    {"a =~ [", false, "Invalid 'when' expression 'a =~ [': Unclosed parameter bracket"},
    {"a =~ \"[\"", false, "Invalid 'when' expression 'a =~ \"[\"': error parsing regexp: missing ]: ["},
    {"a =~ 5", false,
     "Failed to evaluate 'when' expresion 'a =~ 5': Value '5' cannot be used with the comparator '=~', it is not a "
     "number"},
    {"5 =~ 5", false,
     "Failed to evaluate 'when' expresion '5 =~ 5': Value '5' cannot be used with the comparator '=~', it is not a "
     "number"},
    {"foo IN (foo, bar)", true, ""},
    {"@ == 1", false,
     "Invalid 'when' expression '@ == 1': Invalid token: '@' (hint: try wrapping the affected expression in quotes "
     "(\"))"},
    {"a = b", false,
     "Invalid 'when' expression 'a = b': Invalid token: '=' (hint: try wrapping the affected expression in quotes "
     "(\"))"},
    {"a === b", false,
     "Invalid 'when' expression 'a === b': Invalid token: '===' (hint: try wrapping the affected expression in quotes "
     "(\"))"},
    {"$x == 1", false,
     "Invalid 'when' expression '$x == 1': Invalid token: '$' (hint: try wrapping the affected expression in quotes "
     "(\"))"},
    {"a == b # c", false,
     "Invalid 'when' expression 'a == b # c': Invalid token: '#' (hint: try wrapping the affected expression in quotes "
     "(\"))"},
    {"a==b", false, ""},
    {"a!=b", true, ""},
    {"a<=b", true, ""},
    {"1&&2", false,
     "Failed to evaluate 'when' expresion '1&&2': Value '1' cannot be used with the logical operator '&&', it is not a "
     "bool"},
    {"1 && ", false, "Invalid 'when' expression '1 && ': Unexpected end of expression"},
    {"a == \\-b", false,
     "Failed to parse 'when' expression 'a == \\-b': Cannot transition token types from PREFIX [-] to STRING [b]"},
    {"a\\-b == 'a-b'", true, ""},
    {"a\\ b == 'a b'", true, ""},
    {"tröt == tröt", true, ""},
    {"'東京' == '東京'", true, ""},
    {"日本 != x", true, ""},
    {"false == no", false, ""},
    {"\"\" == ''", true, ""},
    {"'' == ''", true, ""},
    {"''", false, "Expected boolean evaluation for ''''. Got "},
    {"foo", false, "Expected boolean evaluation for 'foo'. Got foo"},
    {"1", false, "Expected boolean evaluation for '1'. Got 1"},
    {"true", true, ""},
    {"TRUE == true", false, ""},
    {"null == nil", false, ""},
    {"nil == null", false, ""},
    {"1 == '1'", false, ""},
    {"'1' == 1", false, ""},
    {"true == 'true'", false, ""},
    {"10 > 9", true, ""},
    {"'10' > '9'", false, ""},
    {"10 > '9'", false,
     "Failed to evaluate 'when' expresion '10 > '9'': Value '10' cannot be used with the comparator '>', it is not a "
     "number"},
    {"3.0 == 3", true, ""},
    {"100000000 == 1e8", false,
     "Invalid 'when' expression '100000000 == 1e8': Cannot transition token types from NUMERIC [1] to VARIABLE [e8]"},
    {"1000000 == '1000000'", false, ""},
    {"1000000 + a == '1e+06a'", true, ""},
    {"func(1) == 1", false, "Invalid 'when' expression 'func(1) == 1': Undefined function func"},
    {"a (b)", false, "Invalid 'when' expression 'a (b)': Undefined function a"},
    {"(1) 2", false, "Expected boolean evaluation for '(1) 2'. Got 1"},
    {"(1 == 1) 2", true, ""},
    {"(a) == (a)", true, ""},
    {"(a == a) && (b == b) || foo", true, ""},
    {"a == a && b == c || d == d", true, ""},
    {"a ? b : c", false,
     "Failed to evaluate 'when' expresion 'a ? b : c': Value 'a' cannot be used with the ternary operator '?', it is "
     "not a bool"},
    {"true ? true", true, ""},
    {"false ? true", false, "Expected boolean evaluation for 'false ? true'. Got <nil>"},
    {"true : false", true, ""},
    {"1 == 1 ? 2 == 2 : 3 == 4", true, ""},
    {"{{x}} == 1", false,
     "Invalid 'when' expression '{{x}} == 1': Invalid token: '{{' (hint: try wrapping the affected expression in "
     "quotes (\"))"},
    {"a == \"{\\\"b\\\": 1}\"", false, ""},
    {"{\"a\": 1} == b", false,
     "Invalid 'when' expression '{\"a\": 1} == b': Invalid token: '{' (hint: try wrapping the affected expression in "
     "quotes (\"))"},
    {"a == b; c", false,
     "Invalid 'when' expression 'a == b; c': Invalid token: ';' (hint: try wrapping the affected expression in quotes "
     "(\"))"},
    {"a == 'x' && !(b in (c, d))", false, ""},
    {"!a == b", false,
     "Failed to parse 'when' expression '!a == b': Cannot transition token types from PREFIX [!] to STRING [a]"},
    {"!(a == b) == true", true, ""},
    {"1 !== 2", false,
     "Invalid 'when' expression '1 !== 2': Invalid token: '!==' (hint: try wrapping the affected expression in quotes "
     "(\"))"},
    {"a,b in (a,b)", false, "Expected boolean evaluation for 'a,b in (a,b)'. Got [a true]"},
    {"0 == -0", true, ""},
    {"1 / 0 == 1", false, ""},
    {"1 % 0 == 1", false, ""},
    {"a =~ \"b\" ? true : false", false,
     "Failed to parse 'when' expression 'a =~ \"b\" ? true : false': Cannot transition token types from PATTERN [b] to "
     "TERNARY [?]"},
    {"'2020-01-01' ? true : false", false,
     "Invalid 'when' expression ''2020-01-01' ? true : false': Cannot transition token types from TIME [2020-01-01] to "
     "TERNARY [?]"},
    {"a.B.C == 1", false, "Failed to evaluate 'when' expresion 'a.B.C == 1': No parameter 'a' found."},
    {"5 in (5.0, 6)", true, ""},
    {"0b11 == 3", false,
     "Invalid 'when' expression '0b11 == 3': Cannot transition token types from NUMERIC [0] to VARIABLE [b11]"},
    {"0 == 0", true, ""},
    {"00 == 0", true, ""},
    {"0x == 1", false, "Invalid 'when' expression '0x == 1': Unable to parse hex value '' to uint64\n"},
    {"1__ == 1", false,
     "Invalid 'when' expression '1__ == 1': Invalid token: '__' (hint: try wrapping the affected expression in quotes "
     "(\"))"},
    {"-a", false,
     "Failed to parse 'when' expression '-a': Cannot transition token types from PREFIX [-] to STRING [a]"},
    {"-'a' == 1", false,
     "Invalid 'when' expression '-'a' == 1': Cannot transition token types from PREFIX [-] to STRING [a]"},
    {"~a == 1", false,
     "Failed to parse 'when' expression '~a == 1': Cannot transition token types from PREFIX [~] to STRING [a]"},
};

TEST(When, AgreesWithTheOriginal) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.text);
    const auto result = eval_when(row.text);
    if (*row.error) {
      ASSERT_FALSE(result);
      EXPECT_EQ(result.error().message, row.error);
      EXPECT_EQ(result.error().code, Code::kInvalidArgument);
    } else {
      ASSERT_TRUE(result) << result.error().message;
      EXPECT_EQ(*result, row.wanted);
    }
  }
}

TEST(When, NothingIsTrue) {
  EXPECT_TRUE(*eval_when(""));
}

TEST(When, HostileTextsEndInErrors) {
  std::string chain = "a == a";
  for (int i = 0; i < 100000; ++i) chain += " && a == a";
  EXPECT_FALSE(eval_when(std::string(100000, '(') + "true" + std::string(100000, ')')));
  EXPECT_FALSE(eval_when(std::string(100000, '(')));
  EXPECT_FALSE(eval_when(chain));
  EXPECT_FALSE(eval_when(std::string(2 << 20, 'a')));
  EXPECT_FALSE(eval_when("a == \\"));
  EXPECT_FALSE(eval_when("\xff\xfe == \x80"));
}

TEST(When, ReadsTheDatesOfGovaluate) {
  struct Date {
    const char* text;
    double seconds;
  };
  for (const auto& [text, seconds] : {
           Date{"Mon Jan  2 15:04:05 2006", 1136214245},
           Date{"Mon Jan 2 15:04:05 UTC 2006", 1136214245},
           Date{"Mon Jan 02 15:04:05 -0700 2006", 1136239445},
           Date{"2006-01-02", 1136160000},
           Date{"2006-01-02 15:04", 1136214240},
           Date{"2006-01-02 15:04:05", 1136214245},
           Date{"2006-01-02 15:04:05+01:00", 1136210645},
           Date{"2006-01-02T15:04:05Z", 1136214245},
           Date{"2006-01-02T15:04:05.25-07:00", 1136239445},
           Date{"2006-01-02T15Z", 1136214000},
           Date{"2006-01-02T15:04+0100", 1136210640},
           Date{"12:00AM", -62167219200.0},
       }) {
    EXPECT_EQ(parse_when_time(text), seconds) << text;
  }
  for (const char* text : {"", "2006", "2006-01", "2006-02-30", "2006-01-02T", "25:00", "13:00PM", "2006-01-02 "}) {
    EXPECT_EQ(parse_when_time(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace tiphys::expr
