#include "node/container/docker_log.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "artifact/testing.h"

namespace tiphys::node {
namespace {

using artifact::testing::read_file;
using artifact::testing::TempFolder;
using artifact::testing::write_file;

std::string frame(int stream, std::string_view text) {
  std::string out(8, '\0');
  out[0] = static_cast<char>(stream);
  for (int i = 0; i < 4; ++i) out[static_cast<std::size_t>(7 - i)] = static_cast<char>(text.size() >> (8 * i) & 0xff);
  return out + std::string(text);
}

const Time kNow = *parse_rfc3339("2026-01-31T12:00:07.5Z");

TEST(LogFrames, AreTheSameWhereverTheBytesAreCut) {
  const std::string bytes = frame(1, "first\n") + frame(2, "") + frame(2, "second") + frame(1, std::string(300, 'x'));
  for (std::size_t first = 0; first <= bytes.size(); ++first) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
      LogFrames frames;
      std::string seen;
      const LogFrames::Sink sink = [&](bool is_stderr, std::string_view text) -> Status {
        seen += fmt::format("[{}{}]", is_stderr ? "e:" : "o:", text);
        return {};
      };
      ASSERT_TRUE(frames.feed(std::string_view(bytes).substr(0, first), sink));
      for (std::size_t at = first; at < bytes.size(); at += step) {
        ASSERT_TRUE(frames.feed(std::string_view(bytes).substr(at, step), sink));
      }
      ASSERT_EQ(seen, "[o:first\n][e:][e:second][o:" + std::string(300, 'x') + "]") << first << " " << step;
      ASSERT_TRUE(frames.at_boundary());
    }
  }
}

TEST(LogFrames, AnUnfinishedFrameIsNoBoundary) {
  LogFrames frames;
  const LogFrames::Sink sink = [](bool, std::string_view) { return Status{}; };
  ASSERT_TRUE(frames.feed(frame(1, "text").substr(0, 10), sink));
  EXPECT_FALSE(frames.at_boundary());
}

TEST(LogFrames, WhatIsNoFrameIsAnError) {
  const LogFrames::Sink sink = [](bool, std::string_view) { return Status{}; };
  for (const std::string& bytes : {std::string("plain text of a terminal"), std::string("\x03\0\0\0\0\0\0\1x", 9),
                                   std::string("\1\0\0\0\xff\xff\xff\xff", 8)}) {
    LogFrames frames;
    const Status fed = frames.feed(bytes, sink);
    ASSERT_FALSE(fed);
    EXPECT_EQ(fed.error().code, Code::kDataLoss);
  }
}

struct EngineLogTest : ::testing::Test {
  TempFolder temp;
  std::string logged() { return read_file(temp / "log"); }
};

TEST_F(EngineLogTest, KeepsStreamsTimesAndPartsOfLines) {
  auto log = EngineLog::open(temp.path());
  ASSERT_TRUE(log);
  log->begin();
  ASSERT_TRUE(log->feed(frame(1, "2026-01-31T12:00:00.123456789Z out\n") + frame(2, "2026-01-31T12:00:01Z err\n") +
                            frame(1, "2026-01-31T12:00:02.5Z part ") + frame(1, "2026-01-31T12:00:02.5Z rest\n") +
                            frame(1, "2026-01-31T12:00:03Z \n"),
                        kNow));
  EXPECT_TRUE(log->end());
  EXPECT_EQ(log->lines(), 5u);
  EXPECT_EQ(log->last_error_line(), "err");
  ASSERT_TRUE(log->feed(frame(2, "2026-01-31T12:00:03Z two ") + frame(2, "2026-01-31T12:00:03Z parts\n"), kNow));
  EXPECT_EQ(log->last_error_line(), "two parts");
  EXPECT_EQ(log->lines(), 7u);
  EXPECT_EQ(logged(),
            "2026-01-31T12:00:00.123456789Z stdout F out\n"
            "2026-01-31T12:00:01.000000000Z stderr F err\n"
            "2026-01-31T12:00:02.500000000Z stdout P part \n"
            "2026-01-31T12:00:02.500000000Z stdout F rest\n"
            "2026-01-31T12:00:03.000000000Z stdout F \n"
            "2026-01-31T12:00:03.000000000Z stderr P two \n"
            "2026-01-31T12:00:03.000000000Z stderr F parts\n");
}

TEST_F(EngineLogTest, AnEngineThatTellsOnlySecondsGetsOurFraction) {
  auto log = EngineLog::open(temp.path());
  log->begin();
  ASSERT_TRUE(log->feed(frame(1, "2026-01-31T12:00:07Z live\n") + frame(1, "2026-01-31T12:00:06Z late\n"), kNow));
  EXPECT_EQ(logged(),
            "2026-01-31T12:00:07.500000000Z stdout F live\n"
            "2026-01-31T12:00:06.000000000Z stdout F late\n");
}

