#include "http/client.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>

#include "http/testing.h"
#include "http/tls.h"

namespace tiphys::http {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ClientTest : public testing::Test {
 protected:
  struct Outcome {
    unsigned code = 0;
    std::string body;
    std::optional<Status> end;
    std::unique_ptr<Call> call;
  };

  Client client_of(const ScriptedServer& server, ClientLimits limits = {.keep = true},
                   std::shared_ptr<const Tls> tls = nullptr) {
    return {context_, {.unix_path = {}, .host = "127.0.0.1", .port = server.port(), .tls = std::move(tls)}, limits};
  }
  std::shared_ptr<Outcome> start(Client client, Request request) {
    auto outcome = std::make_shared<Outcome>();
    Sink sink;
    sink.on_head = [raw = outcome.get()](const Head& head) { raw->code = head.code; };
    sink.on_body = [raw = outcome.get()](std::string_view part) { raw->body += part; };
    sink.on_end = [raw = outcome.get()](Status status) { raw->end = std::move(status); };
    outcome->call = client.call(std::move(request), std::move(sink));
    EXPECT_FALSE(outcome->end.has_value()) << "never from inside";
    return outcome;
  }
  void await(const std::shared_ptr<Outcome>& outcome) {
    while (!outcome->end) context_.run_one();
  }
  std::shared_ptr<Outcome> call(const Client& client, Request request) {
    auto outcome = start(client, std::move(request));
    await(outcome);
    return outcome;
  }

