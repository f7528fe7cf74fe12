#include "controllers/http_runner.h"

#include <gtest/gtest.h>

#include "doc/yaml.h"
#include "store/testing.h"

namespace tiphys::controllers {
namespace {

using api::NodePhase;

doc::Value yaml(std::string_view text) {
  auto documents = doc::parse_yaml(text, "test.yaml");
  EXPECT_TRUE(documents.has_value()) << documents.error().message;
  return std::move(documents->front().root);
}

/// Notes requests; the test answers.
class FakeClient : public web::HttpClient {
 public:
  class Call : public web::HttpCall {
   public:
    explicit Call(FakeClient& client) : client_(client) {}
    ~Call() override { ++client_.ended; }

   private:
    FakeClient& client_;
  };

  std::unique_ptr<web::HttpCall> send(web::HttpRequest request, Done done) override {
    requests.push_back(std::move(request));
    answers.push_back(std::move(done));
    return std::make_unique<Call>(*this);
  }

  std::vector<web::HttpRequest> requests;
  std::vector<Done> answers;
  int ended = 0;
};

class HttpRunnerTest : public testing::Test {
 protected:
  std::unique_ptr<RunningAction> start(std::string_view http) {
    finished_.reset();
    ActionRequest request{"argo", "wf", "uid-1", {"wf-7", "wf.a", nullptr, false}};
    request.run.template_document =
        std::make_shared<const doc::Value>(yaml("{name: a, http: " + std::string(http) + "}"));
    auto action = runner_.run(std::move(request), [this](engine::ActionChanged finished) {
      EXPECT_FALSE(finished_.has_value());
      finished_ = std::move(finished);
    });
    EXPECT_FALSE(finished_.has_value()) << "it is told later";
    store_.run();
    return action;
  }
  /// "Failed: why", when nothing was sent.
  std::string refusal(std::string_view http) {
    const std::size_t before = client_.requests.size();
    const auto action = start(http);
    EXPECT_EQ(client_.requests.size(), before);
    return finished_ ? std::string(api::node_phase_name(finished_->phase)) + ": " + finished_->message : "sent";
  }

