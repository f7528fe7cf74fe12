#include "doc/sjson.h"

#include <gtest/gtest.h>

namespace tiphys::doc {
namespace {

std::string text_or_error(const Result<std::string>& result) {
  return result ? *result : "error: " + result.error().message;
}

// What sjson 1.2.5 writes.
TEST(Sjson, SetsWhatSjsonSets) {
  struct Case {
    const char* rule;
    const char* json;
    const char* path;
    const char* raw;
    const char* out;
  };
  for (const auto& [rule, json, path, raw, out] : {
           Case{"replaces a value", R"({"name":{"first":"Tom"},"age":37})", "name.first", R"("Sara")",
                R"({"name":{"first":"Sara"},"age":37})"},
           Case{"keeps the rest as it is written", "{ \"a\" : 1 ,\n  \"b\": [1,  2] }", "b.1", "5",
                "{ \"a\" : 1 ,\n  \"b\": [1,  5] }"},
           Case{"adds a member", R"({"a":1})", "b", "2", R"({"a":1,"b":2})"},
           Case{"adds to an empty object", "{ }", "a", "1", R"({ "a":1})"},
           Case{"replaces a scalar by an object", R"({"a":1})", "a.b", "2", R"({"a":{"b":2}})"},
           Case{"replaces null by an object", R"({"a":null})", "a.b", "2", R"({"a":{"b":2}})"},
           Case{"makes parents", "{}", "a.b.c", "1", R"({"a":{"b":{"c":1}}})"},
           Case{"makes parents in an empty text", "", "a.b", "1", R"({"a":{"b":1}})"},
           Case{"makes parents in blanks", "  ", "a", "1", R"({"a":1})"},
           Case{"makes an array for a number", "{}", "a.0", "1", R"({"a":[1]})"},
           Case{"makes an array in an empty text", "", "0", "1", "[1]"},
           Case{"makes an array for -1", "{}", "a.-1", "1", R"({"a":[1]})"},
           Case{"makes a document of a scalar", "5", "a", "1", R"({"a":1})"},
           Case{"makes an array of a scalar", "null", "0", "1", "[1]"},
           Case{"pads with null", "{}", "a.3", "1", R"({"a":[null,null,null,1]})"},
           Case{"pads an array", R"({"a":[1]})", "a.3", "2", R"({"a":[1,null,null,2]})"},
           Case{"pads within what it makes", "{}", "a.1.b", "2", R"({"a":[null,{"b":2}]})"},
           Case{"replaces an element", R"({"a":[1,2,3]})", "a.1", R"("x")", R"({"a":[1,"x",3]})"},
           Case{"adds the next element", R"({"a":[1, 2]})", "a.2", "3", R"({"a":[1,2,3]})"},
           Case{"appends", R"({"a":[1, 2]})", "a.-1", "3", R"({"a":[1, 2,3]})"},
           Case{"appends to an empty array", R"({"a":[]})", "a.-1", "3", R"({"a":[3]})"},
           Case{"appends to an array as the document", " [1] ", "-1", "2", "[1,2]"},
           Case{"appends an object", R"({"a":[{"b":1}]})", "a.-1.b", "2", R"({"a":[{"b":1},{"b":2}]})"},
           Case{"a key in an array", R"({"a":[1]})", "a.b", "2",
                "error: cannot set array element for non-numeric key 'b'"},
           Case{"a key in an array as the document", "[1]", "a", "2",
                "error: cannot set array element for non-numeric key 'a'"},
           Case{"a number as a key of an object", R"({"a":{"1":"x"}})", "a.1", R"("y")", R"({"a":{"1":"y"}})"},
           Case{"a new number in an object", R"({"a":{"b":1}})", "a.1", "2", R"({"a":{"b":1,"1":2}})"},
           Case{"a colon makes a number a key", "{}", "users.:2313.name", R"("Sara")",
                R"({"users":{"2313":{"name":"Sara"}}})"},
           Case{"a colon makes -1 a key", "{}", "a.:-1", "1", R"({"a":{"-1":1}})"},
           Case{"a colon before a word", R"({"a":1})", ":a", "2", R"({"a":2})"},
           Case{"an escaped dot", "{}", R"(fav\.movie)", R"("Deer Hunter")", R"({"fav.movie":"Deer Hunter"})"},
           Case{"finds an escaped dot", R"({"a.b":1})", R"(a\.b)", "2", R"({"a.b":2})"},
           Case{"an escaped star", R"({"a*b":1})", R"(a\*b)", "2", R"({"a*b":2})"},
           Case{"an escaped backslash", "{}", R"(a\\b)", "1", R"({"a\\b":1})"},
           Case{"the first of two equal keys", R"({"a":1,"a":2})", "a", "3", R"({"a":3,"a":2})"},
           Case{"a key that needs escapes", "{}", "<é\">", "1", "{\"\\u003cé\\\"\\u003e\":1}"},
           Case{"a key that needs no escapes", "{}", "<b>", "1", R"({"<b>":1})"},
           Case{"an empty part is the index 0", "{}", "a.", "1", R"({"a":[1]})"},
           Case{"the empty path", "{}", "", "1", "error: path cannot be empty"},
           Case{"any text is put in", R"({"a":1})", "a", "not json", R"({"a":not json})"},
           Case{"a star", R"({"name":1})", "n*", "2", R"({"name":2})"},
           Case{"a star that finds nothing", R"({"name":1})", "x*", "2", R"({"name":1})"},
           Case{"all elements", R"({"a":[{"b":1},{"b":22},{"c":3}]})", "a.#.b", R"("x")",
                R"({"a":[{"b":"x"},{"b":"x"},{"c":3}]})"},
           Case{"all elements that match", R"({"a":[{"b":1},{"b":22},{"b":3}]})", "a.#(b>2)#.b", "0",
                R"({"a":[{"b":1},{"b":0},{"b":0}]})"},
           Case{"all elements that match, as a whole", R"([{"b":1},{"b":22}])", "#(b>0)#", "0", "[0,0]"},
           Case{"the first element that matches", R"({"a":[{"b":1},{"b":22}]})", "a.#(b>2).b", "0",
                R"({"a":[{"b":1},{"b":0}]})"},
           Case{"a modifier changes nothing", R"({"a":[1,2]})", "a.@reverse.0", "5", R"({"a":[1,2]})"},
           Case{"a pipe changes nothing", R"({"a":{"b":1}})", "a|b", "5", R"({"a":{"b":1}})"},
           Case{"malformed: a missing brace", R"({"a":1)", "b", "2", R"(,"b":2})"},
           Case{"an index that is too large for 64 bits", "[1]", "18446744073709551616", "2", "[2]"},
       }) {
    EXPECT_EQ(text_or_error(sjson_set_raw(json, path, raw)), out) << rule;
  }
}

TEST(Sjson, DeletesWhatSjsonDeletes) {
  struct Case {
    const char* rule;
    const char* json;
    const char* path;
    const char* out;
  };
  for (const auto& [rule, json, path, out] : {
           Case{"the only member", R"({"a":1})", "a", "{}"},
           Case{"the first member", R"({"a":1,"b":2})", "a", R"({"b":2})"},
           Case{"the last member", R"({"a":1,"b":2})", "b", R"({"a":1})"},
           Case{"a member in the middle", R"({ "a" : 1 , "b" : 2 , "c" : 3 })", "b", R"({ "a" : 1  , "c" : 3 })"},
           Case{"the first member with blanks", R"({ "a" : 1 , "b" : 2 })", "a", R"({ "b" : 2 })"},
           Case{"a member of a member", R"({"a":{"b":1,"c":2},"d":3})", "a.b", R"({"a":{"c":2},"d":3})"},
           Case{"a member with an escaped quote", R"({"x":0,"a\"b":1,"c":2})", R"(a"b)", R"({"x":0,"c":2})"},
           Case{"the first element", "[1, 2, 3]", "0", "[ 2, 3]"},
           Case{"an element in the middle", "[1, 2, 3]", "1", "[1, 3]"},
           Case{"the last element", R"({"a":[1, 2, 3]})", "a.-1", R"({"a":[1, 2]})"},
           Case{"the only element", "[1]", "-1", "[]"},
           Case{"an element of no elements", "[]", "-1", "[]"},
           Case{"an index beyond the end", "[1]", "5", "[1]"},
           Case{"-1 as a key", R"({"-1":1,"b":2})", ":-1", R"({"b":2})"},
           Case{"an escaped dot", R"({"a.b":1,"c":2})", R"(a\.b)", R"({"c":2})"},
           Case{"a missing key", R"({"a":1})", "b", R"({"a":1})"},
           Case{"a missing parent", R"({"a":1})", "b.c", R"({"a":1})"},
           Case{"the first of two equal keys", R"({"a":1,"a":2})", "a", R"({"a":2})"},
           Case{"a star", R"({"a":1})", "*", "error: cannot delete value from a complex path"},
           Case{"the empty path", R"({"a":1})", "", "error: path cannot be empty"},
           Case{"a text that is empty", "", "a", ""},
       }) {
    EXPECT_EQ(text_or_error(sjson_delete(json, path)), out) << rule;
  }
}

TEST(Sjson, WritesValuesAsGo) {
  struct Case {
    const char* rule;
    Value value;
    const char* out;
  };
  for (const auto& [rule, value, out] : {
           Case{"a text as it is", "<&> x", R"("<&> x")"},
           Case{"a text that needs escapes is escaped for HTML", "<\u00e9>", "\"\\u003c\u00e9\\u003e\""},
           Case{"a quote", "\"", R"("\"")"},
           Case{"null", nullptr, "null"},
           Case{"a boolean", true, "true"},
           Case{"an integer", -3, "-3"},
           Case{"a number without an exponent", 1e21, "1000000000000000000000"},
           Case{"a small number", 1e-7, "0.0000001"},
           Case{"sorted keys and escapes for HTML", *parse_json(R"({"b":[1,2.5,1e21],"a":"<"})"),
                R"({"a":"\u003c","b":[1,2.5,1e+21]})"},
       }) {
    EXPECT_EQ(text_or_error(sjson_set("{}", "a", value)), "{\"a\":" + std::string(out) + "}") << rule;
  }
}

TEST(Sjson, EndsWithAnErrorBeyondItsLimits) {
  std::string many_parts = "a";
  for (int i = 0; i < 600; ++i) many_parts += ".a";
  std::string large_text;
  large_text.resize(10'000'000, 'x');
  struct Case {
    const char* rule;
    std::string json;
    std::string path;
    std::string raw;
  };
  for (const auto& [rule, json, path, raw] : {
           Case{"a long path", "{}", std::string(20'000, 'a'), "1"},
           Case{"a path of many parts", "{}", many_parts, "1"},
           Case{"a large index", "{}", "a.100000000", "1"},
           Case{"many large indices", "{}", "a.9000000.9000000.9000000", "1"},
           Case{"a large index in an array", "[1]", "100000000", "1"},
           Case{"a large text in many places", "[1,1,1,1,1,1,1,1]", "#(=1)#", large_text},
           Case{"what is not in the text", "[1]", R"(@pretty:{"prefix":"    "})", "1"},
       }) {
    EXPECT_FALSE(sjson_set_raw(json, path, raw)) << rule;
  }
}

}  // namespace
}  // namespace tiphys::doc
