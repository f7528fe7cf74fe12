#include "doc/gjson.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tiphys::doc {
namespace {

using enum GjsonType;

constexpr const char* kPeople = R"({
  "name": {"first": "Tom", "last": "Anderson"}, "age": 37, "n": -1.50, "big": 12345678901234567890, "none": null,
  "fav.movie": "Deer Hunter", "a*b": "star", "quote\"d": "q", "\u0061bc": "escaped key",
  "children": ["Sara", "Alex", "Jack"], "text": "tab\there \u00e9 \ud83d\ude00", "yes": true, "no": false,
  "friends": [
    {"first": "Dale", "last": "Murphy", "age": 44, "nets": ["ig", "fb", "tw"], "ok": true},
    {"first": "Roger", "last": "Craig", "age": 68, "nets": ["fb", "tw"], "ok": "false"},
    {"first": "Jane", "last": "Murphy", "age": 47, "nets": ["ig", "tw"]}
  ],
  "twice": 1, "twice": 2, "columns": {"x": [1, 2], "y": [3, 4]}, "nested": [1, [2, [3, 4]], []], "inner": "{\"id\":7}"
})";

// What gjson 1.18.0 finds.
TEST(Gjson, FindsWhatGjsonFinds) {
  struct Case {
    const char* rule;
    std::string json;
    const char* path;
    GjsonType type;
    std::string raw;
    std::optional<std::string> text;  ///< when it is not `raw`
  };
  for (const auto& [rule, json, path, type, raw, text] : {
           Case{"a key", kPeople, "age", kNumber, "37"},
           Case{"a path", kPeople, "name.last", kString, R"("Anderson")", "Anderson"},
           Case{"a number keeps its text", kPeople, "n", kNumber, "-1.50", "-1.5"},
           Case{"a number that no float holds", kPeople, "big", kNumber, "12345678901234567890"},
           Case{"null exists", kPeople, "none", kNull, "null", ""},
           Case{"true", kPeople, "yes", kTrue, "true"},
           Case{"false", kPeople, "no", kFalse, "false"},
           Case{"escapes are read", kPeople, "text", kString, R"("tab\there \u00e9 \ud83d\ude00")", "tab\there é 😀"},
           Case{"an object as it is written", kPeople, "name", kJson, R"({"first": "Tom", "last": "Anderson"})"},
           Case{"a missing key", kPeople, "nope", kNull, ""},
           Case{"a missing key below", kPeople, "name.middle", kNull, ""},
           Case{"below a scalar", kPeople, "age.x", kNull, ""},
           Case{"an escaped dot", kPeople, R"(fav\.movie)", kString, R"("Deer Hunter")", "Deer Hunter"},
           Case{"an escaped star", kPeople, R"(a\*b)", kString, R"("star")", "star"},
           Case{"an escaped quote in a key", kPeople, R"(quote"d)", kString, R"("q")", "q"},
           Case{"an escape in a key", kPeople, "abc", kString, R"("escaped key")", "escaped key"},
           Case{"the first of two equal keys", kPeople, "twice", kNumber, "1"},
           Case{"star", kPeople, "f*.first", kNull, ""},
           Case{"star finds the first key that matches", kPeople, "n*", kJson,
                R"({"first": "Tom", "last": "Anderson"})"},
           Case{"star in the middle", kPeople, "fr*ds.1.first", kString, R"("Roger")", "Roger"},
           Case{"question mark", kPeople, "a?e", kNumber, "37"},
           Case{"a glob of more than one part", kPeople, "*.last", kString, R"("Anderson")", "Anderson"},
           Case{"the empty path", kPeople, "", kNull, ""},
           Case{"an empty key", R"({"":{"":1}})", ".", kNumber, "1"},
           Case{"an index", kPeople, "children.1", kString, R"("Alex")", "Alex"},
           Case{"an index beyond the end", kPeople, "children.9", kNull, ""},
           Case{"a negative index", kPeople, "children.-1", kNull, ""},
           Case{"an index of objects", kPeople, "friends.1.last", kString, R"("Craig")", "Craig"},
           Case{"a numeric key", R"({"users":{"1":"x"}})", "users.1", kString, R"("x")", "x"},
           Case{"the length", kPeople, "children.#", kNumber, "3"},
           Case{"the length of no array", kPeople, "name.#", kNull, ""},
           Case{"the length below a length", kPeople, "friends.#.nets.#", kJson, "[3,2,2]"},
           Case{"all of a member", kPeople, "friends.#.first", kJson, R"(["Dale","Roger","Jane"])"},
           Case{"all of a member that some lack", kPeople, "friends.#.ok", kJson, R"([true,"false"])"},
           Case{"an index within all", kPeople, "friends.#.nets.0", kJson, R"(["ig","fb","ig"])"},
           Case{"a pipe after all takes the list", kPeople, "friends.#.nets|0", kJson, R"(["ig", "fb", "tw"])"},
           Case{"a pipe after all, then the length", kPeople, "friends.#.nets|#", kNumber, "3"},
           Case{"a query", kPeople, R"(friends.#(last=="Murphy").first)", kString, R"("Dale")", "Dale"},
           Case{"a query for all", kPeople, R"(friends.#(last=="Murphy")#.first)", kJson, R"(["Dale","Jane"])"},
           Case{"a query without a comparison", kPeople, "friends.#(ok).first", kString, R"("Dale")", "Dale"},
           Case{"a query that nothing passes", kPeople, R"(friends.#(last=="X").first)", kNull, ""},
           Case{"a query for all that nothing passes", kPeople, R"(friends.#(last=="X")#)", kJson, "[]"},
           Case{"a query in square brackets", kPeople, "friends.#[age>45]#.first", kJson, R"(["Roger","Jane"])"},
           Case{"one equals sign", kPeople, "friends.#(age=47).first", kString, R"("Jane")", "Jane"},
           Case{"not equal", kPeople, R"(friends.#(last!="Murphy").first)", kString, R"("Roger")", "Roger"},
           Case{"less", kPeople, "friends.#(age<47)#.age", kJson, "[44]"},
           Case{"less or equal", kPeople, "friends.#(age<=47)#.age", kJson, "[44,47]"},
           Case{"greater", kPeople, "friends.#(age>47)#.age", kJson, "[68]"},
           Case{"greater or equal", kPeople, "friends.#(age>=47)#.age", kJson, "[68,47]"},
           Case{"texts are compared bytewise", kPeople, R"(children.#(>"Alex")#)", kJson, R"(["Sara","Jack"])"},
           Case{"like", kPeople, R"(friends.#(first%"D*").last)", kString, R"("Murphy")", "Murphy"},
           Case{"unlike", kPeople, R"(friends.#(first!%"D*").last)", kString, R"("Craig")", "Craig"},
           Case{"a value without quotes", kPeople, "friends.#(last==Murphy)#.age", kJson, "[44,47]"},
           Case{"blanks around the operator", kPeople, "friends.#( age > 45 )#.age", kJson, "[68,47]"},
           Case{"a query on the elements themselves", kPeople, R"(children.#(=="Jack"))", kString, R"("Jack")", "Jack"},
           Case{"a query on numbers as elements", "[1,5,3]", "#(>2)#", kJson, "[5,3]"},
           Case{"quotes do not matter beside a number", kPeople, R"(friends.#(age=="44"))", kJson,
                R"({"first": "Dale", "last": "Murphy", "age": 44, "nets": ["ig", "fb", "tw"], "ok": true})"},
           Case{"true in a query", kPeople, "friends.#(ok==true).first", kString, R"("Dale")", "Dale"},
           Case{"greater or equal holds for every true", R"([{"v":true}])", R"(#(v>="x")#)", kJson, R"([{"v":true}])"},
           Case{"like true", kPeople, "friends.#(ok==~true)#.first", kJson, R"(["Dale"])"},
           Case{"like false", kPeople, "friends.#(ok==~false)#.first", kJson, R"(["Roger","Jane"])"},
           Case{"like false holds for what is missing", R"([{"v":0},{"v":"f"},{"w":1},{"v":null},{"v":"x"}])",
                "#(v==~false)#", kJson, R"([{"v":0},{"v":"f"},{"w":1},{"v":null}])"},
           Case{"like null", R"([{"v":null},{"v":1},{}])", "#(v==~null)#", kJson, R"([{"v":null},{}])"},
           Case{"like anything", R"([{"v":null},{"v":1},{}])", "#(v==~*)#", kJson, R"([{"v":null},{"v":1}])"},
           Case{"unlike anything", R"([{"v":null},{"v":1},{}])", "#(v!=~*)#", kJson, "[{}]"},
           Case{"an unknown likeness", R"([{"v":1}])", "#(v==~maybe)#", kJson, "[]"},
           Case{"a nested query", kPeople, R"(friends.#(nets.#(=="fb"))#.first)", kJson, R"(["Dale","Roger"])"},
           Case{"a query within what a query found", kPeople, R"(friends.#(last=="Murphy")#|#(age>45).first)", kString,
                R"("Jane")", "Jane"},
           Case{"a path with a glob in a query", kPeople, R"(friends.#(fi*=="Jane").age)", kNumber, "47"},
           Case{"a bracket in quotes", "[{\"a\":\")\"},{\"a\":\"]\"}]", R"(#(a=="]"))", kJson, R"({"a":"]"})"},
           Case{"an escaped quote in quotes", R"([{"a":"x\"y"}])", R"(#(a=="x\"y").a)", kString, R"("x\"y")", R"(x"y)"},
           Case{"a query that is not closed", kPeople, "friends.#(age>45", kNull, ""},
           Case{"a pipe of keys", kPeople, "name|first", kString, R"("Tom")", "Tom"},
           Case{"a pipe after an index", kPeople, "children|0", kString, R"("Sara")", "Sara"},
           Case{"a pipe into nothing", kPeople, "nope|first", kNull, ""},
           Case{"a multipath with names", kPeople, R"({"full":name.last,age})", kJson,
                R"({"full":"Anderson","age":37})"},
           Case{"a multipath names by the last part", kPeople, "{name.first,children.0}", kJson,
                R"({"first":"Tom","0":"Sara"})"},
           Case{"a multipath name without quotes", kPeople, "{who:name.first}", kJson, R"({"who":"Tom"})"},
           Case{"a multipath without a usable name", kPeople, "{children.#,friends.#(age>45).age}", kJson,
                R"({"_":3,"age":68})"},
           Case{"a multipath as a list", kPeople, "[name.first,age,nope,children.#]", kJson, R"(["Tom",37,3])"},
           Case{"a multipath below a path", kPeople, "friends.0.{first,age}", kJson, R"({"first":"Dale","age":44})"},
           Case{"a multipath of all", kPeople, "friends.#.[first,age]", kJson,
                R"([["Dale",44],["Roger",68],["Jane",47]])"},
           Case{"a multipath in a multipath", kPeople, "{a:{b:age}}", kJson, R"({"a":{"b":37}})"},
           Case{"a path after a multipath", kPeople, "{name.first,age}.age", kNumber, "37"},
           Case{"a pipe after a multipath", kPeople, "[age,name.first]|1", kString, R"("Tom")", "Tom"},
           Case{"an empty multipath", kPeople, "{}", kJson, "{}"},
           Case{"a multipath that is not closed", kPeople, "{age", kNull, ""},
           Case{"a literal text", kPeople, R"(!"hi")", kString, R"("hi")", "hi"},
           Case{"a literal object", kPeople, R"(!{"a":[1]})", kJson, R"({"a":[1]})"},
           Case{"a literal in a multipath", kPeople, R"({"kind":!"person",age})", kJson,
                R"({"kind":"person","age":37})"},
           Case{"literal words", kPeople, "[!true,!false,!null,!5]", kJson, "[true,false,null,5]"},
           Case{"a word that is no literal", kPeople, "!maybe", kNull, ""},
           Case{"a path after a literal", kPeople, R"(!{"a":[1,2]}.a.1)", kNumber, "2"},
           Case{"JSON lines", "{\"a\":1}\n{\"a\":2}\n[3]", "..1.a", kNumber, "2"},
           Case{"the number of JSON lines", "{\"a\":1}\n{\"a\":2}", "..#", kNumber, "2"},
           Case{"all JSON lines", "{\"a\":1}\n{\"a\":2}", "..#.a", kJson, "[1,2]"},
           Case{"a query on JSON lines", "{\"a\":1}\n{\"a\":2}", "..#(a>1)", kJson, R"({"a":2})"},
           Case{"@this", kPeople, "name.@this.first", kString, R"("Tom")", "Tom"},
           Case{"@this of the document", "[1]", "@this", kJson, "[1]"},
           Case{"@valid", kPeople, "name|@valid", kJson, R"({"first": "Tom", "last": "Anderson"})"},
           Case{"@valid of malformed text", R"({"a":[1,})", "@valid", kNull, ""},
           Case{"@ugly", R"({ "a" : [ 1 , "x y" ] })", "@ugly", kJson, R"({"a":[1,"x y"]})"},
           Case{"@pretty", R"({"b":[1,2,{"c":3}],"a":{}})", "@pretty", kJson,
                "{\n  \"b\": [\n    1,\n    2,\n    {\n      \"c\": 3\n    }\n  ],\n  \"a\": {}\n}\n"},
           Case{"@pretty with sorted keys", R"({"b":1,"a":[],"C":{"y":1,"x":2}})", R"(@pretty:{"sortKeys":true})",
                kJson, "{\n  \"C\": {\n    \"x\": 2,\n    \"y\": 1\n  },\n  \"a\": [],\n  \"b\": 1\n}\n"},
           Case{"@pretty with indentation", R"({"b":{"c":1}})", "@pretty:{\"indent\":\"\t\",\"prefix\":\" \"}", kJson,
                "{\n \t\"b\": {\n \t\t\"c\": 1\n \t}\n }\n"},
           Case{"@pretty with a width", R"({"b":[1,2,3,4,5]})", R"(@pretty:{"width":8})", kJson,
                "{\n  \"b\": [\n    1,\n    2,\n    3,\n    4,\n    5\n  ]\n}\n"},
           Case{"@reverse of an array", kPeople, "children.@reverse", kJson, R"(["Jack","Alex","Sara"])"},
           Case{"@reverse of an object", kPeople, "columns.@reverse", kJson, R"({"y":[3, 4],"x":[1, 2]})"},
           Case{"@reverse of a scalar", kPeople, "age.@reverse", kNumber, "37"},
           Case{"@reverse after a pipe", kPeople, "children|@reverse|0", kString, R"("Jack")", "Jack"},
           Case{"@flatten", kPeople, "nested.@flatten", kJson, "[1,2, [3, 4]]"},
           Case{"@flatten deep", kPeople, R"(nested.@flatten:{"deep":true})", kJson, "[1,2,3,4]"},
           Case{"@join", R"([{"a":1,"b":2},{"b":3},4])", "@join", kJson, R"({"a":1,"b":3})"},
           Case{"@join with all keys", R"([{"a":1,"b":2},{"b":3}])", R"(@join:{"preserve":true})", kJson,
                R"({"a":1,"b":2,"b":3})"},
           Case{"@keys", kPeople, "name.@keys", kJson, R"(["first","last"])"},
           Case{"@keys of an array", kPeople, "children.@keys", kJson, "[null,null,null]"},
           Case{"@values", kPeople, "name.@values", kJson, R"(["Tom","Anderson"])"},
           Case{"@values of a scalar", kPeople, "age.@values", kJson, "[37]"},
           Case{"@tostr", kPeople, "columns.x.@tostr", kString, R"("[1, 2]")", "[1, 2]"},
           Case{"@tostr escapes for HTML", "\"<é>\"", "@tostr", kString, "\"\\\"\\u003cé\\u003e\\\"\"", "\"<é>\""},
           Case{"@fromstr", kPeople, "inner.@fromstr.id", kNumber, "7"},
           Case{"@fromstr of malformed text", "abc", "@fromstr", kNull, ""},
           Case{"@group", kPeople, "columns.@group", kJson, R"([{"x":1,"y":3},{"x":2,"y":4}])"},
           Case{"@dig", kPeople, "@dig:first", kJson, R"(["Tom","Dale","Roger","Jane"])"},
           Case{"@dig with a path", kPeople, R"(@dig:nets.#(=="fb"))", kJson, R"(["fb","fb"])"},
           Case{"an argument ends at a pipe", kPeople, "children|@reverse:x.y|0", kString, R"("Jack")", "Jack"},
           Case{"an unknown modifier is a key", R"({"@x":1})", "@x", kNumber, "1"},
           Case{"an unknown modifier after a dot", R"({"a":{"@x":1}})", "a.@x", kNumber, "1"},
           Case{"a modifier of nothing", kPeople, "nope.@this", kNull, ""},
           Case{"a scalar document has no members", "5", "a", kNull, ""},
           Case{"a scalar document", R"("x")", "@this", kString, R"("x")", "x"},
           Case{"malformed: a missing brace", R"({"a":{"b":1)", "a.b", kNumber, "1"},
           Case{"malformed: an open string", R"({"a":"b)", "a", kNull, ""},
           Case{"malformed: no comma", R"({"a":1 "b":2})", "b", kNumber, "2"},
           Case{"malformed: a number with letters", R"({"a":1x2,"b":3})", "a", kNumber, "1x2", "0"},
           Case{"infinite numbers", R"({"a":Infinity,"b":-inf,"c":nan})", "c", kNumber, "nan", "NaN"},
           Case{"a number too large", R"({"a":1e999})", "a.@this", kNumber, "1e999", "+Inf"},
           Case{"hexadecimal numbers and underscores", "[0x1p4,1_000]", "#(=16)", kNumber, "0x1p4", "16"},
           Case{"half of a surrogate pair", R"({"a":"\ud800x"})", "a", kString, R"("\ud800x")", "�x"},
           Case{"an unknown escape ends the text", R"({"a":"ab\xcd"})", "a", kString, R"("ab\xcd")", "ab"},
           Case{"blanks around the document", " \n[1,2] ", "1", kNumber, "2"},
       }) {
    SCOPED_TRACE(std::string(rule) + ": " + path);
    const GjsonResult found = gjson_get(json, path);
    EXPECT_EQ(found.type, type);
    EXPECT_EQ(found.raw, raw);
    EXPECT_EQ(found.text(), text.value_or(raw));
    EXPECT_EQ(found.exists(), !raw.empty());
  }
}

