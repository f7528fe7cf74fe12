#include "node/supervisor/supervisor_journal.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <random>

#include "node/testing.h"

namespace tiphys::node {
namespace {

using ::testing::HasSubstr;
using testing::read_file;
using testing::TempFolder;

const Time kNow{std::chrono::seconds(1'700'000'000)};

StepOutcome exited(int code, std::string message = "") {
  StepOutcome outcome;
  outcome.exit.exit_code = code;
  outcome.exit.reason = code == 0 ? "Completed" : "Error";
  outcome.exit.message = std::move(message);
  outcome.exit.started_at = kNow;
  outcome.exit.finished_at = kNow + std::chrono::seconds(1);
  return outcome;
}

class JournalTest : public ::testing::Test {
 protected:
  SupervisorJournal open(const std::string& boot = "boot-1") {
    auto journal = SupervisorJournal::open(folder_fd_.get(), "journal", boot, kNow);
    if (!journal) throw std::runtime_error(journal.error().message);
    return std::move(*journal);
  }
  std::string path() const { return folder_.path() + "/journal"; }

  TempFolder folder_;
  UniqueFd folder_fd_{::open(folder_.path().c_str(), O_RDONLY | O_DIRECTORY)};
};

TEST_F(JournalTest, KeepsWhatWasWritten) {
  {
    auto journal = open();
    ASSERT_TRUE(journal.started("a", kNow));
    ASSERT_TRUE(journal.started("b", kNow));
    ASSERT_TRUE(journal.ended("a", exited(3, "why")));
    ASSERT_TRUE(journal.ended("b", exited(0)));
    journal.forgotten("b");
    ASSERT_TRUE(journal.sync());
  }
  const auto journal = open();
  ASSERT_EQ(journal.steps().size(), 1u);
  const JournalStep* a = journal.find("a");
  ASSERT_TRUE(a && a->outcome);
  EXPECT_EQ(a->started_at, kNow);
  EXPECT_EQ(a->outcome->exit.exit_code, 3);
  EXPECT_EQ(a->outcome->exit.message, "why");
  EXPECT_EQ(a->outcome->exit.finished_at, kNow + std::chrono::seconds(1));
}

TEST_F(JournalTest, AnotherBootSaysThatTheMachineRestarted) {
  ASSERT_TRUE(open().started("a", kNow));
  const auto journal = open("boot-2");
  const auto& outcome = journal.find("a")->outcome;
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->exit.reason, "ContainerStatusUnknown");
  EXPECT_EQ(outcome->exit.exit_code, 137);
  EXPECT_THAT(outcome->exit.message, HasSubstr("the machine was restarted"));
}

TEST_F(JournalTest, TheSameBootSaysThatTheSupervisorEnded) {
  ASSERT_TRUE(open().started("a", kNow));
  const auto journal = open();
  EXPECT_THAT(journal.find("a")->outcome->exit.message, HasSubstr("the supervisor was ended"));
}

TEST_F(JournalTest, AVanishedStepIsToldOnce) {
  ASSERT_TRUE(open().started("a", kNow));
  ASSERT_TRUE(open("boot-2").find("a")->outcome);
  const auto journal = open("boot-3");
  EXPECT_THAT(journal.find("a")->outcome->exit.message, HasSubstr("the machine was restarted"));
}

TEST_F(JournalTest, LongMessagesAreCut) {
  auto journal = open();
  ASSERT_TRUE(journal.started("a", kNow));
  ASSERT_TRUE(journal.ended("a", exited(1, std::string(100'000, 'm'))));
  EXPECT_LE(journal.find("a")->outcome->exit.message.size(), 1024u);
}

TEST_F(JournalTest, LongIdsAreRefused) {
  EXPECT_EQ(open().started(std::string(1000, 'i'), kNow).error().code, Code::kInvalidArgument);
}

/// Cut or spoilt anywhere, the journal gives a prefix of what was written, and takes new records after it.
TEST_F(JournalTest, AnyTornEndIsCutOff) {
  {
    auto journal = open();
    for (int i = 0; i < 20; ++i) {
      ASSERT_TRUE(journal.started(fmt::format("s{}", i), kNow));
      ASSERT_TRUE(journal.ended(fmt::format("s{}", i), exited(i)));
    }
  }
  const std::string whole = read_file(path());
  const std::size_t used = whole.find_last_not_of('\0') + 1;
  const unsigned seed = std::random_device()();
  SCOPED_TRACE(fmt::format("seed {}", seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    std::string bytes = whole;
    const std::size_t at = random() % used;
    if (round % 2 == 0) {
      bytes.resize(at);
    } else {
      bytes[at] = static_cast<char>(bytes[at] ^ (1 + random() % 255));
    }
    std::filesystem::remove(path());
    testing::write_file(path(), bytes);
    std::size_t known = 0;
    {
      auto journal = open();
      known = journal.steps().size();
      for (std::size_t i = 0; i < known; ++i) {
        const JournalStep* step = journal.find(fmt::format("s{}", i));
        ASSERT_TRUE(step && step->outcome);
        EXPECT_TRUE(step->outcome->exit.exit_code == static_cast<int>(i) || i + 1 == known);
      }
      ASSERT_TRUE(journal.started("new", kNow));
      ASSERT_TRUE(journal.ended("new", exited(77)));
    }
    auto journal = open();
    ASSERT_EQ(journal.steps().size(), known + 1);
    EXPECT_EQ(journal.find("new")->outcome->exit.exit_code, 77);
  }
}

TEST_F(JournalTest, IsRewrittenWhenMostIsForgotten) {
  auto journal = open();
  ASSERT_TRUE(journal.started("kept", kNow));
  for (int i = 0; i < 30'000; ++i) {
    const std::string id = fmt::format("step-with-a-name-of-some-length-{}", i);
    ASSERT_TRUE(journal.started(id, kNow));
    ASSERT_TRUE(journal.ended(id, exited(0)));
    journal.forgotten(id);
    if (i % 1000 == 0) {
      ASSERT_TRUE(journal.sync());
    }
  }
  ASSERT_TRUE(journal.sync());
  EXPECT_LT(std::filesystem::file_size(path()), 3u * 1024 * 1024);
  EXPECT_FALSE(std::filesystem::exists(path() + ".new"));
  EXPECT_EQ(open().steps().size(), 1u);
}

TEST_F(JournalTest, RoomForTheEndsOfAllStepsIsSetAside) {
  auto journal = open();
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(journal.started(fmt::format("s{}", i), kNow));
  ASSERT_TRUE(journal.sync());
  const auto before = std::filesystem::file_size(path());
  for (int i = 0; i < 500; ++i) ASSERT_TRUE(journal.ended(fmt::format("s{}", i), exited(1, std::string(2000, 'm'))));
  EXPECT_EQ(std::filesystem::file_size(path()), before);
}

}  // namespace
}  // namespace tiphys::node
