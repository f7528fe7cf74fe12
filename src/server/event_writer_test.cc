#include "server/event_writer.h"

#include <gtest/gtest.h>

#include "base/simulated_executor.h"

namespace tiphys::server {
namespace {

class Kept final : public Responder {
 public:
  void reply(AnswerHead, std::string) override {}
  void begin_stream(AnswerHead) override {}
  void write(std::string chunk) override { written.push_back(std::move(chunk)); }
  void bound_lag() override {}
  void end_stream(HeaderFields) override {}
  void break_off() override {}
  void upgrade(std::string, std::unique_ptr<Speaker>) override {}
  void hold(std::unique_ptr<cluster::Watch>) override {}

  std::vector<std::string> written;
};

std::string line(std::string_view object) {
  return R"({"type":"ADDED","object":)" + std::string(object) + "}\n";
}

class EventWriterTest : public testing::Test {
 protected:
  /// Lines from `first` on, without time in between.
  std::string write(int first, int count) {
    std::string lines;
    for (int i = first; i < first + count; ++i) {
      writer_.write("ADDED", std::to_string(i));
      lines += line(std::to_string(i));
    }
    return lines;
  }
  /// Until all timers have run.
  void run() {
    while (executor_.step()) continue;
  }
  std::size_t writes() const { return to_->written.size(); }

  static constexpr std::size_t kAtOnce = EventWriter::kAtOnce;
  SimulatedExecutor executor_;
  std::shared_ptr<Kept> to_ = std::make_shared<Kept>();
  EventWriter writer_{executor_, to_};
};

TEST_F(EventWriterTest, AFewLinesGoAtOnceAndThoseThatFollowThemGoTogether) {
  write(0, kAtOnce);
  EXPECT_EQ(writes(), kAtOnce);
  const std::string more = write(kAtOnce, 3);
  EXPECT_EQ(writes(), kAtOnce);
  executor_.step();
  ASSERT_EQ(writes(), kAtOnce + 1);
  EXPECT_EQ(to_->written.back(), more);
}

TEST_F(EventWriterTest, AsLongAsTheyComeTheyGather) {
  write(0, kAtOnce);
  for (int turn = 0; turn < 5; ++turn) {
    const std::string lines = write(100 * turn, 2);
    executor_.step();
    EXPECT_EQ(to_->written.back(), lines);
  }
  EXPECT_EQ(writes(), kAtOnce + 5);
}

TEST_F(EventWriterTest, AfterAPauseOneGoesAtOnce) {
  write(0, kAtOnce + 1);
  executor_.step();  // writes
  executor_.step();  // has nothing to write
  write(0, 2);
  EXPECT_EQ(writes(), kAtOnce + 2);
}

TEST_F(EventWriterTest, NoTimerRunsWhenAllIsAsAtTheBeginning) {
  write(0, kAtOnce + 5);
  run();
  EXPECT_EQ(writes(), kAtOnce + 1);
  write(0, kAtOnce + 1);
  EXPECT_EQ(writes(), 2 * kAtOnce + 1);
}

TEST_F(EventWriterTest, MuchDoesNotWait) {
  write(0, kAtOnce);
  const std::string large = '"' + std::string(100'000, 'x') + '"';
  writer_.write("ADDED", large);
  EXPECT_EQ(to_->written.back(), line(large));
}

TEST_F(EventWriterTest, AnEndDoesNotWait) {
  write(0, kAtOnce);
  const std::string last = write(0, 2);
  writer_.flush();
  EXPECT_EQ(to_->written.back(), last);
  run();
  EXPECT_EQ(writes(), kAtOnce + 1);
}

TEST_F(EventWriterTest, APeerThatHasGoneIsLeftAlone) {
  write(0, kAtOnce + 1);
  to_.reset();
  run();
}

}  // namespace
}  // namespace tiphys::server
