#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <optional>

#include "argo/ask.h"
#include "http/http2_testing.h"
#include "schema/protobuf.h"
#include "server/argo/grpc_frames.h"
#include "server/argo_client.h"

namespace tiphys::server {
namespace {

using http::Http2Answer;
using http::SeenHttp2Request;
using testing::HasSubstr;
using Then = Http2Answer::Then;

const http::Fields kHead{{":status", "200"}, {"content-type", "application/grpc"}};
const http::Fields kOk{{"grpc-status", "0"}};

std::string message(const schema::Type& type, std::string_view json) {
  return schema::encode_message(type, doc::parse_json(json).value()).value();
}

/// A frame of the response of a method.
std::string framed(const char* service, const char* method, std::string_view json) {
  return grpc_frame(message(*argo::find_method(service, method)->response, json));
}

Http2Answer answer(std::vector<std::string> parts, http::Fields trailers = kOk) {
  return {.fields = kHead, .parts = std::move(parts), .trailers = std::move(trailers)};
}

class ArgoGrpcClientTest : public testing::Test {
 protected:
  void serve(http::Http2Server::Script script) {
    server_.emplace(context_, std::move(script));
    services_ = make_argo_client(context_, {.endpoint = {.unix_path = {}, .host = "127.0.0.1", .port = server_->port()},
                                            .grpc = true,
                                            .base_path = "/below",
                                            .headers = {{"Authorization", "Bearer t"}}});
  }
  void run_until(const std::function<bool()>& done) {
    context_.restart();
    while (!done()) ASSERT_NE(context_.run_one_for(std::chrono::seconds(20)), 0U) << "nothing happened";
  }
  Result<doc::Value> ask(const char* service, const char* method, doc::Object request) {
    std::optional<Result<doc::Value>> told;
    argo::ask(*services_, service, method, std::move(request),
              [&](Result<doc::Value> result) { told = std::move(result); });
    run_until([&] { return told.has_value(); });
    return told ? std::move(*told) : fail(Code::kInternal, "no answer");
  }

