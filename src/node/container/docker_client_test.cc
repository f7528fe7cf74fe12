#include "node/container/docker_client.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <future>

#include "node/container/docker_fake_engine.h"

namespace tiphys::node {
namespace {

using testing::answer;
using testing::chunked;
using testing::FakeEngine;
using testing::FakeReply;
using testing::FakeRequest;

/// One call, to its end.
Result<EngineReply> call(const std::string& socket, EngineRequest request,
                         std::shared_ptr<EngineCall> control = nullptr) {
  boost::asio::io_context context;
  const DockerClient client(socket);
  std::optional<Result<EngineReply>> reply;
  auto task = [&]() -> Async<void> { reply = co_await client.call(std::move(request), std::move(control)); };
  boost::asio::co_spawn(context, task(), boost::asio::detached);
  context.run();
  return *reply;
}

EngineRequest get(std::string target) {
  EngineRequest request;
  request.target = std::move(target);
  return request;
}

struct ReplyRow {
  std::string rule;
  FakeReply reply;
  Code code;  ///< kUnknown: no error
  std::string text;
};
class Replies : public ::testing::TestWithParam<ReplyRow> {};
TEST_P(Replies, BecomeResults) {
  const ReplyRow& row = GetParam();
  for (const std::size_t piece : {std::size_t{1}, std::size_t{1} << 16}) {
    FakeEngine engine([&](const FakeRequest&) { return FakeReply{row.reply.bytes, piece}; });
    const auto reply = call(engine.socket(), get("/x"));
    if (row.code == Code::kUnknown) {
      ASSERT_TRUE(reply) << reply.error().message;
      EXPECT_EQ(reply->body, row.text);
    } else {
      ASSERT_FALSE(reply);
      EXPECT_EQ(code_name(reply.error().code), code_name(row.code));
      EXPECT_NE(reply.error().message.find(row.text), std::string::npos) << reply.error().message;
    }
  }
}
INSTANTIATE_TEST_SUITE_P(
    DockerClient, Replies,
    ::testing::Values(
        ReplyRow{"whole_body", answer(200, "body"), Code::kUnknown, "body"},
        ReplyRow{"no_body", {"HTTP/1.1 204 No Content\r\n\r\n"}, Code::kUnknown, ""},
        ReplyRow{"not_modified", {"HTTP/1.1 304 Not Modified\r\n\r\n"}, Code::kUnknown, ""},
        ReplyRow{"chunks", chunked({"a", "bc", std::string(5000, 'd')}), Code::kUnknown,
                 "abc" + std::string(5000, 'd')},
        ReplyRow{"body_to_the_end", {"HTTP/1.0 200 OK\r\n\r\nuntil it closes"}, Code::kUnknown, "until it closes"},
        ReplyRow{"not_found_of_dockerd", answer(404, R"({"message":"No such container: x"})"), Code::kNotFound,
                 "No such container: x"},
        ReplyRow{"not_found_of_podman",
                 answer(404, R"({"cause":"no such container","message":"no container x","response":404})"),
                 Code::kNotFound, "no container x"},
        ReplyRow{"conflict", answer(409, R"({"message":"in use"})"), Code::kAlreadyExists, "in use"},
        ReplyRow{"bad_request", answer(400, R"({"message":"bad"})"), Code::kInvalidArgument, "bad"},
        ReplyRow{"server_error_in_plain_text", answer(500, "oops\n"), Code::kInternal, "oops"},
        ReplyRow{"server_error_without_words", answer(500, ""), Code::kInternal, "status 500"},
        ReplyRow{"closed_without_an_answer", {""}, Code::kUnavailable, "does not answer"},
        ReplyRow{"closed_in_the_head", {"HTTP/1.1 200 O"}, Code::kUnavailable, "does not answer"},
        ReplyRow{"closed_in_the_body", {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"}, Code::kUnavailable, ""},
        ReplyRow{"closed_between_chunks", chunked({"a"}, false), Code::kUnavailable, ""},
        ReplyRow{"not_http", {"SSH-2.0-OpenSSH_9.2\r\n\r\n"}, Code::kUnavailable, ""}),
    [](const auto& row) { return row.param.rule; });

TEST(DockerClient, SendsMethodTargetAndBody) {
  FakeEngine engine(
      [](const FakeRequest& request) { return answer(200, request.method + request.target + request.body); });
  EngineRequest request;
  request.method = "POST";
  request.target = "/containers/create?name=x";
  request.body = "{}";
  EXPECT_EQ(call(engine.socket(), request)->body, "POST/containers/create?name=x{}");
}

TEST(DockerClient, SendsAFile) {
  artifact::testing::TempFolder temp;
  artifact::testing::write_file(temp / "tar", std::string(300'000, 't'));
  FakeEngine engine([](const FakeRequest& request) { return answer(200, std::to_string(request.body.size())); });
  EngineRequest request;
  request.method = "PUT";
  request.target = "/x";
  request.body_file = temp / "tar";
  EXPECT_EQ(call(engine.socket(), request)->body, "300000");
  request.body_file = temp / "none";
  EXPECT_EQ(call(engine.socket(), request).error().code, Code::kInternal);
}

TEST(DockerClient, TellsPodmanByItsHeader) {
  FakeEngine engine([](const FakeRequest& request) {
    return answer(200, "OK", request.is("GET", "podman") ? "Libpod-Api-Version: 4.3.1\r\n" : "");
  });
  EXPECT_EQ(call(engine.socket(), get("/podman"))->libpod_version, "4.3.1");
  EXPECT_EQ(call(engine.socket(), get("/dockerd"))->libpod_version, "");
}

TEST(DockerClient, NobodyListening) {
  const auto reply = call("/nonexistent/engine.sock", get("/x"));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::kUnavailable);
  EXPECT_NE(reply.error().message.find("/nonexistent/engine.sock"), std::string::npos);
}

TEST(DockerClient, AnAnswerThatDoesNotComeInTime) {
  std::promise<void> over;
  FakeEngine engine([&](const FakeRequest&) {
    over.get_future().wait();
    return FakeReply{};
  });
  EngineRequest request = get("/x");
  request.patience = std::chrono::milliseconds{1};
  const auto reply = call(engine.socket(), request);
  over.set_value();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Code::kUnavailable);
  EXPECT_NE(reply.error().message.find("in time"), std::string::npos);
}

TEST(DockerClient, ACallCanBeEndedFromItsOwnSink) {
  FakeEngine engine([](const FakeRequest&) { return chunked(std::vector<std::string>(1000, std::string(1000, 'x'))); });
  boost::asio::io_context context;
  const DockerClient client(engine.socket());
  const auto control = std::make_shared<EngineCall>();
  std::optional<Result<EngineReply>> reply;
  DockerClient::Sink sink = [&](std::string_view) -> Status {
    control->cancel();
    return {};
  };
  auto task = [&]() -> Async<void> { reply = co_await client.stream(get("/logs"), sink, control); };
  boost::asio::co_spawn(context, task(), boost::asio::detached);
  context.run();
  ASSERT_FALSE(*reply);
  EXPECT_EQ(reply->error().code, Code::kCancelled);
  EXPECT_EQ(call(engine.socket(), get("/x"), control).error().code, Code::kCancelled) << "ended before it began";
}

TEST(DockerClient, AnErrorOfTheSinkEndsTheCall) {
  FakeEngine engine([](const FakeRequest&) { return chunked({"a", "b"}); });
  boost::asio::io_context context;
  const DockerClient client(engine.socket());
  std::optional<Result<EngineReply>> reply;
  DockerClient::Sink sink = [](std::string_view) { return Status(fail(Code::kResourceExhausted, "disk full")); };
  auto task = [&]() -> Async<void> { reply = co_await client.stream(get("/logs"), sink); };
  boost::asio::co_spawn(context, task(), boost::asio::detached);
  context.run();
  ASSERT_FALSE(*reply);
  EXPECT_EQ(reply->error().message, "disk full");
}

}  // namespace
}  // namespace tiphys::node