  boost::asio::io_context context_;
};

TEST_F(ClientTest, UsesConnectionsAgain) {
  ScriptedServer server(context_, [](const SeenRequest& request) { return reply(200, request.target); });
  const Client client = client_of(server);
  EXPECT_EQ(call(client, {.target = "/a"})->body, "/a");
  EXPECT_EQ(call(client, {.target = "/b"})->body, "/b");
  EXPECT_EQ(server.connections(), 1);
  const Client other = client_of(server, {});
  call(other, {.target = "/a"});
  call(other, {.target = "/b"});
  EXPECT_EQ(server.connections(), 3) << "without keep each request has its own";
}

TEST_F(ClientTest, HasNoMoreConnectionsThanItMay) {
  ScriptedServer server(context_, [](const SeenRequest& request) { return reply(200, request.target); });
  const Client client = client_of(server, {.most_connections = 2, .keep = true});
  std::vector<std::shared_ptr<Outcome>> outcomes;
  for (int i = 0; i < 10; ++i) outcomes.push_back(start(client, {.target = fmt::format("/{}", i)}));
  outcomes[5].reset();  // nobody waits for it any more
  for (int i = 0; i < 10; ++i) {
    if (!outcomes[i]) continue;
    await(outcomes[i]);
    EXPECT_EQ(outcomes[i]->body, fmt::format("/{}", i));
  }
  EXPECT_EQ(server.connections(), 2);
  EXPECT_EQ(server.seen().size(), 9u);
}

TEST_F(ClientTest, AsksAgainWhereAKeptConnectionIsClosed) {
  int count = 0;
  ScriptedServer server(
      context_, [&](const SeenRequest&) { return ++count == 2 ? Answer{"", Answer::Then::kClose} : reply(200, "ok"); });
  const Client client = client_of(server);
  call(client, {.target = "/a"});
  EXPECT_EQ(call(client, {.target = "/b"})->body, "ok") << "a GET may be sent twice";
  count = 1;
  const auto posted = call(client, {.method = "POST", .target = "/c"});
  EXPECT_EQ(posted->end->error().code, Code::kUnavailable) << "what changes something may not";
}

TEST_F(ClientTest, TellsWhatBrokeAnAnswerOff) {
  struct Row {
    std::string rule;
    Answer answer;
    Code code;
  };
  const Row rows[] = {
      {"no answer", {"", Answer::Then::kClose}, Code::kUnavailable},
      {"half a head", {"HTTP/1.1 200 OK\r\nConte", Answer::Then::kClose}, Code::kUnavailable},
      {"no HTTP", {"SSH-2.0-x\r\n\r\n", Answer::Then::kClose}, Code::kUnavailable},
      {"half a body", {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", Answer::Then::kClose}, Code::kUnavailable},
      {"a cut stream", stream("part", Answer::Then::kClose), Code::kUnavailable},
  };
  for (const Row& row : rows) {
    ScriptedServer server(context_, [&](const SeenRequest&) { return row.answer; });
    const auto outcome = call(client_of(server), {.target = "/"});
    ASSERT_FALSE(outcome->end->has_value()) << row.rule;
    EXPECT_EQ(outcome->end->error().code, row.code) << row.rule;
  }
  const Client nobody(context_, {.unix_path = {}, .host = "127.0.0.1", .port = 1});
  EXPECT_THAT(call(nobody, {})->end->error().message, HasSubstr("cannot connect to 127.0.0.1:1"));
}

TEST_F(ClientTest, StreamsEndByTheirTime) {
  ScriptedServer server(context_, [](const SeenRequest&) { return stream("first", Answer::Then::kHold); });
  const auto outcome = call(client_of(server), {.target = "/", .endless = true, .longest = std::chrono::seconds(1)});
  EXPECT_EQ(outcome->body, "first");
  EXPECT_EQ(outcome->end->error().code, Code::kDeadlineExceeded);
}

TEST_F(ClientTest, TrustsWhomItIsTold) {
  const TestCertificate own = TestCertificate::make(), other = TestCertificate::make();
  ScriptedServer server(context_, [](const SeenRequest&) { return reply(200, "secret"); }, &own);
  struct Row {
    std::string rule;
    TlsOptions options;
    std::string message;  ///< "": it is trusted
  };
  const Row rows[] = {
      {"its authority, its address", {.ca = own.certificate, .server_name = "127.0.0.1"}, ""},
      {"its authority, its name", {.ca = own.certificate, .server_name = "localhost"}, ""},
      {"one authority of several", {.ca = other.certificate + own.certificate, .server_name = "localhost"}, ""},
      {"whoever it is", {.insecure = true, .server_name = "elsewhere"}, ""},
      {"another authority", {.ca = other.certificate, .server_name = "localhost"}, "is not trusted: "},
      {"another name", {.ca = own.certificate, .server_name = "elsewhere"}, "hostname mismatch"},
      {"another address", {.ca = own.certificate, .server_name = "127.0.0.2"}, "IP address mismatch"},
      {"the system's authorities", {.server_name = "localhost"}, "is not trusted: "},
      {"a subject is no name", {.ca = own.certificate, .server_name = "test"}, "hostname mismatch"},
  };
  for (const Row& row : rows) {
    const auto tls = Tls::make(row.options);
    ASSERT_TRUE(tls.has_value()) << row.rule;
    const auto outcome = call(client_of(server, {.keep = true}, *tls), {.target = "/"});
    if (row.message.empty()) {
      ASSERT_TRUE(outcome->end->has_value()) << row.rule << ": " << outcome->end->error().message;
      EXPECT_EQ(outcome->body, "secret");
    } else {
      ASSERT_FALSE(outcome->end->has_value()) << row.rule;
      EXPECT_EQ(outcome->end->error().code, Code::kUnauthenticated) << row.rule;
      EXPECT_THAT(outcome->end->error().message, HasSubstr(row.message)) << row.rule;
    }
  }
}

TEST_F(ClientTest, RefusesWhatIsNoCertificate) {
  const TestCertificate own = TestCertificate::make(), other = TestCertificate::make();
  EXPECT_THAT(Tls::make({.ca = "nothing"}).error().message, HasSubstr("the certificate authority: "));
  EXPECT_THAT(Tls::make({.certificate = "nothing", .key = own.key}).error().message,
              HasSubstr("the client certificate: "));
  EXPECT_THAT(Tls::make({.certificate = own.certificate, .key = "nothing"}).error().message,
              HasSubstr("the client's key: "));
  EXPECT_FALSE(Tls::make({.certificate = own.certificate, .key = other.key}).has_value());
  EXPECT_TRUE(Tls::make({.certificate = own.certificate, .key = own.key}).has_value());
}

TEST_F(ClientTest, GoesThroughAProxy) {
  ScriptedServer proxy(context_, [](const SeenRequest& request) {
    return request.method == "CONNECT" ? Answer{"HTTP/1.1 200 Connected\r\n\r\n"} : reply(200, request.target);
  });
  Endpoint endpoint{.unix_path = {}, .host = "far.example", .port = 6443};
  endpoint.proxy_host = "127.0.0.1";
  endpoint.proxy_port = proxy.port();
  const Client client(context_, endpoint);
  EXPECT_EQ(call(client, {.target = "/through"})->body, "/through");
  EXPECT_EQ(proxy.seen().front().target, "far.example:6443");
  ScriptedServer refusing(context_, [](const SeenRequest&) { return reply(407, ""); });
  endpoint.proxy_port = refusing.port();
  EXPECT_THAT(call(Client(context_, endpoint), {})->end->error().message,
              HasSubstr("does not connect to far.example:6443: HTTP 407"));
}

}  // namespace
}  // namespace tiphys::http