TEST(Gjson, ConvertsAsGo) {
  struct Case {
    const char* json;
    bool boolean;
    std::int64_t integer;
    std::uint64_t natural;
    double number;
    const char* text;
  };
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  constexpr std::uint64_t kHalf = std::uint64_t{1} << 63;
  for (const auto& [json, boolean, integer, natural, number, text] : {
           Case{"null", false, 0, 0, 0, ""},
           Case{"true", true, 1, 1, 1, "true"},
           Case{"false", false, 0, 0, 0, "false"},
           Case{"-5.5", true, -5, kHalf * 2 - 5, -5.5, "-5.5"},
           Case{"0.0", false, 0, 0, 0, "0"},
           Case{"-0", false, 0, 0, -0.0, "-0"},
           Case{"1e3", true, 1000, 1000, 1000, "1000"},
           Case{"1e22", true, kLeast, kHalf, 1e22, "10000000000000000000000"},
           Case{"1e-7", true, 0, 0, 1e-7, "0.0000001"},
           Case{"9007199254740993", true, 9007199254740993, 9007199254740993, 9007199254740992, "9007199254740993"},
           Case{"18446744073709551615", true, -1, 18446744073709551615U, 0x1p64, "18446744073709551615"},
           Case{"1e19", true, kLeast, 10000000000000000000U, 1e19, "10000000000000000000"},
           Case{"\"42\"", false, 42, 42, 42, "42"},
           Case{"\"-42\"", false, -42, 0, -42, "-42"},
           Case{"\"1.5\"", false, 0, 0, 1.5, "1.5"},
           Case{"\"T\"", true, 0, 0, 0, "T"},
           Case{"\"1\"", true, 1, 1, 1, "1"},
           Case{"\"yes\"", false, 0, 0, 0, "yes"},
           Case{"[1]", false, 0, 0, 0, "[1]"},
       }) {
    SCOPED_TRACE(json);
    const GjsonResult found = gjson_parse(json);
    EXPECT_EQ(found.to_bool(), boolean);
    EXPECT_EQ(found.to_int(), integer);
    EXPECT_EQ(found.to_uint(), natural);
    EXPECT_EQ(found.to_float(), number);
    EXPECT_EQ(found.text(), text);
  }
  EXPECT_TRUE(std::isnan(gjson_parse("NaN").to_float()));
}

