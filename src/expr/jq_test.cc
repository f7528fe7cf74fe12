#include "expr/jq.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <thread>

#include "expr/jq_syntax.h"

namespace tiphys::expr {
namespace {

using testing::HasSubstr;

/// The outputs as one array, or the message of the error.
std::string outputs(std::string_view filter, std::string_view input = "null") {
  const auto values = run_jq(filter, *doc::parse_json(input));
  if (!values) return values.error().message;
  return doc::to_json(doc::Array(values->begin(), values->end()));
}

// What gojq 0.12.17 gives.
TEST(Jq, GivesWhatGojqGives) {
  struct Case {
    const char* rule;
    const char* filter;
    const char* input;
    const char* outputs;
  };
  for (const auto& [rule, filter, input, expected] : {
           Case{"identity", ".", R"({"b":1,"a":[1,2]})", R"([{"a":[1,2],"b":1}])"},
           Case{"a field", ".metadata.name", R"({"metadata":{"name":"x"}})", R"(["x"])"},
           Case{"a missing field", ".a.b.c", "{}", "[null]"},
           Case{"several outputs", ".[]", R"([1,"a",null])", R"([1,"a",null])"},
           Case{"no output", "empty", "1", "[]"},
           Case{"a comma", ".a, .b", R"({"a":1,"b":2})", "[1,2]"},
           Case{"keys are sorted", "{b: 1, a: {d: 1, c: 2}}", "null", R"([{"a":{"c":2,"d":1},"b":1}])"},
           Case{"an iteration is sorted by keys", "[.[]]", R"({"b":1,"a":2})", "[[2,1]]"},
           Case{"to_entries is sorted by keys", "{b: 1, a: 2} | to_entries", "null",
                R"([[{"key":"a","value":2},{"key":"b","value":1}]])"},
           Case{"tojson is sorted by keys", R"~({b: 1, a: 2} | tojson, "\(.)", @json)~", "null",
                R"(["{\"a\":2,\"b\":1}","{\"a\":2,\"b\":1}","{\"a\":2,\"b\":1}"])"},
           Case{"optional", "[.[] | .a?]", R"([{"a":1},2])", "[[1]]"},
           Case{"alternative", R"(.a // "none")", R"({"a":null})", R"(["none"])"},
           Case{"if without else", R"(if . > 1 then "many" end)", "1", "[1]"},
           Case{"elif without else", R"(if . == 1 then "one" elif . == 2 then "two" end)", "3", "[3]"},
           Case{"nested if without else", "if .end then (if .if then 1 end) else 2 end", R"({"end":true,"if":false})",
                R"([{"end":true,"if":false}])"},
           Case{"keywords as keys", "{if: 1, then: 2, end: 3} | .end", "null", "[3]"},
           Case{"keywords in strings", R"("if \(if . then "then" end) end")", "true", R"(["if then end"])"},
           Case{"a dot before a bracket", R"(.a.["b"].[0])", R"({"a":{"b":[7]}})", "[7]"},
           Case{"a comment", "1 # if", "null", "[1]"},
           Case{"reduce", "reduce .[] as $x (0; . + $x)", "[1,2,3]", "[6]"},
           Case{"foreach", "[foreach .[] as $x (0; . + $x; [$x, .])]", "[1,2]", "[[[1,1],[2,3]]]"},
           Case{"destructuring", ". as {a: $x, b: [$y]} | [$x, $y]", R"({"a":1,"b":[2]})", "[[1,2]]"},
           Case{"destructuring alternatives", ".[] as [$a] ?// {$a} | $a", R"([[1],{"a":2}])", "[1,2]"},
           Case{"functions", "def f(g): [g]; def add1: . + 1; f(add1, 5)", "1", "[[2,5]]"},
           Case{"recursion", "def fac: if . <= 1 then 1 else . * (. - 1 | fac) end; fac", "5", "[120]"},
           Case{"label", "[label $out | .[] | if . == 3 then break $out else . end]", "[1,2,3,4]", "[[1,2]]"},
           Case{"try", R"~(try error("x") catch "caught \(.)")~", "null", R"(["caught x"])"},
           Case{"an assignment", ".a.b = 1 | .c += 2", R"({"c":1})", R"([{"a":{"b":1},"c":3}])"},
           Case{"an update", ".[] |= . + 1", "[1,2]", "[[2,3]]"},
           Case{"an update by nothing deletes", "(.[] | select(. > 1)) |= empty", "[1,5,2,6]", "[[1]]"},
           Case{"an update takes the first output", ".a |= (5, 6)", R"({"a":1})", R"([{"a":5}])"},
           Case{"del", "del(.[1, 2])", "[1,2,3,4]", "[[1,4]]"},
           Case{"paths", "[paths]", R"({"a":[1]})", R"([[["a"],["a",0]]])"},
           Case{"pick", "pick(.a.b, .c[1])", R"({"a":{"b":1,"x":2},"c":[1,2,3]})", R"([{"a":{"b":1},"c":[null,2]}])"},
           Case{"walk", R"(walk(if type == "number" then . + 1 else . end))", R"({"a":[1,{"b":2}]})",
                R"([{"a":[2,{"b":3}]}])"},
           Case{"with_entries", "with_entries(.value += 1)", R"({"a":1})", R"([{"a":2}])"},
           Case{"from_entries", "from_entries",
                R"([{"key":"a","value":1},{"name":"b","value":2},{"Key":"c","Value":3}])", R"([{"a":1,"b":2,"c":3}])"},
           Case{"map_values", "map_values(select(. > 1))", R"({"a":1,"b":2})", R"([{"b":2}])"},
           Case{"add of outputs", "add(.[].a)", R"([{"a":1},{"a":2}])", "[3]"},
           Case{"abs", "map(abs)", "[-1,2.5,-0.5]", "[[1,2.5,0.5]]"},
           Case{"limit", "[limit(2; .[])], [limit(0; .[])]", "[1,2,3]", "[[1,2],[]]"},
           Case{"skip", "[skip(1; .[])]", "[1,2,3]", "[[2,3]]"},
           Case{"nth", "nth(1; .[]), nth(1)", "[1,2,3]", "[2,2]"},
           Case{"last of nothing", "[last(empty)]", "null", "[[]]"},
           Case{"isempty", R"(isempty(empty), isempty(1, error("x")))", "null", "[true,false]"},
           Case{"until", "[.[] | until(. > 100; . * 2)]", "[1,3]", "[[128,192]]"},
           Case{"group_by", "group_by(.a) | map(length)", R"([{"a":1},{"a":2},{"a":1}])", "[[2,1]]"},
           Case{"min_by", "min_by(.a), max_by(.a)", R"([{"a":1},{"a":2}])", R"([{"a":1},{"a":2}])"},
           Case{"unique", "unique, unique_by(length)", R"(["b","a","b","cc"])", R"([["a","b","cc"],["b","cc"]])"},
           Case{"sort of all types", "sort", R"([{},[],"a",1,true,false,null])", R"([[null,false,true,1,"a",[],{}]])"},
           Case{"transpose", "transpose", "[[1],[2,3]]", "[[[1,2],[null,3]]]"},
           Case{"flatten", "flatten, flatten(1)", "[1,[2,[3]]]", "[[1,2,3],[1,2,[3]]]"},
           Case{"tostream", "[tostream]", R"({"a":[1]})", R"([[[["a",0],1],[["a",0]],[["a"]]]])"},
           Case{"fromstream", "fromstream(tostream)", R"({"a":[1,{"b":2}]})", R"([{"a":[1,{"b":2}]}])"},
           Case{"getpath", R"(getpath(["a", 0, "b"]))", R"({"a":[{"b":5}]})", "[5]"},
           Case{"IN", ".[] | IN(2, 3)", "[1,2]", "[false,true]"},
           Case{"INDEX", "INDEX(.id)", R"([{"id":1},{"id":"x"}])", R"([{"1":{"id":1},"x":{"id":"x"}}])"},
           Case{"combinations", "[combinations]", "[[1,2],[3,4]]", "[[[1,3],[1,4],[2,3],[2,4]]]"},
           Case{"trim", "trim, ltrim, rtrim", R"("  x y\t")", R"(["x y","x y\t","  x y"])"},
           Case{"ltrimstr", R"(ltrimstr("a"), rtrimstr("c"))", R"("abc")", R"(["bc","ab"])"},
           Case{"split", R"(split(","), split(", *"; null))", R"("a, b,c")", R"([["a"," b","c"],["a","b","c"]])"},
           Case{"split of an empty text", R"(split(","))", R"("")", R"([[""]])"},
           Case{"splits", R"([splits("b+")])", R"("abbc")", R"([["a","c"]])"},
           Case{"join", R"(join("-"))", R"(["a",1,null,true])", R"(["a-1--true"])"},
           Case{"index counts characters", R"(index("b"), rindex("b"), indices("b"))", R"("éb日b")", "[1,3,[1,3]]"},
           Case{"indices of a list", "indices([1, 2]), indices(1)", "[1,2,0,1,2]", "[[0,3],[0,3]]"},
           Case{"ascii_downcase", "ascii_downcase, ascii_upcase", R"("aBÉ")", R"(["abÉ","ABÉ"])"},
           Case{"implode", R"(implode, (explode? // "no"))", "[97,233,128512]", R"(["aé😀","no"])"},
           Case{"implode beyond Unicode", "implode", "[1114112,55296]", R"(["��"])"},
           Case{"test", R"(test("A"; "i"), test("^b"))", R"("abc")", "[true,false]"},
           Case{"match",
                R"([match("(?<x>[a-z])(\\d)?"; "g") | [.offset, .string, .captures[0].name, .captures[1].string]])",
                R"("a1b")", R"([[[0,"a1","x","1"],[2,"b","x",null]]])"},
           Case{"capture", R"~(capture("(?<year>\\d+)-(?<month>\\d+)"))~", R"("2015-03")",
                R"([{"month":"03","year":"2015"}])"},
           Case{"scan", R"~([scan("[a-z]")], [scan("([a-z])(\\d)")], [scan("A"; "i")])~", R"("a1b2")",
                R"([["a","b"],[["a","1"],["b","2"]],["a"]])"},
           Case{"sub", R"~(sub("(?<x>b)"; "[\(.x)]"), gsub("b"; "X"))~", R"("abcb")", R"(["a[b]cb","aXcX"])"},
           Case{"gsub of empty matches", R"(gsub(""; "-"), gsub("^"; ">"), gsub("$"; "<"), gsub("x*"; "-"))",
                R"("axb")", R"(["-a-x-b-",">axb","axb<","-a-b-"])"},
           Case{"sub with several outputs", R"([gsub("a"; "x", "y")])", R"("aa")", R"([["xx","yx","xy","yy"]])"},
           Case{"tostring of numbers", "map(tostring)", "[1e17,0.00001,1e-7,1e21,-1.5e300,0.1,100]",
                R"([["100000000000000000","0.00001","1e-7","1e+21","-1.5e+300","0.1","100"]])"},
           Case{"tonumber", "map(tonumber)", R"(["1","-1.5","1e3",7])", "[[1,-1.5,1000,7]]"},
           Case{"numbers", "., . + 0.5, . / 3", "1", "[1,1.5,0.3333333333333333]"},
           Case{"arithmetic", "[5 % 3, -5 % 3, 7 / 2, 1 - 3, 2 * 3]", "null", "[[2,-2,3.5,-2,6]]"},
           Case{"arithmetic of objects", "{a: {b: 1}} * {a: {c: 2}} + {d: 3}", "null",
                R"([{"a":{"b":1,"c":2},"d":3}])"},
           Case{"arithmetic of arrays and texts", R"([1, 2, 3] - [2], "a,b" / ",", "ab" * 2)", "null",
                R"([[1,3],["a","b"],"abab"])"},
           Case{"comparison", R"([1 < "a", [] < {}, null < false, {} == {}, 1.0 == 1])", "null",
                "[[true,true,true,true,true]]"},
           Case{"slices", ".[1:], .[:-1], (tojson | .[1:3])", "[1,2,3]", R"([[2,3],[1,2],"1,"])"},
           Case{"@base64", "@base64, (@base64 | @base64d)", R"("é日")", R"(["w6nml6U=","é日"])"},
           Case{"@uri", R"~(@uri, @uri "q=\(.)")~", R"("a b!*'()é/~")",
                R"(["a%20b%21%2A%27%28%29%C3%A9%2F~","q=a%20b%21%2A%27%28%29%C3%A9%2F~"])"},
           Case{"@urid", "@urid", R"("%41+%E6%97%A5b")", R"(["A+日b"])"},
           Case{"@html", "@html", R"("<&'\">")", R"(["&lt;&amp;&apos;&quot;&gt;"])"},
           Case{"@csv and @tsv", "@csv, @tsv", R"([1,"a\"b",null,true,"c\td"])",
                R"(["1,\"a\"\"b\",,true,\"c\td\"","1\ta\"b\t\ttrue\tc\\td"])"},
           Case{"@sh", R"~(@sh, @sh "echo \(.)")~", R"(["it's",1])", R"(["'it'\\''s' 1","echo 'it'\\''s' 1"])"},
           Case{"dates", R"(todate, (gmtime | mktime), strftime("%Y %j"))", "1425599621",
                R"(["2015-03-05T23:53:41Z",1425599621,"2015 064"])"},
           Case{"fromdate", "map(fromdate)", R"(["2015-03-05T23:51:47Z","2015-03-05T23:51:47+09:00"])",
                "[[1425599507,1425567107]]"},
           Case{"strptime", R"(strptime("%Y-%m-%dT%H:%M:%SZ"))", R"("2015-03-05T23:51:47Z")",
                "[[2015,2,5,23,51,47,4,63]]"},
           Case{"the environment is empty", "env, $ENV, env.PATH", "null", "[{},{},null]"},
       }) {
    EXPECT_EQ(outputs(filter, input), doc::to_json(*doc::parse_json(expected))) << rule << ": " << filter;
  }
}

TEST(Jq, DefinesWhatLaterVersionsHave) {
  EXPECT_EQ(outputs("map(toarray)", "[1,[2]]"), "[[[1],[2]]]");
  EXPECT_EQ(outputs("trimstr(\"a\")", "\"aba\""), "[\"b\"]");
  EXPECT_EQ(outputs("@base32d", "\"YOU6NF5FEBQQ====\""), "[\"é日 a\"]");
  EXPECT_EQ(outputs("have_literal_numbers, have_decnum"), "[true,false]");
  EXPECT_EQ(outputs("65 | ascii"), "[\"A\"]");
  EXPECT_EQ(outputs("debug, debug(\"x\"), stderr, input_filename"), "[null,null,null,null]");
}

TEST(Jq, ExplainsErrors) {
  struct Case {
    const char* rule;
    const char* filter;
    const char* message;
  };
  for (const auto& [rule, filter, message] : {
           Case{"syntax", ".[", "jq: .[: syntax error, unexpected $end"},
           Case{"syntax, with a line", ". |\n. |\n %", "jq: . |\n. |\n %: line 3: syntax error, unexpected '%'"},
           Case{"an unknown function", "foo(1)", "jq: foo(1): foo/1 is not defined"},
           Case{"an unknown variable", "$x", "jq: $x: $x is not defined"},
           Case{"evaluation", "1 | .a", "jq: 1 | .a: Cannot index number with string \"a\""},
           Case{"evaluation after an output", "1, error(\"x\")", "jq: 1, error(\"x\"): x"},
           Case{"a value as the error", "error({a: 1})", "jq: error({a: 1}): {\"a\":1}"},
           Case{"halt", "halt", "jq: halt: the filter halts"},
           Case{"an empty filter", " \n", "jq:  \n: it is empty"},
           Case{"no further inputs", "input", "jq: input: No more inputs"},
           Case{"nan within an output", "[{a: nan}]",
                "jq: [{a: nan}]: JSON has no number for an infinite output or nan"},
       }) {
    EXPECT_EQ(outputs(filter), message) << rule;
  }
}

TEST(Jq, ReadsNothingOfTheSystem) {
  ::setenv("TIPHYS_JQ_SECRET", "x", 1);
  EXPECT_EQ(outputs("env, $ENV"), "[{},{}]");
  for (const char* const filter :
       {"import \"a\" as a; .", "include \"a\"; .", "import \"passwd\" as $x {search: \"/etc\"}; $x",
        "{name: \"passwd\", search: [\"/etc\"]} | modulemeta", "\"passwd\" | modulemeta"}) {
    EXPECT_FALSE(run_jq(filter, nullptr)) << filter;
  }
}

TEST(Jq, EndsWhateverTheFilterDoes) {
  struct Case {
    const char* rule;
    std::string filter;
    const char* message;
  };
  testing::internal::CaptureStderr();
  for (const auto& [rule, filter, message] : {
           Case{"an endless loop", "def f: f; f", "it takes more than "},
           Case{"endless outputs", "repeat(1)", "it has more than 10000 outputs"},
           Case{"large outputs", "\"a\" * 20000000", "it writes more than 16 MiB"},
           Case{"deep recursion", "reduce range(1000000) as $i (0; [.])", "it "},
           Case{"deep nesting of outputs", "reduce range(200) as $i (0; [.])", "an output is no value"},
           Case{"a large index", "[] | .[1000000000] = 1", "it "},
           Case{"deep nesting of the filter", std::string(20'000, '(') + "1" + std::string(20'000, ')'),
                "memory exhausted"},
           Case{"a long filter", std::string(70'000, ' ') + ".", "it is longer than 64 KiB"},
           Case{"a NUL", std::string(".\0", 2), "it contains a NUL"},
           Case{"a message to the terminal", "\"x\" | stderr | error(\"y\")", "y"},
       }) {
    EXPECT_THAT(outputs(filter), HasSubstr(message)) << rule;
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
  EXPECT_EQ(errno, ECHILD);
}

TEST(Jq, RunsInManyThreads) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer's allocator may be locked in a child of a process with threads";
#endif
  std::vector<std::thread> threads;
  std::vector<std::string> results(4);
  for (std::string& result : results) {
    threads.emplace_back([&result] { result = outputs("[limit(3; repeat(1))] | add", "0"); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(results, testing::Each("[3]"));
}

TEST(JqSyntax, RewritesForJq16) {
  struct Case {
    const char* rule;
    const char* filter;
    const char* out;
  };
  for (const auto& [rule, filter, out] : {
           Case{"if without else", "if . then 1 end", "if . then 1 else . end"},
           Case{"if with else", "if . then 1 else 2 end", "if . then 1 else 2 end"},
           Case{"elif", "if . then 1 elif 2 then 3 end", "if . then 1 elif 2 then 3 else . end"},
           Case{"nested", "if (if 1 then 2 end) then 3 else 4 end", "if (if 1 then 2 else . end) then 3 else 4 end"},
           Case{"fields and variables", "if .end then $end end", "if .end then $end else . end"},
           Case{"keys", "{if: 1, end : 2}", "{if: 1, end : 2}"},
           Case{"strings", R"~("if \" end" | "\(if 1 then "\(2)" end) end")~",
                R"~("if \" end" | "\(if 1 then "\(2)" else . end) end")~"},
           Case{"comments", "# if\nif 1 then 2 end # end", "# if\nif 1 then 2 else . end # end"},
           Case{"a dot before a bracket", ".a.[0].[\"b\"]?.[1]", ".a[0][\"b\"]?[1]"},
           Case{"a dot that starts a term", "if . then.[0] else .[1] end, .[2]", "if . then.[0] else .[1] end, .[2]"},
           Case{"malformed: no if", "end ) \"", "end ) \""},
           Case{"malformed: no end", "if \"\\(", "if \"\\("},
       }) {
    EXPECT_EQ(to_jq16(filter), out) << rule;
  }
}

}  // namespace
}  // namespace tiphys::expr