TEST_F(EngineLogTest, ReadAgainItPassesOverWhatIsWritten) {
  const std::string first = frame(1, "2026-01-31T12:00:00Z a\n") + frame(1, "2026-01-31T12:00:00Z a\n");
  const std::string rest = frame(2, "2026-01-31T12:00:00Z b\n");
  {
    auto log = EngineLog::open(temp.path());
    log->begin();
    ASSERT_TRUE(log->feed(first + rest.substr(0, 12), kNow));
    EXPECT_FALSE(log->end());
    log->begin();
    ASSERT_TRUE(log->feed(first + rest, kNow));
  }
  EXPECT_EQ(logged(),
            "2026-01-31T12:00:00.000000000Z stdout F a\n"
            "2026-01-31T12:00:00.000000000Z stdout F a\n"
            "2026-01-31T12:00:00.000000000Z stderr F b\n");
}

TEST_F(EngineLogTest, GoesOnFromTheTimeOfTheLastLine) {
  auto log = EngineLog::open(temp.path());
  EXPECT_EQ(log->begin_at_last(), "") << "nothing is there";
  const std::string first = frame(1, "2026-01-31T12:00:00Z a\n");
  const std::string at_last = frame(1, "2026-01-31T12:00:01.5Z b\n") + frame(1, "2026-01-31T12:00:01.5Z b\n");
  ASSERT_TRUE(log->feed(first + at_last, kNow));
  for (const char* more : {"c", "d"}) {
    EXPECT_EQ(log->begin_at_last(), "1769860801.500000000");
    const std::string again = log->lines() == 3 ? "" : frame(1, "2026-01-31T12:00:01.5Z c\n");
    ASSERT_TRUE(log->feed(at_last + again + frame(2, fmt::format("2026-01-31T12:00:01.5Z {}\n", more)), kNow));
  }
  EXPECT_EQ(logged(),
            "2026-01-31T12:00:00.000000000Z stdout F a\n2026-01-31T12:00:01.500000000Z stdout F b\n"
            "2026-01-31T12:00:01.500000000Z stdout F b\n2026-01-31T12:00:01.500000000Z stderr F c\n"
            "2026-01-31T12:00:01.500000000Z stderr F d\n");
}

TEST_F(EngineLogTest, BeginsAnewWhenItHasNotCaughtUp) {
  write_file(temp / "log", "2026-01-31T12:00:00.000000000Z stdout F a\n2026-01-31T12:00:01.000000000Z stdout F b\n");
  auto log = EngineLog::open(temp.path());
  log->begin();
  ASSERT_TRUE(log->feed(frame(1, "2026-01-31T12:00:00Z a\n"), kNow));
  EXPECT_EQ(log->begin_at_last(), "");
}

TEST_F(EngineLogTest, ReadsPodmansFileWhereverItIsCut) {
  const std::string bytes =
      "2026-01-31T12:00:00.123456789+01:00 stdout F out\n2026-01-31T11:00:01.5Z stderr P \n"
      "2026-01-31T11:00:01.5Z stdout F \n2026-01-31T11:00:02Z stdout P a  b\n";
  const std::string expected =
      "2026-01-31T11:00:00.123456789Z stdout F out\n2026-01-31T11:00:01.500000000Z stderr P \n"
      "2026-01-31T11:00:01.500000000Z stdout F \n2026-01-31T11:00:02.000000000Z stdout P a  b\n";
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    write_file(temp / "log", "");
    auto log = EngineLog::open(temp.path());
    log->begin();
    ASSERT_TRUE(log->feed_file(bytes.substr(0, cut)));
    if (cut % 2 == 0) {
      log->begin();
      ASSERT_TRUE(log->feed_file(bytes));
    } else {
      ASSERT_TRUE(log->feed_file(bytes.substr(cut)));
    }
    ASSERT_EQ(logged(), expected) << cut;
  }
  auto log = EngineLog::open(temp.path());
  EXPECT_EQ(log->feed_file("{\"log\": \"another format\"}\n").error().code, Code::kDataLoss);
}

TEST_F(EngineLogTest, ALineThatACrashCutIsWrittenAnew) {
  write_file(temp / "log", "2026-01-31T12:00:00.000000000Z stdout F a\n2026-01-31T12:00:00.0000000");
  auto log = EngineLog::open(temp.path());
  ASSERT_TRUE(log);
  EXPECT_EQ(log->lines(), 1u);
  log->begin();
  ASSERT_TRUE(log->feed(frame(1, "2026-01-31T12:00:00Z a\n") + frame(1, "2026-01-31T12:00:00Z b\n"), kNow));
  EXPECT_EQ(logged(), "2026-01-31T12:00:00.000000000Z stdout F a\n2026-01-31T12:00:00.000000000Z stdout F b\n");
}

TEST_F(EngineLogTest, ALineWithoutATimeIsAnError) {
  auto log = EngineLog::open(temp.path());
  log->begin();
  EXPECT_EQ(log->feed(frame(1, "no time\n"), kNow).error().code, Code::kDataLoss);
}

TEST_F(EngineLogTest, AFolderThatIsNotThereIsAnError) {
  EXPECT_FALSE(EngineLog::open(temp / "none"));
}

}  // namespace
}  // namespace tiphys::node