TEST(Gjson, TellsWhereAValueStands) {
  const std::string json = R"({"a": [10, {"b": 20}], "c": [{"d": 1}, {"d": 2}]})";
  EXPECT_EQ(gjson_get(json, "a.1.b").index, json.find("20"));
  EXPECT_EQ(gjson_get(json, "a|1").index, 0U) << "a pipe forgets it";
  const GjsonResult all = gjson_get(json, "c.#.d");
  EXPECT_EQ(all.index, 0U);
  EXPECT_EQ(all.indexes, (std::vector<std::size_t>{json.find("1}"), json.find("2}")}));
}

TEST(Gjson, GivesElements) {
  const GjsonResult array = gjson_get(R"({"a": [1, "x", [2], null]})", "a");
  std::vector<std::string> raw;
  for (const GjsonResult& element : array.elements()) raw.push_back(element.raw);
  EXPECT_EQ(raw, (std::vector<std::string>{"1", "\"x\"", "[2]", "null"}));
  EXPECT_EQ(gjson_parse("5").elements().size(), 1U) << "a scalar is its own element";
  EXPECT_TRUE(gjson_parse("null").elements().empty());
  EXPECT_TRUE(GjsonResult().elements().empty());
}

std::string repeat(std::string_view text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

TEST(Gjson, FindsNothingBeyondItsLimits) {
  struct Case {
    const char* rule;
    std::string json;
    std::string path;
  };
  const std::string deep = repeat("[", 100'000) + repeat("]", 100'000);
  const std::string wide =
      "[" + repeat(R"({"a":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},)", 40'000) + "1]";
  for (const auto& [rule, json, path] : {
           Case{"a long path", "{}", std::string(20'000, 'a')},
           Case{"a path of many parts", repeat("{\"a\":", 1000) + "1", repeat("a.", 999) + "a"},
           Case{"many pipes", repeat("{\"a\":", 1000) + "1", repeat("a|", 999) + "a"},
           Case{"nested queries", deep, repeat("#(", 4000) + repeat(")", 4000)},
           Case{"nested multipaths", "{}", repeat("[", 8000) + repeat("]", 8000)},
           Case{"a multipath that doubles its result each time", "[1]", repeat("[@this,@this]|", 100) + "@this"},
           Case{"a deep document that is searched at each level", deep, "@dig:a"},
           Case{"a deep document that is laid out", deep, "@pretty"},
           Case{"a deep document that is flattened", deep, R"(@flatten:{"deep":true})"},
           Case{"a deep document that is validated", deep, "@valid"},
           Case{"a glob with many stars", wide, R"(#(a%")" + repeat("*a", 50) + R"(*b*")#)"},
           Case{"a long literal for each element", wide, "#.!\"" + std::string(15'000, 'x') + "\""},
           Case{"a long indentation of each line", wide,
                R"(@pretty:{"width":0,"indent":")" + std::string(15'000, ' ') + R"("})"},
       }) {
    SCOPED_TRACE(rule);
    EXPECT_FALSE(gjson_get(json, path).exists());
  }
  EXPECT_EQ(gjson_get(repeat("{\"a\":", 200) + "1", repeat("a.", 199) + "a").raw, "1");
}

}  // namespace
}  // namespace tiphys::doc
