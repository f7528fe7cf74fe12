#include "node/log/log_file.h"

#include <gmock/gmock.h>

#include "node/testing.h"

namespace tiphys::node {
namespace {

using ::testing::ElementsAre;
using testing::TempFolder;
using testing::write_file;

std::string line(int second, std::string_view rest) {
  return fmt::format("2026-01-01T00:00:{:02}.000000000Z {}\n", second, rest);
}

TEST(LogFile, ALineIsTakenApart) {
  const auto parsed = parse_log_line("2026-11-24T12:32:54.000123456Z stderr P some text ");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->at.time_since_epoch().count(), 1'795'523'574'000'123'456);
  EXPECT_EQ(parsed->stream, "stderr");
  EXPECT_TRUE(parsed->partial);
  EXPECT_EQ(parsed->text, "some text ");
}

TEST(LogFile, WhatIsNoLineIsAnError) {
  for (const char* bad : {"", "text", "2026-11-24T12:32:54.000123456Z", "2026-11-24T12:32:54.000123456Z stdin_ F x",
                          "2026-11-24T12:32:54.000123456Z stdout X x", "2026-99-24T12:32:54.000123456Z stdout F x"}) {
    EXPECT_FALSE(parse_log_line(bad)) << bad;
  }
}

struct TailCase {
  std::string name;
  std::string log;
  std::size_t most_bytes;
  std::string tail;
};

class StdoutTail : public ::testing::TestWithParam<TailCase> {};

TEST_P(StdoutTail, Is) {
  const TempFolder folder;
  write_file(folder.path() + "/log", GetParam().log);
  const auto tail = log_tail(folder.path() + "/log", GetParam().most_bytes, LogStreams::kStdout);
  ASSERT_TRUE(tail) << tail.error().message;
  EXPECT_EQ(*tail, GetParam().tail);
}

INSTANTIATE_TEST_SUITE_P(
    Log, StdoutTail,
    ::testing::Values(TailCase{"Empty", "", 100, ""},
                      TailCase{"LosesOneNewline", line(1, "stdout F a") + line(2, "stdout F "), 100, "a\n"},
                      TailCase{"StandardErrorIsLeftOut",
                               line(1, "stdout F a") + line(2, "stderr F b") + line(3, "stdout F c"), 100, "a\nc"},
                      TailCase{"PartsAreJoined", line(1, "stdout P a") + line(1, "stderr F x") + line(2, "stdout F b"),
                               100, "ab"},
                      TailCase{"NoNewlineAtTheEnd", line(1, "stdout F a") + line(2, "stdout P b"), 100, "a\nb"},
                      TailCase{"OnlyTheLastBytes", line(1, "stdout F abcdef") + line(2, "stdout F gh"), 5, "f\ngh"},
                      TailCase{"ATornEndIsPassedOver", line(1, "stdout F a") + "2026-01-0", 100, "a"}),
    [](const auto& test) { return test.param.name; });

TEST(LogFile, TheTailOfALargeLogIsReadFromItsEnd) {
  const TempFolder folder;
  std::string log;
  std::string text;
  for (int i = 0; i < 20'000; ++i) {
    log += line(i % 60, fmt::format("stdout F {}", i));
    if (i >= 19'000) text += fmt::format("{}\n", i);
  }
  write_file(folder.path() + "/log", log);
  text.pop_back();
  EXPECT_EQ(log_tail(folder.path() + "/log", text.size() + 1, LogStreams::kStdout).value(), text);
}

TEST(LogFile, AMissingLogHasNoTail) {
  EXPECT_EQ(log_tail("/no/such/log", 100, LogStreams::kStdout).value(), "");
}

struct ReadCase {
  std::string name;
  cluster::LogOptions options;
  std::vector<std::string> lines;
};

class ReadLog : public ::testing::TestWithParam<ReadCase> {};

TEST_P(ReadLog, Gives) {
  const TempFolder folder;
  write_file(folder.path() + "/log", line(1, "stdout F one") + line(2, "stderr F two") + line(3, "stdout P th") +
                                         line(3, "stderr F four") + line(4, "stdout F ree") + line(5, "stdout P end"));
  boost::asio::io_context context;
  const auto executor = make_asio_executor(context);
  FolderNotices notices(context);
  LogReader reader(notices, *executor);
  std::vector<std::string> lines;
  bool over = false;
  const auto watch = reader.read(folder.path() + "/log", GetParam().options, [] { return true; },
                                 {[&](std::string_view text, Time, std::string_view) { lines.emplace_back(text); },
                                  [&](const Status& status) { over = status.has_value(); }});
  while (!over) context.run_one(), context.restart();
  EXPECT_EQ(lines, GetParam().lines);
}

INSTANTIATE_TEST_SUITE_P(
    Log, ReadLog,
    ::testing::Values(ReadCase{"All", {}, {"one", "two", "four", "three", "end"}},
                      ReadCase{"FollowingAnEndedContainer", {.follow = true}, {"one", "two", "four", "three", "end"}},
                      ReadCase{"Tail", {.tail = 2}, {"ree", "end"}}, ReadCase{"TailOfNothing", {.tail = 0}, {}},
                      ReadCase{"LongTail", {.tail = 100}, {"one", "two", "four", "three", "end"}},
                      ReadCase{
                          "Since", {.since = parse_rfc3339("2026-01-01T00:00:03Z").value()}, {"four", "three", "end"}}),
    [](const auto& test) { return test.param.name; });

TEST(LogTail, OfBothStreams) {
  const TempFolder folder;
  write_file(folder.path() + "/log", line(1, "stdout F a") + line(2, "stderr F b") + line(3, "stdout F c"));
  EXPECT_EQ(log_tail(folder.path() + "/log", 100, LogStreams::kBoth).value(), "a\nb\nc");
}

TEST(LogReader, NothingArrivesAfterTheHandleIsGone) {
  const TempFolder folder;
  write_file(folder.path() + "/log", line(1, "stdout F one"));
  boost::asio::io_context context;
  const auto executor = make_asio_executor(context);
  FolderNotices notices(context);
  LogReader reader(notices, *executor);
  int calls = 0;
  auto watch =
      reader.read(folder.path() + "/log", {}, [] { return true; },
                  {[&](std::string_view, Time, std::string_view) { ++calls; }, [&](const Status&) { ++calls; }});
  watch.reset();
  context.poll();
  EXPECT_EQ(calls, 0);
}

}  // namespace
}  // namespace tiphys::node