  boost::asio::io_context context_;
  std::optional<http::Http2Server> server_;
  std::unique_ptr<argo::Services> services_;
};

TEST_F(ArgoGrpcClientTest, messages_go_both_ways) {
  serve([](const SeenHttp2Request&) {
    return answer({framed(argo::kWorkflowService, "GetWorkflow", R"({"metadata": {"name": "a"}})")});
  });
  const auto got = ask(argo::kWorkflowService, "GetWorkflow", {{"namespace", "n"}, {"name", "a"}});
  ASSERT_TRUE(got) << got.error().message;
  EXPECT_EQ(doc::find_string(*got, "metadata", "name"), "a");
  const auto again = ask(argo::kWorkflowService, "GetWorkflow", {{"namespace", "n"}, {"name", "a"}});
  EXPECT_TRUE(again);
  EXPECT_EQ(server_->connections(), 1);
  const SeenHttp2Request& seen = server_->seen().front();
  EXPECT_EQ(seen.fields.at(":method"), "POST");
  EXPECT_EQ(seen.fields.at(":path"), "/workflow.WorkflowService/GetWorkflow") << "below no path";
  EXPECT_EQ(seen.fields.at("content-type"), "application/grpc");
  EXPECT_EQ(seen.fields.at("te"), "trailers");
  EXPECT_EQ(seen.fields.at("authorization"), "Bearer t");
  const auto* method = argo::find_method(argo::kWorkflowService, "GetWorkflow");
  const std::string asked = read_grpc_message(seen.body, "", kMostGrpcMessageBytes).value();
  const doc::Value request = schema::decode_message(*method->request, asked).value();
  EXPECT_EQ(request, doc::parse_json(R"({"namespace": "n", "name": "a"})").value());
}

struct AnswerCase {
  const char* rule;
  Http2Answer answer;
  Code code;
  const char* message;
};

TEST_F(ArgoGrpcClientTest, errors_say_what_the_server_said) {
  const std::string version = framed(argo::kInfoService, "GetVersion", R"({"version": "v4"})");
  const auto with = [](http::Fields more) {
    http::Fields fields = kHead;
    fields.insert(fields.end(), more.begin(), more.end());
    return fields;
  };
  const auto page = [](const char* code, const char* text, const char* type = "text/html") {
    return Http2Answer{.fields = {{":status", code}, {"content-type", type}}, .parts = {text}};
  };
  std::string endless = version;
  endless[1] = '\x7f';
  std::string packed = version;
  packed[0] = 1;
  const AnswerCase cases[] = {
      {"nothing but a status",
       {.fields = with({{"grpc-status", "5"}, {"grpc-message", "not%20found"}})},
       Code::kNotFound,
       "not found"},
      {"a status behind messages", answer({version}, {{"grpc-status", "7"}, {"grpc-message", "no"}}),
       Code::kPermissionDenied, "no"},
      {"a message that is not escaped", answer({}, {{"grpc-status", "3"}, {"grpc-message", "100%"}}),
       Code::kInvalidArgument, "100%"},
      {"a code that nobody knows", answer({}, {{"grpc-status", "99"}, {"grpc-message", "x"}}), Code::kUnknown, "x"},
      {"no status", {.fields = kHead, .parts = {version}}, Code::kInternal, "without its status"},
      {"a status that is none", answer({version}, {{"grpc-status", "fine"}}), Code::kInternal, "without its status"},
      {"no message", answer({}), Code::kInternal, "no message"},
      {"two messages", answer({version, version}), Code::kInternal, "several messages"},
      {"half a message", answer({version.substr(0, 7)}), Code::kInternal, "in the midst"},
      {"half a prefix", answer({version, std::string(2, '\0')}), Code::kInternal, "in the midst"},
      {"too large", answer({endless}), Code::kResourceExhausted, "larger than max"},
      {"compressed by nothing", answer({packed}), Code::kInternal, "compressed flag"},
      {"no message of the method", answer({grpc_frame("\xff\xff")}), Code::kInternal, "cannot be read"},
      {"a stream that is reset",
       {.fields = kHead, .parts = {version}, .then = Then::kReset},
       Code::kUnavailable,
       "broke the answer off"},
      {"a page in place of an answer", page("200", "<!doctype html>"), Code::kUnimplemented, "a page that is not"},
      {"what passes no gRPC", page("404", "404 page not found\n", "text/plain"), Code::kUnimplemented,
       "not by gRPC: HTTP 404: 404 page not found"},
      {"a proxy without its server", page("502", "<html>"), Code::kUnavailable, "HTTP 502"},
      {"another token", page("401", ""), Code::kUnauthenticated, "token"},
      {"forbidden by what is before it", page("403", R"({"message": "no way"})"), Code::kPermissionDenied, "no way"},
  };
  for (const AnswerCase& row : cases) {
    serve([&](const SeenHttp2Request&) { return row.answer; });
    const auto told = ask(argo::kInfoService, "GetVersion", {});
    ASSERT_FALSE(told) << row.rule;
    EXPECT_EQ(told.error().code, row.code) << row.rule << ": " << told.error().message;
    EXPECT_THAT(told.error().message, HasSubstr(row.message)) << row.rule;
  }
}

struct StreamCase {
  const char* rule;
  Http2Answer answer;
  std::vector<std::string> names;
  std::optional<Code> error;
};

TEST_F(ArgoGrpcClientTest, streams_are_frames) {
  const auto event = [](const char* name) {
    return framed(argo::kWorkflowService, "WatchWorkflows",
                  fmt::format(R"({{"type": "ADDED", "object": {{"metadata": {{"name": "{}"}}}}}})", name));
  };
  const std::string both = event("a") + event("b");
  const StreamCase cases[] = {
      {"messages", answer({event("a"), event("b")}), {"a", "b"}, std::nullopt},
      {"several in a frame of HTTP/2", answer({both}), {"a", "b"}, std::nullopt},
      {"cut anywhere", answer({both.substr(0, 3), both.substr(3, 9), both.substr(12)}), {"a", "b"}, std::nullopt},
      {"none", answer({}), {}, std::nullopt},
      {"an error behind them", answer({event("a")}, {{"grpc-status", "7"}}), {"a"}, Code::kPermissionDenied},
      {"refused",
       {.fields = {{":status", "200"}, {"content-type", "application/grpc"}, {"grpc-status", "5"}}},
       {},
       Code::kNotFound},
      {"cut off", {.fields = kHead, .parts = {event("a")}, .then = Then::kReset}, {"a"}, Code::kUnavailable},
  };
  for (const StreamCase& row : cases) {
    serve([&](const SeenHttp2Request&) { return row.answer; });
    std::vector<std::string> names;
    std::optional<Status> ended;
    const auto stream = argo::listen(*services_, argo::kWorkflowService, "WatchWorkflows", {{"namespace", "n"}},
                                     {[&](const doc::Value& message) {
                                        names.emplace_back(doc::find_string(message.at("object"), "metadata", "name"));
                                      },
                                      [&](Status status) { ended = std::move(status); }});
    run_until([&] { return ended.has_value(); });
    EXPECT_EQ(names, row.names) << row.rule;
    ASSERT_TRUE(ended) << row.rule;
    EXPECT_EQ(*ended ? std::nullopt : std::optional(ended->error().code), row.error) << row.rule;
  }
}

TEST_F(ArgoGrpcClientTest, a_stream_ends_with_its_reader) {
  const std::string line = framed(argo::kWorkflowService, "WorkflowLogs", R"({"content": "x"})");
  serve([&](const SeenHttp2Request&) {
    return Http2Answer{.fields = kHead, .parts = {line + line}, .then = Then::kHold};
  });
  std::unique_ptr<cluster::Watch> stream;
  int messages = 0;
  stream = argo::listen(*services_, argo::kWorkflowService, "WorkflowLogs", {{"namespace", "n"}, {"name", "a"}},
                        {[&](const doc::Value&) {
                           ++messages;
                           stream.reset();
                         },
                         [](const Status&) { FAIL() << "nobody listens"; }});
  run_until([&] { return server_->cancelled() == 1; });
  EXPECT_EQ(messages, 1);
}

TEST_F(ArgoGrpcClientTest, a_call_outlives_its_client) {
  serve([](const SeenHttp2Request&) {
    return answer({framed(argo::kInfoService, "GetVersion", R"({"version": "v4"})")});
  });
  std::optional<Result<doc::Value>> told;
  argo::ask(*services_, argo::kInfoService, "GetVersion", {},
            [&](Result<doc::Value> result) { told = std::move(result); });
  services_.reset();
  run_until([&] { return told.has_value(); });
  EXPECT_EQ(doc::find_string(told->value(), "version"), "v4");
}

}  // namespace
}  // namespace tiphys::server
