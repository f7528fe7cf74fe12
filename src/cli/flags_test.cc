#include "cli/flags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tiphys::cli {
namespace {

using testing::ElementsAre;

struct Parsed {
  bool watch = false;
  std::string output, name, warm;
  std::vector<std::string> parameters, files;
  std::optional<std::int64_t> tail;
  Result<bool> result = true;
};

Parsed parse(const Arguments& arguments) {
  Parsed parsed;
  Flags flags("try", "Tries.");
  flags.flag("-w,--watch", parsed.watch, "watch");
  flags.choice("-o,--output", parsed.output, {"name", "json"}, "output");
  flags.text("--name", parsed.name, "NAME", "name");
  flags.list("-p,--parameter", parsed.parameters, "NAME=VALUE", "parameter");
  flags.optional_text("--warm", parsed.warm, "true", "MODULES", "warm");
  flags.number("--tail", parsed.tail, "N", "tail");
  flags.positional("FILE", parsed.files, 1, 3);
  parsed.result = flags.parse(arguments);
  return parsed;
}

TEST(Flags, forms) {
  const Parsed parsed = parse({"-w", "a.yaml", "-p", "x=1", "--parameter=y=[1,2]", "-pz=", "-ojson", "--tail", "-1",
                               "-", "--name", "first", "--name=last"});
  ASSERT_TRUE(parsed.result) << parsed.result.error().message;
  EXPECT_TRUE(parsed.watch);
  EXPECT_THAT(parsed.files, ElementsAre("a.yaml", "-"));
  EXPECT_THAT(parsed.parameters, ElementsAre("x=1", "y=[1,2]", "z="));
  EXPECT_EQ(parsed.output, "json");
  EXPECT_EQ(parsed.tail, -1);
  EXPECT_EQ(parsed.name, "last");
}

TEST(Flags, values_stay_as_they_are) {
  const Parsed parsed = parse({"-p", "[a,b]", "-p", "{}", "--name", "[x]", "--", "-f"});
  ASSERT_TRUE(parsed.result) << parsed.result.error().message;
  EXPECT_THAT(parsed.parameters, ElementsAre("[a,b]", "{}"));
  EXPECT_EQ(parsed.name, "[x]");
  EXPECT_THAT(parsed.files, ElementsAre("-f"));
}

TEST(Flags, a_value_after_the_equals_sign_alone) {
  struct Row {
    Arguments arguments;
    const char* warm;
  };
  const Row rows[] = {
      {{"--warm", "f"}, "true"}, {{"f", "--warm=a,b"}, "a,b"}, {{"f", "--warm=a", "--warm"}, "true"}, {{"f"}, ""}};
  for (const auto& [arguments, warm] : rows) {
    const Parsed parsed = parse(arguments);
    ASSERT_TRUE(parsed.result) << parsed.result.error().message;
    EXPECT_EQ(parsed.warm, warm);
    EXPECT_THAT(parsed.files, ElementsAre("f"));
  }
}

TEST(Flags, errors) {
  struct Row {
    const char* rule;
    Arguments arguments;
    const char* message;
  };
  const Row rows[] = {
      {"an unknown flag, nearly a known one", {"f", "--watsh"}, "unknown flag --watsh; did you mean \"--watch\"?"},
      {"an unknown flag with a value", {"f", "--nam=x"}, "unknown flag --nam; did you mean \"--name\"?"},
      {"an unknown flag, far from all", {"f", "--zzzzzz"}, "unknown flag --zzzzzz"},
      {"an unknown letter", {"f", "-z"}, "unknown flag -z"},
      {"a value that is not allowed", {"f", "-o", "xml"}, "One of: name|json"},
      {"no number", {"f", "--tail", "x"}, "--tail"},
      {"a value that is missing", {"f", "--name"}, "--name"},
      {"too few arguments", {}, "FILE is missing"},
      {"no number", {"f", "--tail", "1x"}, "--tail: \"1x\" is not a whole number"},
      {"a way on", {}, "Run 'tiphys try --help' for usage."},
      {"too many arguments", {"1", "2", "3", "4"}, "unexpected argument \"4\""},
  };
  for (const auto& row : rows) {
    const Parsed parsed = parse(row.arguments);
    ASSERT_FALSE(parsed.result) << row.rule;
    EXPECT_EQ(parsed.result.error().code, Code::kInvalidArgument) << row.rule;
    EXPECT_THAT(parsed.result.error().message, testing::HasSubstr(row.message)) << row.rule;
  }
}

TEST(Flags, help) {
  testing::internal::CaptureStdout();
  const Parsed parsed = parse({"--help"});
  const std::string text = testing::internal::GetCapturedStdout();
  ASSERT_TRUE(parsed.result);
  EXPECT_FALSE(*parsed.result) << "nothing is left to do";
  EXPECT_THAT(text, testing::StartsWith("Tries.\n\nUsage:\n  tiphys try [flags] FILE...\n"));
  EXPECT_THAT(text, testing::HasSubstr("-p,--parameter NAME=VALUE"));
}

TEST(Flags, comma_lists) {
  EXPECT_THAT(split_commas(std::vector<std::string>{"a, b", "", "c,,"}), ElementsAre("a", "b", "c"));
}

}  // namespace
}  // namespace tiphys::cli
