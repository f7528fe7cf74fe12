#include "doc/value.h"

#include <gtest/gtest.h>

namespace tiphys::doc {
namespace {

TEST(Value, PrintsJsonAsGoDoes) {
  struct Case {
    const char* rule;
    const char* text;
    const char* json;
  };
  for (const auto& [rule, text, json] : {
           Case{"key order is kept", R"({"b":1, "a":2})", R"({"b":1,"a":2})"},
           Case{"no HTML escaping", R"("<a>&\u003c")", R"("<a>&<")"},
           Case{"short escapes", R"("\u0008\u000c\n\r\t\"\\\/")", R"("\b\f\n\r\t\"\\/")"},
           Case{"other controls by number", R"("\u0001\u001f")", R"("\u0001\u001f")"},
           Case{"line separators of JavaScript", "\"\xE2\x80\xA8\xE2\x80\xA9\xE2\x80\xAA\"",
                "\"\\u2028\\u2029\xE2\x80\xAA\""},
           Case{"surrogate pairs become UTF-8", R"("\ud83d\ude00")", "\"\xF0\x9F\x98\x80\""},
           Case{"whole double", "1.0", "1"},
           Case{"fraction", "0.1", "0.1"},
           Case{"doubles read exactly", "[0.30000000000000004,5e-324,1.7976931348623157e308,9007199254740993.0]",
                "[0.30000000000000004,5e-324,1.7976931348623157e+308,9007199254740992]"},
           Case{"large double below 1e21", "1152921504606846976.0", "1152921504606847000"},
           Case{"1e20", "1e20", "100000000000000000000"},
           Case{"1e21", "1e21", "1e+21"},
           Case{"one millionth", "0.000001", "0.000001"},
           Case{"below it", "0.0000001", "1e-7"},
           Case{"1e-10", "1e-10", "1e-10"},
           Case{"negative zero", "-0.0", "-0"},
           Case{"largest integers", "[-9223372036854775808,18446744073709551615]",
                "[-9223372036854775808,18446744073709551615]"},
           Case{"beyond 64 bits", "18446744073709551616", "18446744073709552000"},
           Case{"empty containers", "[{},[],\"\",null,true,false]", "[{},[],\"\",null,true,false]"},
       }) {
    const auto value = parse_json(text);
    ASSERT_TRUE(value) << rule << ": " << value.error().message;
    EXPECT_EQ(to_json(*value), json) << rule;
  }
}

TEST(Value, RejectsWhatIsNoJson) {
  for (const std::string& text :
       {std::string(""), std::string("{"), std::string("[1,]"), std::string("1 2"), std::string("\"\xFF\""),
        std::string("1e999"), std::string("nul"), std::string(65, '[') + std::string(65, ']')}) {
    EXPECT_FALSE(parse_json(text)) << text;
  }
  EXPECT_TRUE(parse_json(std::string(64, '[') + std::string(64, ']')));
  EXPECT_EQ(parse_json("{\"a\":x}").error().message.substr(0, 15), "JSON, offset 5:");
}

TEST(Value, PrintsIndented) {
  EXPECT_EQ(to_pretty_json(*parse_json(R"({"a":[1,{"b":{}}],"c":[]})"), 2),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": {}\n    }\n  ],\n  \"c\": []\n}");
}

TEST(Value, FindsByPath) {
  Value value = *parse_json(R"({"a":{"b":"x"},"n":1})");
  EXPECT_EQ(find_string(value, "a", "b"), "x");
  EXPECT_EQ(find_string(value, "a", "c"), "");
  EXPECT_EQ(find_string(value, "n", "c"), "");
  EXPECT_EQ(find(value, "n", "c"), nullptr);
  ensure_object(value.get_object(), "n")["m"] = 2;
  EXPECT_EQ(to_json(value), R"({"a":{"b":"x"},"n":{"m":2}})");
}

TEST(Value, GivesScalarsAsText) {
  EXPECT_EQ(scalar_text(Value("a\"b")), "a\"b");
  EXPECT_EQ(scalar_text(Value(1.5)), "1.5");
  EXPECT_EQ(scalar_text(Value(true)), "true");
  EXPECT_EQ(scalar_text(*parse_json("[1, \"a\"]")), "[1,\"a\"]");
}

TEST(Json, EscapesAtEachPlace) {
  const std::pair<std::string, std::string> rows[] = {{"\"", "\\\""},
                                                      {"\\", "\\\\"},
                                                      {"\n", "\\n"},
                                                      {"\x01", "\\u0001"},
                                                      {"\x1f", "\\u001f"},
                                                      {" ", " "},
                                                      {"\xE2\x80\xA8", "\\u2028"},
                                                      {"\xE2\x82\xAC", "\xE2\x82\xAC"},
                                                      {"\x7f", "\x7f"},
                                                      {"\xC3\xA4", "\xC3\xA4"}};
  for (const auto& [text, escaped] : rows) {
    for (std::size_t before = 0; before < 20; ++before) {
      const std::string head(before, 'a'), tail(before / 2, '~');
      EXPECT_EQ(to_json(Value(head + text + tail)), '"' + head + escaped + tail + '"') << before;
    }
  }
  EXPECT_EQ(to_json(Value(std::string(1000, '\n'))).size(), 2002u);
}

}  // namespace
}  // namespace tiphys::doc
