#include "node/init/output_pump.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <memory>

#include "base/time.h"
#include "node/testing.h"

namespace tiphys::node {
namespace {

using testing::TempFolder;

std::string prefix(std::int64_t nanoseconds, bool is_stderr, bool partial) {
  std::string text(kLogPrefixBytes, 0);
  write_log_prefix(text.data(), nanoseconds, is_stderr, partial);
  return text;
}

TEST(LogPrefix, IsRfc3339WithNanosecondsStreamAndTag) {
  EXPECT_EQ(prefix(0, false, false), "1970-01-01T00:00:00.000000000Z stdout F ");
  EXPECT_EQ(prefix(1'795'523'574'000'123'456, true, true), "2026-11-24T12:32:54.000123456Z stderr P ");
}

TEST(LogPrefix, DatesAreThoseOfTheCalendar) {
  for (const std::int64_t day : {0, 58, 59, 60, 364, 365, 789, 790, 11'016, 11'017, 19'782, 20'000, 47'540, 47'541}) {
    const std::int64_t ns = (day * 86'400 + 86'399) * 1'000'000'000;
    EXPECT_EQ(prefix(ns, false, false).substr(0, 19) + "Z", format_rfc3339(Time{std::chrono::nanoseconds(ns)}));
  }
}

class Pumped {
 public:
  /// Writes `pieces` one after the other, each read at once, and then the end.
  std::string of(const std::vector<std::string>& pieces) {
    int ends[2];
    EXPECT_EQ(::pipe2(ends, O_NONBLOCK), 0);
    UniqueFd reading(ends[0]);
    UniqueFd writing(ends[1]);
    const UniqueFd dir(::open(folder_.path().c_str(), O_RDONLY | O_DIRECTORY));
    const auto memory = std::make_unique<char[]>(kPumpBytes);
    OutputPump pump(memory.get(), dir.get(), &error_);
    EXPECT_TRUE(pump.set_dir("pods/p"));
    for (const std::string& piece : pieces) {
      EXPECT_EQ(::write(writing.get(), piece.data(), piece.size()), static_cast<ssize_t>(piece.size()));
      pump.read_some(reading.get(), false);
    }
    writing.reset();
    pump.finish(reading.get(), false);
    return texts();
  }
  int error() const { return error_; }
  const TempFolder& folder() const { return folder_; }

 private:
  /// "F text" or "P text" for each line.
  std::string texts() const {
    std::istringstream lines(testing::read_file(folder_.path() + "/pods/p/log"));
    std::string all;
    for (std::string line; std::getline(lines, line);) all += line.substr(kLogPrefixBytes - 2) + "\n";
    return all;
  }
  TempFolder folder_;
  std::int32_t error_ = 0;
};

struct PumpCase {
  std::string name;
  std::vector<std::string> pieces;
  std::string lines;
};

class Pump : public ::testing::TestWithParam<PumpCase> {};

TEST_P(Pump, Writes) {
  Pumped pumped;
  EXPECT_EQ(pumped.of(GetParam().pieces), GetParam().lines);
  EXPECT_EQ(pumped.error(), 0);
}

INSTANTIATE_TEST_SUITE_P(Output, Pump,
                         ::testing::Values(PumpCase{"NothingMakesNoLog", {}, ""}, PumpCase{"ALine", {"a\n"}, "F a\n"},
                                           PumpCase{"EmptyLines", {"\n\n"}, "F \nF \n"},
                                           PumpCase{"LinesAtOnce", {"a\nb\nc\n"}, "F a\nF b\nF c\n"},
                                           PumpCase{"ALineInPieces", {"a", "b", "c\nd\n"}, "F abc\nF d\n"},
                                           PumpCase{"AnEndWithoutNewlineIsPartial", {"a\nb"}, "F a\nP b\n"},
                                           PumpCase{"ALongLineIsSplit",
                                                    {std::string(kMostLineBytes, 'x') + std::string(10, 'y') + "\n"},
                                                    "P " + std::string(kMostLineBytes, 'x') + "\nF yyyyyyyyyy\n"},
                                           PumpCase{"ALineOfTheGreatestLengthIsNot",
                                                    {std::string(kMostLineBytes, 'x') + "\n"},
                                                    "F " + std::string(kMostLineBytes, 'x') + "\n"},
                                           PumpCase{"BytesAreKeptAsTheyAre",
                                                    {std::string("a\0\xff\r", 4) + "\n"},
                                                    std::string("F a\0\xff\r\n", 7)}),
                         [](const auto& test) { return test.param.name; });

TEST(OutputPump, MoreLinesThanFitAtOnce) {
  std::string text;
  std::string lines;
  for (int i = 0; i < 4000; ++i) {
    text += fmt::format("{}\n", i);
    lines += fmt::format("F {}\n", i);
  }
  std::vector<std::string> pieces;
  for (std::size_t at = 0; at < text.size(); at += 8000) pieces.push_back(text.substr(at, 8000));
  EXPECT_TRUE(Pumped().of(pieces) == lines);
}

TEST(OutputPump, AFullDiskDropsTheRestAndSaysWhy) {
  ::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{60, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  Pumped pumped;
  const std::string lines = pumped.of({"first\n", "second\n", "third\n"});
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(pumped.error(), EFBIG);
  EXPECT_EQ(lines, "F first\n");
}

TEST(OutputPump, ALogThatCannotBeMadeIsTold) {
  Pumped pumped;
  std::filesystem::create_directories(pumped.folder().path() + "/pods/p/log");
  pumped.of({"text\n"});
  EXPECT_EQ(pumped.error(), EISDIR);
}

}  // namespace
}  // namespace tiphys::node