  store::TestStore store_;
  FakeClient client_;
  HttpRunner runner_{store_.executor(), store_.store(), &client_};
  std::optional<engine::ActionChanged> finished_;
};

TEST_F(HttpRunnerTest, SendsWhatTheTemplateSays) {
  ASSERT_TRUE(store_.create(cluster::kSecrets, yaml("{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: "
                                                    "argo}, data: {token: c2VjcmV0}, stringData: {plain: text}}")));
  const auto plain = start("{url: \"http://a/b\"}");
  const auto whole = start(
      "{method: PUT, url: \"https://a/b\", body: text, timeoutSeconds: 3, insecureSkipVerify: true, headers: [{name: "
      "X-A, value: \"1\"}, {name: Authorization, valueFrom: {secretKeyRef: {name: s, key: token}}}, {name: X-A, value: "
      "\"2\"}, {name: X-B, valueFrom: {secretKeyRef: {name: s, key: plain}}}]}");
  const auto bytes = start("{url: \"http://a\", body: text, bodyFrom: {bytes: AAEC}}");
  ASSERT_EQ(client_.requests.size(), 3U);
  EXPECT_EQ(client_.requests[0].method, "GET");
  EXPECT_EQ(client_.requests[0].url, "http://a/b");
  EXPECT_FALSE(client_.requests[0].timeout.has_value());
  EXPECT_FALSE(client_.requests[0].insecure);
  EXPECT_EQ(client_.requests[1].method, "PUT");
  EXPECT_EQ(client_.requests[1].body, "text");
  EXPECT_EQ(client_.requests[1].timeout, std::chrono::seconds(3));
  EXPECT_TRUE(client_.requests[1].insecure);
  EXPECT_EQ(client_.requests[1].headers,
            (web::Headers{{"X-A", "1"}, {"Authorization", "secret"}, {"X-A", "2"}, {"X-B", "text"}}));
  EXPECT_EQ(client_.requests[2].body, std::string("\0\1\2", 3));
}

TEST_F(HttpRunnerTest, WhatItCannotSendFails) {
  ASSERT_TRUE(store_.create(cluster::kSecrets,
                            yaml("{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: argo}, data: {}}")));
  EXPECT_EQ(refusal("{url: \"http://a\", headers: [{name: A, valueFrom: {secretKeyRef: {name: s, key: k}}}]}"),
            "Failed: secret 's' does not have the key 'k'");
  EXPECT_EQ(refusal("{url: \"http://a\", headers: [{name: A, valueFrom: {secretKeyRef: {name: t, key: k}}}]}"),
            "Failed: secrets \"t\" not found");
  EXPECT_EQ(refusal("{url: \"http://a\", bodyFrom: {bytes: \"=\"}}"),
            "Failed: bodyFrom.bytes: illegal base64 data at input byte 0");
  HttpRunner without(store_.executor(), store_.store(), nullptr);
  ActionRequest request{"argo", "wf", "uid-1", {"wf-7", "wf.a", nullptr, false}};
  request.run.template_document = std::make_shared<const doc::Value>(yaml("{http: {url: \"http://a\"}}"));
  const auto action =
      without.run(std::move(request), [this](engine::ActionChanged end) { finished_ = std::move(end); });
  store_.run();
  EXPECT_EQ(finished_->message, "this plane makes no HTTP requests");
}

TEST_F(HttpRunnerTest, TheAnswerIsJudged) {
  struct Row {
    const char* name;
    const char* http;
    web::HttpAnswer answer;
    NodePhase phase;
    const char* message;
    const char* result;  ///< null: no outputs
  };
  for (const Row& row : std::initializer_list<Row>{
           {"2xx is well", "{}", {204, {}, ""}, NodePhase::kSucceeded, "", ""},
           {"nothing else is", "{}", {301, {}, "x"}, NodePhase::kFailed, "received non-2xx response code: 301", "x"},
           {"a condition decides alone",
            "{successCondition: response.statusCode == 404}",
            {404, {}, "x"},
            NodePhase::kSucceeded,
            "",
            "x"},
           {"it may not hold",
            "{successCondition: response.body contains \"a\"}",
            {200, {}, "b"},
            NodePhase::kFailed,
            "successCondition 'response.body contains \"a\"' evaluated false",
            "b"},
           {"headers are lists, as Go writes their names",
            "{successCondition: 'response.headers[\"X-A\"] == [\"1\", \"2\"]'}",
            {200, {{"x-a", "1"}, {"X-A", "2"}}, ""},
            NodePhase::kSucceeded,
            "",
            ""},
           {"it sees the request",
            "{method: POST, url: u, body: b, headers: [{name: x, value: v}, {name: y, valueFrom: {}}], "
            "successCondition: 'request.method + request.url + request.body + request.headers.x[0] == \"POSTubv\" && "
            "!(\"y\" in request.headers)'}",
            {200, {}, ""},
            NodePhase::kSucceeded,
            "",
            ""},
           {"and its bytes",
            "{bodyFrom: {bytes: AAE=}, successCondition: 'request.bodyBytes == [0, 1]'}",
            {200, {}, ""},
            NodePhase::kSucceeded,
            "",
            ""},
           {"Argo's functions are not there",
            "{successCondition: asInt(response.body) == 1}",
            {200, {}, "1"},
            NodePhase::kFailed,
            "unknown name asInt (1:1)\n | asInt(response.body) == 1\n | ^",
            nullptr},
           {"what is no condition",
            "{successCondition: response.statusCode}",
            {200, {}, ""},
            NodePhase::kFailed,
            "unable to cast expression result '200' to bool",
            nullptr},
           {"bytes become text", "{}", {200, {}, "a\xff"}, NodePhase::kSucceeded, "", "a\xef\xbf\xbd"},
       }) {
    const engine::ActionChanged finished = judge_answer(yaml(row.http), row.answer);
    EXPECT_EQ(finished.phase, row.phase) << row.name;
    EXPECT_EQ(finished.message, row.message) << row.name;
    EXPECT_EQ(finished.outputs.has_value(), row.result != nullptr) << row.name;
    if (finished.outputs && row.result) EXPECT_EQ(finished.outputs->result, row.result) << row.name;
  }
}

TEST_F(HttpRunnerTest, ErrorsFailTheNode) {
  const auto action = start("{url: \"http://a\"}");
  client_.answers[0](fail(Code::kUnavailable, "Get \"http://a/\": EOF"));
  ASSERT_TRUE(finished_.has_value());
  EXPECT_EQ(finished_->node_id, "wf-7");
  EXPECT_EQ(finished_->phase, NodePhase::kFailed);
  EXPECT_EQ(finished_->message, "Get \"http://a/\": EOF");
  EXPECT_FALSE(finished_->outputs.has_value());
  const auto long_one = start("{url: \"http://a\"}");
  client_.answers[1](fail(Code::kResourceExhausted, "it is too long"));
  EXPECT_EQ(finished_->phase, NodePhase::kError);
  EXPECT_EQ(finished_->message,
            "HTTP request completed successfully but an error occurred when patching its result: it is too long");
}

TEST_F(HttpRunnerTest, AnEndedRequestSaysNothingMore) {
  auto action = start("{url: \"http://a\"}");
  action.reset();
  EXPECT_EQ(client_.ended, 1);
  client_.answers[0](web::HttpAnswer{200, {}, ""});
  EXPECT_FALSE(finished_.has_value());
}

}  // namespace
}  // namespace tiphys::controllers
