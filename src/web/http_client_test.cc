#include "web/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "base/asio_executor.h"
#include "web/testing.h"

namespace tiphys::web {
namespace {

using testing::HasSubstr;
using testing::Not;

class HttpClientTest : public testing::Test {
 protected:
  Result<HttpAnswer> ask(HttpRequest request) {
    std::optional<Result<HttpAnswer>> answer;
    const auto call = client().send(std::move(request), [&](Result<HttpAnswer> given) { answer = std::move(given); });
    while (!answer) context_.run_one();
    return *std::move(answer);
  }
  std::string error(HttpRequest request) {
    const auto answer = ask(std::move(request));
    return answer ? "it succeeded" : answer.error().message;
  }
  HttpClient& client() {
    if (!client_) client_ = make_http_client(*executor_, environment_);
    return *client_;
  }

  Environment environment_;
  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context_.get_executor()};
  std::unique_ptr<Executor> executor_ = make_asio_executor(context_);
  std::unique_ptr<HttpClient> client_;
};

TEST_F(HttpClientTest, AsksAndIsAnswered) {
  ScriptedServer server([](const std::string&) { return answer_with(404, "no", "x-a: 1\r\nX-A: 2\r\n"); });
  const auto answer = ask({.url = server.url("/a?b=c#d")});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 404);
  EXPECT_EQ(answer->body, "no");
  EXPECT_THAT(answer->headers, testing::IsSupersetOf({testing::Pair("x-a", "1"), testing::Pair("X-A", "2")}));
  const std::string request = server.requests().at(0);
  EXPECT_THAT(request, testing::StartsWith("GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:"));
  EXPECT_THAT(request, HasSubstr("\r\nAccept-Encoding: gzip\r\n"));
  EXPECT_THAT(request, HasSubstr("\r\nUser-Agent: tiphys\r\n"));
  EXPECT_THAT(request, Not(HasSubstr("Accept: ")));
}

TEST_F(HttpClientTest, SendsWhatItIsGiven) {
  struct Row {
    const char* name;
    HttpRequest request;
    std::vector<std::string> sent;
    std::vector<std::string> not_sent;
  };
  ScriptedServer server([](const std::string&) { return answer_with(200, ""); });
  const std::string url = server.url();
  const std::vector<Row> rows = {
      {"a body has a length",
       {.method = "POST", .url = url, .body = std::string("a\0b", 3)},
       {"POST / HTTP/1.1", "Content-Length: 3", std::string("\r\n\r\na\0b", 7)},
       {"Content-Type", "Expect"}},
      {"so has none", {.method = "PUT", .url = url}, {"PUT / HTTP/1.1", "Content-Length: 0"}, {}},
      {"GET may have a body", {.url = url, .body = "x"}, {"GET / HTTP/1.1", "Content-Length: 1", "\r\n\r\nx"}, {}},
      {"GET need not", {.url = url}, {}, {"Content-Length"}},
      {"any method", {.method = "PURGE", .url = url}, {"PURGE / HTTP/1.1"}, {}},
      {"headers",
       {.method = "POST",
        .url = url,
        .headers = {{"content-type", "text/x"}, {"X-A", "1"}, {"X-A", "2"}, {"User-Agent", "me"}, {"X-E", ""}}},
       {"content-type: text/x\r\n", "X-A: 1\r\n", "X-A: 2\r\n", "User-Agent: me\r\n", "X-E:"},
       {"tiphys"}},
      {"another host", {.url = url, .headers = {{"host", "other"}}}, {"Host: other\r\n"}, {"Host: 127"}},
      {"who asks", {.url = "http://me:pw@" + url.substr(7)}, {"Authorization: Basic bWU6cHc=\r\n"}, {}},
      {"a length is not chosen",
       {.method = "POST", .url = url, .headers = {{"Content-Length", "7"}}, .body = "x"},
       {"Content-Length: 1\r\n"},
       {"Content-Length: 7"}},
  };
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ASSERT_TRUE(ask(rows[i].request)) << rows[i].name;
    const std::string request = server.requests().at(i);
    for (const std::string& part : rows[i].sent) EXPECT_THAT(request, HasSubstr(part)) << rows[i].name;
    for (const std::string& part : rows[i].not_sent) EXPECT_THAT(request, Not(HasSubstr(part))) << rows[i].name;
  }
}

TEST_F(HttpClientTest, RedirectsAreFollowed) {
  ScriptedServer server([](const std::string& request) {
    if (request.starts_with("POST /a ")) return answer_with(307, "", "Location: b\r\n");
    if (request.starts_with("POST /b ")) return answer_with(302, "elsewhere", "Location: /c?d\r\n");
    return answer_with(200, request);
  });
  const auto answer = ask({.method = "POST", .url = server.url("/a"), .body = "body"});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_THAT(answer->body, testing::StartsWith("GET /c?d HTTP/1.1\r\n"));
  EXPECT_THAT(answer->body, HasSubstr("Referer: " + server.url("/b") + "\r\n"));
  EXPECT_THAT(server.requests().at(1), testing::EndsWith("\r\n\r\nbody"));
}

