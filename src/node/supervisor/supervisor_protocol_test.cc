#include "node/supervisor/supervisor_protocol.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>

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
  request.held = {{"/etc/hosts", {{"", "127.0.0.1\tlocalhost\n"}}},
                  {"/run/token", {{"token", "secret", 0400}, {"ca", ""}}}};
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
  EXPECT_EQ(parsed->held, full_request().held);
}

/// The last fields are ones that earlier versions lack: whether it ends with its client, and held files.
std::string_view without_later_fields(std::string_view body, int versions) {
  const std::size_t count_of_held = sizeof(std::uint32_t);
  return body.substr(0, body.size() - count_of_held - (versions > 1 ? 1 : 0));
}

TEST(SupervisorProtocol, AStartRequestOfAnEarlierClientIsRead) {
  StartRequest request = full_request();
  request.held.clear();
  const std::string frame = start_frame(request);
  const auto one_before = parse_start(without_later_fields(body_of(frame), 1));
  ASSERT_TRUE(one_before);
  EXPECT_TRUE(one_before->ends_with_client);
  EXPECT_TRUE(one_before->held.empty());
  const auto two_before = parse_start(without_later_fields(body_of(frame), 2));
  ASSERT_TRUE(two_before);
  EXPECT_FALSE(two_before->ends_with_client);
}

TEST(SupervisorProtocol, NewContentOfFilesSurvives) {
  const HeldFiles files{"/run/token", {{"token", "new", 0400}}};
  const std::string frame = renew_frame("uid.main", files);
  const auto parsed = parse_renew(body_of(frame));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->id, "uid.main");
  EXPECT_EQ(parsed->files, files);
  EXPECT_FALSE(parse_renew(body_of(frame).substr(0, body_of(frame).size() - 1)));
}

TEST(SupervisorProtocol, TheInterpreterOfAStartRequestSurvives) {
  StartRequest request = full_request();
  request.python = {"/usr/bin/python3", "1:2:3;", {"numpy", "json.tool"}, {"/home/u/env"}};
  const std::string frame = start_frame(request);
  const auto parsed = parse_start(body_of(frame));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->python, request.python);
  const std::size_t without = body_of(start_frame(full_request())).size();
  for (std::size_t size = without + 1; size < body_of(frame).size(); ++size) {
    EXPECT_FALSE(parse_start(body_of(frame).substr(0, size))) << size;
  }
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
  StartRequest earlier = full_request();
  earlier.held.clear();
  const std::string earlier_frame = start_frame(earlier);
  const std::size_t whole[] = {without_later_fields(body_of(earlier_frame), 1).size(),
                               without_later_fields(body_of(earlier_frame), 2).size()};
  for (std::size_t size = 0; size < body.size(); ++size) {
    if (std::ranges::find(whole, size) != std::end(whole)) continue;
    EXPECT_FALSE(parse_start(body.substr(0, size))) << size;
  }
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
