#include "node/supervisor/supervisor_protocol.h"

#include <gtest/gtest.h>

namespace tiphys::node {
namespace {

std::string_view body_of(const std::string& frame) {
  std::string_view rest = frame;
  const auto taken = take_frame(rest);
  EXPECT_TRUE(taken && *taken && rest.empty());
  return (**taken).body;
}

StartRequest full_request() {
  StartRequest request;
  request.id = "uid.main";
  request.dir = "/data/pods/uid/main";
  request.argv = {"sh", "-c", std::string("a\0b", 3)};
  request.env = {"A=1", "B="};
  request.working_dir = "/w";
  request.mounts = {{"/host", "/inside", true}, {"/h2", "/i2", false}};
  request.hostname = "pod";
  request.memory_bytes = 1LL << 40;
  request.cpus = 1.5;
  request.uid = 0;
  request.gid = 4'000'000'000u;
  request.read_only_root = true;
  request.ends_with_client = true;
  return request;
}

TEST(SupervisorProtocol, AStartRequestSurvives) {
  const std::string frame = start_frame(full_request());
  const auto parsed = parse_start(body_of(frame));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(start_frame(*parsed), frame);
  EXPECT_EQ(parsed->mounts.size(), 2u);
  EXPECT_EQ(parsed->gid, 4'000'000'000u);
  EXPECT_TRUE(parsed->ends_with_client);
  // As a client of an earlier version has it.
  const auto earlier = parse_start(body_of(frame).substr(0, body_of(frame).size() - 1));
  ASSERT_TRUE(earlier);
  EXPECT_FALSE(earlier->ends_with_client);
}

TEST(SupervisorProtocol, AnOutcomeSurvives) {
  StepOutcome outcome{
      true, Code::kNotFound, {127, 9, "StartError", "why", Time{}, Time{std::chrono::seconds(5)}}, false};
  const std::string frame = outcome_frame("id", outcome);
  const auto parsed = parse_outcome(body_of(frame));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(outcome_frame(parsed->id, parsed->outcome), frame);
  // As a journal of an earlier version has it.
  const auto earlier = parse_outcome(body_of(frame).substr(0, body_of(frame).size() - 1));
  ASSERT_TRUE(earlier);
  EXPECT_TRUE(earlier->outcome.has_root);
}

TEST(SupervisorProtocol, FramesAreTakenWholeOrNotAtAll) {
  const std::string frames = stop_frame("id", std::chrono::seconds(3)) + list_frame();
  for (std::size_t size = 0; size < frames.size(); ++size) {
    std::string_view rest = std::string_view(frames).substr(0, size);
    int count = 0;
    for (;;) {
      const auto frame = take_frame(rest);
      ASSERT_TRUE(frame);
      if (!*frame) break;
      ++count;
    }
    EXPECT_LE(count, 1);
  }
}

TEST(SupervisorProtocol, ATooLongFrameIsAnError) {
  const std::string bytes = "\xff\xff\xff\x7f....";
  std::string_view rest = bytes;
  EXPECT_EQ(take_frame(rest).error().code, Code::kDataLoss);
}

TEST(SupervisorProtocol, CutBodiesAreErrors) {
  const std::string frame = start_frame(full_request());
  const std::string_view body = body_of(frame);
  // The last field is one that an earlier version lacks.
  for (std::size_t size = 0; size + 1 < body.size(); ++size) EXPECT_FALSE(parse_start(body.substr(0, size))) << size;
}

TEST(SupervisorProtocol, FieldsOfLaterVersionsAreIgnored) {
  const std::string frame = stop_frame("id", std::chrono::seconds(3));
  const std::string longer = std::string(body_of(frame)) + "more";
  const auto parsed = parse_stop(longer);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->grace, std::chrono::seconds(3));
}

}  // namespace
}  // namespace tiphys::node