TEST_F(HttpClientTest, RedirectsEnd) {
  ScriptedServer server([](const std::string&) { return answer_with(302, "", "Location: /\r\n"); });
  EXPECT_EQ(error({.url = server.url()}), "Get \"" + server.url() + "\": stopped after 10 redirects");
  EXPECT_EQ(server.requests().size(), 10U);
  ScriptedServer elsewhere([](const std::string&) { return answer_with(302, "", "Location: file:///etc/passwd\r\n"); });
  EXPECT_EQ(error({.url = elsewhere.url()}), "Get \"file:///etc/passwd\": unsupported protocol scheme \"file\"");
}

TEST_F(HttpClientTest, TimeoutsEndIt) {
  ScriptedServer server([](const std::string&) { return ""; });
  EXPECT_EQ(error({.method = "POST", .url = server.url(), .timeout = std::chrono::milliseconds(20)}),
            "Post \"" + server.url() + "\": context deadline exceeded");
}

TEST_F(HttpClientTest, ErrorsReadAsGos) {
  struct Row {
    const char* url;
    const char* message;
  };
  for (const Row& row : {
           Row{"ftp://example.com/x", "Get \"ftp://example.com/x\": unsupported protocol scheme \"ftp\""},
           Row{"http://127.0.0.1:1/", "Get \"http://127.0.0.1:1/\": dial tcp 127.0.0.1:1: connect: connection refused"},
           Row{"http://me:pw@127.0.0.1:1/",
               "Get \"http://me:***@127.0.0.1:1/\": dial tcp 127.0.0.1:1: connect: connection refused"},
           Row{"http://no-such-host.invalid/",
               "Get \"http://no-such-host.invalid/\": dial tcp: lookup no-such-host.invalid: no such host"},
           Row{"example", "parse \"example\": it is no URL: write http://HOST/PATH"},
       }) {
    EXPECT_EQ(error({.url = row.url}), row.message);
  }
  EXPECT_EQ(error({.method = "A B", .url = "http://a"}), "net/http: invalid method \"A B\"");
  EXPECT_EQ(error({.url = "http://a", .headers = {{"A", "b\n"}}}),
            "Get \"http://a/\": net/http: invalid header field value for \"A\"");
  ScriptedServer partial([](const std::string&) { return "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"; });
  EXPECT_EQ(error({.url = partial.url()}), "unexpected EOF");
}

TEST_F(HttpClientTest, AnAnswerHasABound) {
  ScriptedServer server([](const std::string&) { return answer_with(200, std::string(kMostBodyBytes + 1, 'x')); });
  const auto answer = ask({.url = server.url()});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, Code::kResourceExhausted);
}

TEST_F(HttpClientTest, ProxiesOfTheEnvironmentAreAsked) {
  ScriptedServer proxy([](const std::string& request) { return answer_with(200, "by proxy: " + request); });
  ScriptedServer direct([](const std::string&) { return answer_with(200, "direct"); });
  environment_.http_proxy = proxy.url();
  environment_.no_proxy = "direct.invalid";
  EXPECT_THAT(ask({.url = "http://far.invalid/x"})->body, HasSubstr("by proxy: GET http://far.invalid/x HTTP/1.1"));
  EXPECT_EQ(ask({.url = direct.url()})->body, "direct");
  EXPECT_THAT(error({.url = "http://direct.invalid/"}), HasSubstr("no such host"));
  EXPECT_THAT(error({.url = "http://a.direct.invalid/"}), HasSubstr("no such host"));
  EXPECT_THAT(error({.url = "http://far.invalid/", .insecure = true}), HasSubstr("no such host"));
}

TEST_F(HttpClientTest, NobodyHearsOfACancelledRequest) {
  ScriptedServer server(
      [](const std::string& request) { return request.starts_with("GET /slow") ? "" : answer_with(200, "quick"); });
  bool told = false;
  auto call = client().send({.url = server.url("/slow")}, [&](const Result<HttpAnswer>&) { told = true; });
  EXPECT_EQ(ask({.url = server.url("/quick")})->body, "quick");
  call.reset();
  EXPECT_EQ(ask({.url = server.url("/quick")})->body, "quick");
  EXPECT_FALSE(told);
  // The client may go first.
  call = client().send({.url = server.url("/slow")}, [&](const Result<HttpAnswer>&) { told = true; });
  client_.reset();
  call.reset();
  context_.poll();
  EXPECT_FALSE(told);
}

TEST_F(HttpClientTest, ManyAtOnce) {
  ScriptedServer server(
      [](const std::string& request) { return answer_with(200, request.substr(0, request.find('\r'))); });
  std::vector<std::unique_ptr<HttpCall>> calls;
  std::size_t right = 0;
  constexpr std::size_t kMany = kMostRequests + 50;
  for (std::size_t i = 0; i < kMany; ++i) {
    const std::string target = "/" + std::to_string(i);
    calls.push_back(client().send({.url = server.url(target)}, [&right, target](const Result<HttpAnswer>& answer) {
      EXPECT_TRUE(answer) << answer.error().message;
      if (answer && answer->body == "GET " + target + " HTTP/1.1") ++right;
      if (!answer) right += 1000;
    }));
  }
  while (right < kMany) context_.run_one();
  EXPECT_EQ(right, kMany);
}

}  // namespace
}  // namespace tiphys::web
