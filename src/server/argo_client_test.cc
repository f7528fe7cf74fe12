#include "server/argo_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <optional>

#include "argo/ask.h"
#include "http/testing.h"

namespace tiphys::server {
namespace {

using testing::HasSubstr;

class ArgoClientTest : public testing::Test {
 protected:
  void serve(http::ScriptedServer::Script script) {
    scripted_.emplace(context_, std::move(script));
    services_ =
        make_argo_client(context_, {.endpoint = {.unix_path = {}, .host = "127.0.0.1", .port = scripted_->port()},
                                    .base_path = "/below",
                                    .headers = {{"Authorization", "Bearer t"}}});
  }
  void run_until(const std::function<bool()>& done) {
    context_.restart();
    while (!done()) ASSERT_NE(context_.run_one_for(std::chrono::seconds(20)), 0u) << "nothing happened";
  }
  Result<doc::Value> ask(const char* service, const char* method, doc::Object request) {
    std::optional<Result<doc::Value>> answer;
    argo::ask(*services_, service, method, std::move(request),
              [&](Result<doc::Value> result) { answer = std::move(result); });
    run_until([&] { return answer.has_value(); });
    return answer ? std::move(*answer) : fail(Code::kInternal, "no answer");
  }

  boost::asio::io_context context_;
  std::optional<http::ScriptedServer> scripted_;
  std::unique_ptr<argo::Services> services_;
};

struct RequestCase {
  const char* rule;
  const char *service, *method, *request;
  const char *verb, *target, *body;
};

TEST_F(ArgoClientTest, messages_become_requests) {
  serve([](const http::SeenRequest&) { return http::reply(200, "{}"); });
  const RequestCase cases[] = {
      {"what the path names is not told again", argo::kWorkflowService, "GetWorkflow",
       R"({"namespace": "n", "name": "a", "fields": "metadata.name"})", "GET",
       "/below/api/v1/workflows/n/a?fields=metadata.name", ""},
      {"no namespace is all of them", argo::kWorkflowService, "ListWorkflows", R"({"namespace": ""})", "GET",
       "/below/api/v1/workflows/", ""},
      {"members of members", argo::kWorkflowService, "ListWorkflows",
       R"({"namespace": "n", "listOptions": {"labelSelector": "a=b", "limit": 3}})", "GET",
       "/below/api/v1/workflows/n?listOptions.labelSelector=a%3Db&listOptions.limit=3", ""},
      {"lists", argo::kWorkflowService, "DeleteWorkflow",
       R"({"namespace": "n", "name": "a", "deleteOptions": {"dryRun": ["All", "b"]}, "force": true})", "DELETE",
       "/below/api/v1/workflows/n/a?force=true&deleteOptions.dryRun=All&deleteOptions.dryRun=b", ""},
      {"bodies", argo::kWorkflowService, "RetryWorkflow",
       R"({"namespace": "n", "name": "@latest", "parameters": ["a=1"]})", "PUT",
       "/below/api/v1/workflows/n/%40latest/retry", R"({"parameters":["a=1"]})"},
      {"what has no namespace", argo::kClusterTemplateService, "GetClusterWorkflowTemplate", R"({"name": "t"})", "GET",
       "/below/api/v1/cluster-workflow-templates/t", ""},
      {"names with a slash lead nowhere else", argo::kArchiveService, "DeleteArchivedWorkflow", R"({"uid": "a/b"})",
       "DELETE", "/below/api/v1/archived-workflows/a%2Fb", ""},
  };
  for (const RequestCase& row : cases) {
    ASSERT_TRUE(ask(row.service, row.method, doc::parse_json(row.request).value().as_object())) << row.rule;
    const http::SeenRequest& seen = scripted_->seen().back();
    EXPECT_EQ(seen.method, row.verb) << row.rule;
    EXPECT_EQ(seen.target, row.target) << row.rule;
    EXPECT_EQ(seen.body, row.body) << row.rule;
    EXPECT_EQ(seen.authorization, "Bearer t") << row.rule;
  }
  EXPECT_EQ(scripted_->connections(), 1) << "a connection is kept";
}

struct AnswerCase {
  const char* rule;
  unsigned code;
  const char* body;
  Code error;
  const char* message;
};

TEST_F(ArgoClientTest, errors_say_what_the_server_said) {
  const AnswerCase cases[] = {
      {"of the API", 404, R"({"code": 5, "message": "not found"})", Code::kNotFound, "not found"},
      {"of a stream of the original's", 404, R"({"error": {"grpc_code": 5, "http_code": 404, "message": "not found"}})",
       Code::kNotFound, "not found"},
      {"another token", 401, "", Code::kUnauthenticated, "token"},
      {"forbidden by what is before it", 403, R"({"message": "no way"})", Code::kPermissionDenied, "no way"},
      {"a proxy without its server", 502, "<html>", Code::kUnavailable, "HTTP 502"},
      {"another server", 404, R"({"kind": "Status", "code": 404})", Code::kUnimplemented, "does not serve Argo's API"},
      {"plain text to TLS", 400, "Client sent an HTTP request to an HTTPS server.\n", Code::kUnimplemented,
       "HTTPS server"},
      {"a page in place of an answer", 200, "<!doctype html>", Code::kUnimplemented, "a page that is not"},
  };
  for (const AnswerCase& row : cases) {
    serve([&](const http::SeenRequest&) { return http::reply(row.code, row.body); });
    const auto answer = ask(argo::kInfoService, "GetVersion", {});
    ASSERT_FALSE(answer) << row.rule;
    EXPECT_EQ(answer.error().code, row.error) << row.rule;
    EXPECT_THAT(answer.error().message, HasSubstr(row.message)) << row.rule;
  }
}

struct StreamCase {
  const char* rule;
  const char* text;
  std::vector<std::string> messages;
  std::optional<Code> error;
};

TEST_F(ArgoClientTest, streams_are_lines) {
  const StreamCase cases[] = {
      {"messages", "{\"result\":{\"a\":1}}\n\n{\"result\":{\"a\":2}}\n", {R"({"a":1})", R"({"a":2})"}, std::nullopt},
      {"an error in their midst",
       "{\"result\":{\"a\":1}}\n{\"error\":{\"grpc_code\":7,\"message\":\"no\"}}\n{\"result\":{\"a\":2}}\n",
       {R"({"a":1})"},
       Code::kPermissionDenied},
      {"what is none", "{\"result\":{\"a\":1}}\nx\n", {R"({"a":1})"}, Code::kInternal},
  };
  for (const StreamCase& row : cases) {
    serve([&](const http::SeenRequest&) { return http::reply(200, row.text); });
    std::vector<std::string> messages;
    std::optional<Status> ended;
    const auto stream = argo::listen(*services_, argo::kWorkflowService, "WatchWorkflows", {{"namespace", "n"}},
                                     {[&](const doc::Value& message) { messages.push_back(doc::to_json(message)); },
                                      [&](Status status) { ended = std::move(status); }});
    run_until([&] { return ended.has_value(); });
    EXPECT_EQ(messages, row.messages) << row.rule;
    ASSERT_TRUE(ended) << row.rule;
    EXPECT_EQ(*ended ? std::nullopt : std::optional(ended->error().code), row.error) << row.rule;
  }
}

TEST_F(ArgoClientTest, a_stream_ends_with_its_reader) {
  serve([](const http::SeenRequest&) { return http::stream("{\"result\":{}}\n", http::Answer::Then::kHold); });
  std::unique_ptr<cluster::Watch> stream;
  int messages = 0;
  stream = argo::listen(*services_, argo::kWorkflowService, "WatchWorkflows", {{"namespace", "n"}},
                        {[&](const doc::Value&) {
                           ++messages;
                           stream.reset();
                         },
                         [](const Status&) { FAIL() << "nobody listens"; }});
  run_until([&] { return messages == 1; });
  scripted_->push("{\"result\":{}}\n");
  context_.poll();
  EXPECT_EQ(messages, 1);
}

TEST_F(ArgoClientTest, a_refused_stream_says_why) {
  serve([](const http::SeenRequest&) { return http::reply(404, R"({"code": 5, "message": "not found"})"); });
  std::optional<Status> ended;
  const auto stream =
      argo::listen(*services_, argo::kWorkflowService, "WorkflowLogs", {{"namespace", "n"}, {"name", "a"}},
                   {[](const doc::Value&) { FAIL(); }, [&](Status status) { ended = std::move(status); }});
  run_until([&] { return ended.has_value(); });
  ASSERT_FALSE(*ended);
  EXPECT_EQ(ended->error().code, Code::kNotFound);
}

}  // namespace
}  // namespace tiphys::server
