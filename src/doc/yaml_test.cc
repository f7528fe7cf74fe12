#include "doc/yaml.h"

#include <gtest/gtest.h>

#include <random>

namespace tiphys::doc {
namespace {

TEST(Yaml, ResolvesAsKubernetesDoes) {
  struct Case {
    const char* rule;
    const char* text;
    const char* json;
  };
  for (const auto& [rule, text, json] : {
           Case{"words of YAML 1.1 for true", "[y, Y, yes, Yes, YES, true, True, TRUE, on, On, ON]",
                "[true,true,true,true,true,true,true,true,true,true,true]"},
           Case{"words of YAML 1.1 for false", "[n, N, no, No, NO, false, off, Off]",
                "[false,false,false,false,false,false,false,false]"},
           Case{"mixed case is text", "[yEs, tRue, oN, nULL]", R"(["yEs","tRue","oN","nULL"])"},
           Case{"null", "[~, null, Null, NULL, ]", "[null,null,null,null]"},
           Case{"missing value is null", "a:\nb: 1", R"({"a":null,"b":1})"},
           Case{"quoted words are text", R"(["yes", '1', "null", ""])", R"(["yes","1","null",""])"},
           Case{"integers of all bases", "[010, 0o10, 0x1F, 0b101, -0x10, +5, 1_000]", "[8,8,31,5,-16,5,1000]"},
           Case{"no octal digit makes a float", "[08, 09.5]", "[8,9.5]"},
           Case{"64 bits", "[9223372036854775808, -9223372036854775808]", "[9223372036854775808,-9223372036854775808]"},
           Case{"beyond 64 bits a float", "123456789012345678901234", "1.2345678901234569e+23"},
           Case{"floats as Go prints them", "[1.0, 1e3, .5, 5., 1.5e-9, 1e21, -.5, 0.1]",
                "[1,1000,0.5,5,1.5e-9,1e+21,-0.5,0.1]"},
           Case{"not quite numbers are text", "[1.2.3, 0x, 1e, '-', +, 1:30, 0b2, 12e03a, .]",
                R"(["1.2.3","0x","1e","-","+","1:30","0b2","12e03a","."])"},
           Case{"too large for a double is text", "1e999", R"("1e999")"},
           Case{"timestamps stay text", "[2001-01-01, 2001-12-14T21:59:43Z]",
                R"(["2001-01-01","2001-12-14T21:59:43Z"])"},
           Case{"keys of other types", "1: a\nno: b\n0x10: d\n1.5: e\n", R"({"1":"a","false":"b","16":"d","1.5":"e"})"},
           Case{"tags", "[!!str 1, !!int 2, !!float 3, !!bool yes, !own 4, !!str yes, !!null ~]",
                R"(["1",2,3,true,"4","yes",null])"},
           Case{"anchors", "a: &x {k: 1}\nb: *x\nc: &s v\nd: *s", R"({"a":{"k":1},"b":{"k":1},"c":"v","d":"v"})"},
           Case{"merge keys", "base: &b {x: 1, y1: 2}\nd:\n  <<: *b\n  x: 3\n",
                R"({"base":{"x":1,"y1":2},"d":{"x":3,"y1":2}})"},
           Case{"merge of a list: the first wins", "- &a {x: 1}\n- &b {x: 2, z: 3}\n- <<: [*a, *b]\n",
                R"([{"x":1},{"x":2,"z":3},{"x":1,"z":3}])"},
           Case{"a quoted << is a key", "'<<': 1", R"({"<<":1})"},
           Case{"quotes in quotes", "['a''b', 'a''''b', '''''''', '']", R"(["a'b","a''b","'''",""])"},
           Case{"many quotes in quotes", "':''''Rap:''''R'", R"(":''Rap:''R")"},
           Case{"folded quotes", "a: ' b''''  \n  c\n \n\n \td '", R"({"a":" b'' c\n\nd "})"},
           Case{"escapes", R"("\0\a\b\e\t\n\v\f\r \"\/\\\N\_\L\P\x41\u00e9\U0001F600\ud83d\ude00")",
                R"("\u0000\u0007\b\u001b\t\n\u000b\f\r \"/\\)"
                "\u0085\u00A0"
                R"(\u2028\u2029A)"
                "\u00E9\U0001F600\U0001F600\""},
           Case{"escapes beside line breaks", "a: \"b\\ \n c\\\\\\\"\n\n d \\\n  e\\\n\n \\ f\\\\\"",
                R"({"a":"b  c\\\"\nd e\n f\\"})"},
           Case{"an empty block at the end", "a: |\n", R"({"a":""})"},
           Case{"literal and folded", "a: |\n  x\n   y\n\nb: >-\n  p\n  q\nc: |+\n  z\n\n",
                R"({"a":"x\n y\n","b":"p q","c":"z\n\n"})"},
           Case{"blank lines before a block's text", "a: |\n\n  x\nb: |2\n   y\n", R"({"a":"\nx\n","b":" y\n"})"},
           Case{"a block without last line feed", "a: |\n  x\n  y", R"({"a":"x\ny"})"},
           Case{"an empty block", "a: |\nb: 1\n", R"({"a":"","b":1})"},
           Case{"a block in a list at its key's indentation", "a:\n- |\n x\n", R"({"a":["x\n"]})"},
           Case{"a block as document", "|\n  x\n", R"("x\n")"},
           Case{"list at its key's indentation", "a:\n- 1\n- b: 2\n  c: 3\n", R"({"a":[1,{"b":2,"c":3}]})"},
           Case{"comments", "# c\na: 1 # d\nb: x#y\n", R"({"a":1,"b":"x#y"})"},
           Case{"carriage returns", "a: 1\r\nb: |\r\n  x\r\n", R"({"a":1,"b":"x\n"})"},
           Case{"JSON with tabs", "{\n\t\"a\":\t[1,\t\"\\u00e9\"]\n}", "{\"a\":[1,\"\xC3\xA9\"]}"},
           Case{"line separators in JSON", "{\"a\": \"\xE2\x80\xA8 \xE2\x80\xA9\"}", "{\"a\":\"\\u2028 \\u2029\"}"},
           Case{"flow style that is no JSON", "{a: [1, b], 'c': {d: e}}", R"({"a":[1,"b"],"c":{"d":"e"}})"},
           Case{"closing bracket at the margin", "a: {\n  b: 1\n}\nc: [\n]\n", R"({"a":{"b":1},"c":[]})"},
           Case{"tags of Argo in quotes", "a: \"{{inputs.parameters.x}}\"", R"({"a":"{{inputs.parameters.x}}"})"},
           Case{"a byte order mark",
                "\xEF\xBB\xBF"
                "a: 1",
                R"({"a":1})"},
       }) {
    const auto documents = parse_yaml(text, "f.yaml");
    ASSERT_TRUE(documents) << rule << ": " << documents.error().message;
    ASSERT_EQ(documents->size(), 1u) << rule;
    EXPECT_EQ(to_json(documents->front().root), json) << rule;
  }
}

TEST(Yaml, SplitsDocuments) {
  const auto documents = parse_yaml("# only a comment\n---\na: 1\n---\n---\n# nothing\n---\nb: 2\n...\n", "f.yaml");
  ASSERT_TRUE(documents) << documents.error().message;
  ASSERT_EQ(documents->size(), 2u);
  EXPECT_EQ(to_json((*documents)[1].root), R"({"b":2})");
  EXPECT_EQ((*documents)[1].marks.key("/b"), (Mark{8, 1}));
  EXPECT_TRUE(parse_yaml("", "f.yaml")->empty());
}

TEST(Yaml, ErrorsShowTheLine) {
  struct Case {
    const char* rule;
    const char* text;
    const char* message;
  };
  for (const auto& [rule, text, message] : {
           Case{"duplicate key", "a: 1\nb: 2\na: 3\n",
                "f.yaml:3:1: key \"a\" appears twice; the first is in line 1\n  a: 3\n  ^"},
           Case{"duplicate key after resolution", "x:\n  yes: 1\n  true: 2\n",
                "f.yaml:3:3: key \"true\" appears twice; the first is in line 2\n    true: 2\n    ^"},
           Case{"duplicate key in JSON", "{\"a\": 1, \"a\": 2}",
                "f.yaml:1:10: key \"a\" appears twice; the first is in line 1\n  {\"a\": 1, \"a\": 2}\n           ^"},
           Case{"tab", "a:\n\tb: 1\n", "f.yaml:2:1: a tab may not indent; use spaces\n  \tb: 1\n  ^"},
           Case{"unquoted tag", "a: {{x}}\n",
                "f.yaml:1:4: a key must be text; a value that starts with a tag {{...}} has to be quoted\n  a: {{x}}\n"
                "     ^"},
           Case{"unknown anchor", "a: *b\n", "f.yaml:1:4: unknown anchor \"b\"\n  a: *b\n     ^"},
           Case{"null key", "a:\n  ~: 1\n",
                "f.yaml:2:3: a key may not be null; quote it if it is text\n    ~: 1\n    ^"},
           Case{"infinity", "a: .inf\n",
                "f.yaml:1:4: .inf has no form in JSON; quote it if it is text\n  a: .inf\n     ^"},
           Case{"mistyped tag", "a: !!int x\n", "f.yaml:1:10: \"x\" is no !!int\n  a: !!int x\n           ^"},
           Case{"colon in a value", "a: b: c\n", "f.yaml:1:5: "},
           Case{"wide characters before the column", "\xC3\xA4: 1\n\"\xC3\xA4\xC3\xB6\": {\"\xC3\xA4\": [*u]}\n",
                "f.yaml:2:14: unknown anchor \"u\"\n  \"\xC3\xA4\xC3\xB6\": {\"\xC3\xA4\": [*u]}\n               ^"},
           Case{"unclosed list", "a:\n- [1, 2\nb: 3\n", "f.yaml:"},
           Case{"unclosed list at the end", "a: [1, 2\n", "f.yaml:1:4: flow sequence without a closing bracket"},
           Case{"unclosed quote", "a: \"x\nb: 3\n", "f.yaml:"},
           Case{"bad indentation", "a:\n    b: 1\n  c: 2\n", "f.yaml:3:"},
           Case{"bytes that are no UTF-8", "a: \xFF\n", "f.yaml:1:4: a byte that is no UTF-8"},
           Case{"a line separator", "a: 'b\xE2\x80\xA8 c'\n", "f.yaml:1:6: a line separator (U+2028 or U+2029); write"},
           Case{"a block that is not indented", "a:\n  b: |\n  x\n    w\n    h\nc: 1\n",
                "f.yaml:3:3: the text of a block must be indented deeper than what holds it\n    x\n    ^"},
           Case{"a block that is not indented deeper than its start", "a:\n |-\n x\n  y\n  z\n", "f.yaml:3:2: "},
           Case{"a document that is a block without indentation", "...\n>\nx\n\n\n\n\n\n \n",
                "f.yaml:3:1: the text of a block must be indented"},
           Case{"a block that is not indented below a list", "- a: |\n  x\n", "f.yaml:2:3: "},
           Case{"second document", "a: 1\n---\nb: ]\n", "f.yaml:3:4: "},
       }) {
    const auto documents = parse_yaml(text, "f.yaml");
    ASSERT_FALSE(documents) << rule;
    EXPECT_TRUE(documents.error().message.starts_with("f.yaml:")) << rule << ": " << documents.error().message;
    EXPECT_EQ(documents.error().message.substr(0, std::string_view(message).size()), message) << rule;
  }
}

TEST(Yaml, BoundsDepthAndAliases) {
  EXPECT_TRUE(parse_yaml(std::string(64, '[') + std::string(64, ']'), "f"));
  EXPECT_FALSE(parse_yaml(std::string(65, '[') + std::string(65, ']'), "f"));
  EXPECT_FALSE(parse_yaml(std::string(100'000, '['), "f"));
  std::string laughs = "a0: &a0 [x]\n";
  for (int i = 1; i < 30; ++i) {
    const auto last = "*a" + std::to_string(i - 1);
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last + "," + last + "]\n";
  }
  const auto bomb = parse_yaml(laughs, "f");
  ASSERT_FALSE(bomb);
  EXPECT_NE(bomb.error().message.find("16 MiB"), std::string::npos);
}

TEST(Yaml, MarksKeysAndValues) {
  const auto documents = parse_yaml(
      "spec:\n  steps:\n  - - name: a\n      args: {x: \"1\", 'y/~': 2}\n  text: |\n    body\n  empty:\nb: &b\n  p: 1\n"
      "c:\n  <<: *b\n",
      "f.yaml");
  ASSERT_TRUE(documents) << documents.error().message;
  const Marks& marks = documents->front().marks;
  struct Case {
    const char* pointer;
    Mark key, value;
  };
  for (const auto& [pointer, key, value] : {
           Case{"", {1, 1}, {1, 1}},
           Case{"/spec", {1, 1}, {2, 3}},
           Case{"/spec/steps", {2, 3}, {3, 3}},
           Case{"/spec/steps/0", {3, 5}, {3, 5}},
           Case{"/spec/steps/0/0", {3, 7}, {3, 7}},
           Case{"/spec/steps/0/0/name", {3, 7}, {3, 13}},
           Case{"/spec/steps/0/0/args/x", {4, 14}, {4, 17}},
           Case{"/spec/steps/0/0/args/y~1~0", {4, 22}, {4, 29}},
           Case{"/spec/text", {5, 3}, {6, 5}},
           Case{"/spec/empty", {7, 3}, {7, 3}},
           Case{"/c/p", {11, 7}, {11, 7}},
           Case{"/spec/none/such", {1, 1}, {2, 3}},
       }) {
    EXPECT_EQ(marks.key(pointer), key) << pointer << " " << marks.key(pointer).line << ":" << marks.key(pointer).column;
    EXPECT_EQ(marks.value(pointer), value)
        << pointer << " " << marks.value(pointer).line << ":" << marks.value(pointer).column;
  }
}

TEST(Yaml, RendersAWindowOfALongLine) {
  const std::string text = "{\"a\": \"" + std::string(1000, 'x') + "\", \"b\": *u}";
  const auto documents = parse_yaml(text, "f");
  ASSERT_FALSE(documents);
  EXPECT_LT(documents.error().message.size(), 500u);
  EXPECT_TRUE(documents.error().message.ends_with("^"));
}

TEST(Yaml, WritesBlockStyle) {
  struct Case {
    const char* rule;
    const char* json;
    const char* yaml;
  };
  for (const auto& [rule, json, yaml] : {
           Case{"scalars", R"({"a":1,"b":"x","c":null,"d":true,"e":1.5})", "a: 1\nb: x\nc: null\nd: true\ne: 1.5\n"},
           Case{"strings that would resolve", R"(["yes","1","null","","1e3","0x1","~","<<"])",
                "- \"yes\"\n- \"1\"\n- \"null\"\n- \"\"\n- \"1e3\"\n- \"0x1\"\n- \"~\"\n- \"<<\"\n"},
           Case{"strings that other readers resolve", R"(["2001-01-01","1:30","="])",
                "- \"2001-01-01\"\n- \"1:30\"\n- \"=\"\n"},
           Case{"strings with indicators",
                R"(["{{a}}","a: b","a #b","- x","-x","it's","'q'","a:"," a","a ","*a","---"])",
                "- '{{a}}'\n- 'a: b'\n- 'a #b'\n- '- x'\n- -x\n- it's\n- '''q'''\n- 'a:'\n- ' a'\n- 'a '\n- '*a'\n- "
                "'---'\n"},
           Case{"control characters", R"(["a\tb","\u0001"])", "- \"a\\tb\"\n- \"\\u0001\"\n"},
           Case{"literal blocks", R"({"a":"x\ny\n","b":["p\nq","r\n\n\n"]})",
                "a: |\n  x\n  y\nb:\n- |-\n  p\n  q\n- |+\n  r\n\n\n"},
           Case{"lines that a block cannot hold", R"({"a":" x\ny","b":"\nx"})", "a: \" x\\ny\"\nb: \"\\nx\"\n"},
           Case{"nesting", R"({"a":{"b":[[1,2],{"c":3,"d":[]}],"e":{}}})",
                "a:\n  b:\n  - - 1\n    - 2\n  - c: 3\n    d: []\n  e: {}\n"},
           Case{"keys are quoted too", R"({"yes":1,"a: b":2,"":3,"x\ny":4})",
                "\"yes\": 1\n'a: b': 2\n\"\": 3\n\"x\\ny\": 4\n"},
           Case{"a lone scalar", R"("x")", "x\n"},
           Case{"a lone block", R"("x\ny\n")", "|\n  x\n  y\n"},
       }) {
    EXPECT_EQ(to_yaml(*parse_json(json)), yaml) << rule;
  }
}

class RandomValue {
 public:
  explicit RandomValue(unsigned seed) : engine_(seed) {}
  Value make(int depth) {
    switch (pick(depth > 4 ? 5 : 8)) {
      case 0:
        return Value(static_cast<std::int64_t>(engine_()) - 2'000'000'000);
      case 1:
        return Value(static_cast<double>(engine_()) / 7);
      case 2:
        return Value(pick(2) == 0);
      case 3:
      case 4:
        return Value(boost::json::string(text()));
      case 5:
        return Value();
      case 6: {
        Array array;
        for (auto n = pick(4); n > 0; --n) array.push_back(make(depth + 1));
        return array;
      }
      default: {
        Object object;
        for (auto n = pick(4); n > 0; --n) object[text()] = make(depth + 1);
        return object;
      }
    }
  }

 private:
  unsigned pick(unsigned n) { return static_cast<unsigned>(engine_() % n); }
  std::string text() {
    static constexpr std::string_view kPieces[] = {"a",
                                                   "b",
                                                   " ",
                                                   "\n",
                                                   ":",
                                                   "#",
                                                   "-",
                                                   "'",
                                                   "\"",
                                                   "{",
                                                   "}",
                                                   "[",
                                                   "]",
                                                   ",",
                                                   "&",
                                                   "*",
                                                   "!",
                                                   "|",
                                                   ">",
                                                   "%",
                                                   "@",
                                                   "`",
                                                   "?",
                                                   "~",
                                                   "0",
                                                   "1",
                                                   ".",
                                                   "e",
                                                   "y",
                                                   "no",
                                                   "\t",
                                                   "\\",
                                                   "\xC3\xA4",
                                                   "\xC2\x85",
                                                   "\xE2\x80\xA8",
                                                   "\xEF\xBB\xBF",
                                                   "\x7F",
                                                   "\r",
                                                   "=",
                                                   "<<",
                                                   "\xF0\x9F\x98\x80",
                                                   "  ",
                                                   "\n\n"};
    std::string out;
    for (auto n = pick(7); n > 0; --n) out += kPieces[pick(std::size(kPieces))];
    return out;
  }
  std::mt19937 engine_;
};

TEST(Yaml, ReadsBackWhatItWrites) {
  for (unsigned seed = 0; seed < 3000; ++seed) {
    const Value value = RandomValue(seed).make(0);
    if (value.is_null()) continue;
    const std::string yaml = to_yaml(value);
    const auto documents = parse_yaml(yaml, "f");
    ASSERT_TRUE(documents) << "seed " << seed << ": " << documents.error().message << "\n" << yaml;
    ASSERT_EQ(documents->size(), 1u) << "seed " << seed << "\n" << yaml;
    ASSERT_EQ(to_json(documents->front().root), to_json(value)) << "seed " << seed << "\n" << yaml;
    if (!value.is_structured()) continue;
    const auto json = parse_yaml(to_json(value), "f");
    ASSERT_TRUE(json) << "seed " << seed << ": " << json.error().message;
    ASSERT_EQ(json->size(), 1u);
    ASSERT_EQ(to_json(json->front().root), to_json(value)) << "seed " << seed;
    ASSERT_EQ(to_json(*parse_json(to_pretty_json(value))), to_json(value)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace tiphys::doc
