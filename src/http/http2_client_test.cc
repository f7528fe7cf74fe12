#include "http/http2_client.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <optional>

#include "http/http2_testing.h"
#include "http/tls.h"

namespace tiphys::http {
namespace {

using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;
using Then = Http2Answer::Then;

class Http2ClientTest : public testing::Test {
 protected:
  struct Outcome {
    unsigned code = 0;
    Fields fields;
    std::string body;
    std::optional<Result<Fields>> end;
    std::unique_ptr<Call> call;
  };

  Http2Client client_of(unsigned short port, std::shared_ptr<const Tls> tls = nullptr, ClientLimits limits = {}) {
    return {context_, {.unix_path = {}, .host = "127.0.0.1", .port = port, .tls = std::move(tls)}, limits};
  }
  static std::shared_ptr<const Tls> trusting(const TestCertificate& certificate) {
    return Tls::make({.ca = certificate.certificate, .server_name = "127.0.0.1"}).value();
  }
  std::shared_ptr<Outcome> start(Http2Client client, Request request) {
    auto outcome = std::make_shared<Outcome>();
    Http2Sink sink;
    sink.on_head = [raw = outcome.get()](unsigned code, const Fields& fields) {
      raw->code = code;
      raw->fields = fields;
    };
    sink.on_body = [raw = outcome.get()](std::string_view part) { raw->body += part; };
    sink.on_end = [raw = outcome.get()](Result<Fields> trailers) { raw->end = std::move(trailers); };
    outcome->call = client.call(std::move(request), std::move(sink));
    EXPECT_FALSE(outcome->end.has_value()) << "never from inside";
    return outcome;
  }
  void run_until(const std::function<bool()>& done) {
    context_.restart();
    while (!done()) ASSERT_NE(context_.run_one_for(std::chrono::seconds(20)), 0U) << "nothing happens";
  }
  std::shared_ptr<Outcome> call(const Http2Client& client, Request request) {
    auto outcome = start(client, std::move(request));
    run_until([&] { return outcome->end.has_value(); });
    return outcome;
  }
  static Http2Answer echo(const SeenHttp2Request& request) {
    return {.parts = {request.fields.at(":path"), request.body}, .trailers = {{"checked", "yes"}}};
  }

  boost::asio::io_context context_;
};

TEST_F(Http2ClientTest, AllRequestsShareAConnection) {
  Http2Server server(context_, echo);
  const Http2Client client = client_of(server.port());
  std::vector<std::shared_ptr<Outcome>> outcomes;
  for (int i = 0; i < 200; ++i) {
    outcomes.push_back(start(client, {.method = "POST", .target = fmt::format("/{}", i), .body = "!"}));
  }
  run_until([&] { return std::ranges::all_of(outcomes, [](const auto& each) { return each->end.has_value(); }); });
  for (int i = 0; i < 200; ++i) EXPECT_EQ(outcomes[i]->body, fmt::format("/{}!", i));
  EXPECT_EQ(outcomes[0]->end->value(), (Fields{{"checked", "yes"}}));
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(Http2ClientTest, FieldsAreThoseOfTheRequest) {
  Http2Server server(context_, echo);
  const Http2Client client(context_, {.unix_path = {}, .host = "127.0.0.1", .port = server.port(), .token = "t"});
  call(client, {.method = "PUT",
                .target = "/a?b=c",
                .content_type = "text/plain",
                .body = "x",
                .headers = {{"X-Team", "ml"}, {"Connection", "close"}, {"Host", "elsewhere"}}});
  EXPECT_THAT(server.seen().at(0).fields,
              UnorderedElementsAre(Pair(":method", "PUT"), Pair(":path", "/a?b=c"), Pair(":scheme", "http"),
                                   Pair(":authority", fmt::format("127.0.0.1:{}", server.port())),
                                   Pair("user-agent", "tiphys"), Pair("content-type", "text/plain"),
                                   Pair("authorization", "Bearer t"), Pair("x-team", "ml")));
  const auto refused = call(client, {.target = "/", .headers = {{"X Team", "ml"}}});
  EXPECT_EQ(refused->end->error().code, Code::kInvalidArgument);
  EXPECT_THAT(refused->end->error().message, HasSubstr("X Team: ml"));
}

TEST_F(Http2ClientTest, BodiesMayBeLargerThanWindows) {
  Http2Server server(context_, echo);
  const std::string large(5 << 20, 'x');
  const auto outcome = call(client_of(server.port()), {.method = "POST", .target = "/", .body = large});
  EXPECT_EQ(outcome->body.size(), large.size() + 1);
}

TEST_F(Http2ClientTest, SpeaksTls) {
  const TestCertificate certificate = TestCertificate::make();
  Http2Server server(context_, echo, &certificate);
  EXPECT_EQ(call(client_of(server.port(), trusting(certificate)), {.target = "/a"})->body, "/a");
  const auto distrusting = Tls::make({.server_name = "127.0.0.1"}).value();
  const auto refused = call(client_of(server.port(), distrusting), {.target = "/"});
  EXPECT_EQ(refused->end->error().code, Code::kUnauthenticated);
  Http2Server silent(context_, echo, &certificate, "");
  EXPECT_EQ(call(client_of(silent.port(), trusting(certificate)), {.target = "/a"})->body, "/a")
      << "it speaks it without a word of it";
}

/// Says the same to everybody, whatever it is told.
class Parrot {
 public:
  Parrot(boost::asio::io_context& context, std::string word)
      : word_(std::move(word)), acceptor_(context, {boost::asio::ip::make_address("127.0.0.1"), 0}), socket_(context) {
    acceptor_.async_accept(socket_, [this](boost::system::error_code error) {
      if (!error) boost::asio::write(socket_, boost::asio::buffer(word_));
    });
  }
  unsigned short port() const { return acceptor_.local_endpoint().port(); }

 private:
  std::string word_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::ip::tcp::socket socket_;
};

TEST_F(Http2ClientTest, OtherProtocolsAreTold) {
  const TestCertificate certificate = TestCertificate::make();
  Parrot plain(context_, "HTTP/1.1 400 Bad Request\r\n\r\n"), page(context_, "<!DOCTYPE html>"),
      secure(context_, "\x15\x03\x01");
  ScriptedServer closing(context_, [](const SeenRequest&) { return reply(200, "hello"); });
  Http2Server old(context_, echo, &certificate, "http/1.1");
  const struct {
    const char* rule;
    unsigned short port;
    std::shared_ptr<const Tls> tls;
    Code code;
    const char* message;
  } rows[] = {
      {"HTTP/1.1", plain.port(), nullptr, Code::kUnimplemented, "speaks no HTTP/2"},
      {"HTTP/0.9", page.port(), nullptr, Code::kUnimplemented, "speaks no HTTP/2"},
      {"TLS", secure.port(), nullptr, Code::kUnimplemented, "speaks no HTTP/2 in plain text, but TLS"},
      {"TLS with HTTP/1.1 alone", old.port(), trusting(certificate), Code::kUnimplemented, "speaks no HTTP/2"},
      {"what closes without a word", closing.port(), nullptr, Code::kUnavailable,
       "perhaps it speaks TLS, or no HTTP/2"},
  };
  for (const auto& row : rows) {
    const auto outcome = call(client_of(row.port, row.tls), {.target = "/"});
    ASSERT_FALSE(outcome->end->has_value()) << row.rule;
    EXPECT_EQ(outcome->end->error().code, row.code) << row.rule << ": " << outcome->end->error().message;
    EXPECT_THAT(outcome->end->error().message, HasSubstr(row.message)) << row.rule;
  }
}

TEST_F(Http2ClientTest, TellsWhatBrokeAnAnswerOff) {
  const struct {
    const char* rule;
    Http2Answer answer;
    Code code;
    const char* message;
  } rows[] = {
      {"it was reset", {.parts = {"half"}, .then = Then::kReset}, Code::kUnavailable, "broke the answer off"},
      {"it is refused, twice", {.then = Then::kRefuse}, Code::kUnavailable, "REFUSED_STREAM"},
      {"the connection was closed", {.parts = {"half"}, .then = Then::kCut}, Code::kUnavailable, "was lost"},
      {"its reader has waited long enough", {.then = Then::kHold}, Code::kDeadlineExceeded, "in time"},
  };
  for (const auto& row : rows) {
    Http2Server server(context_, [&](const SeenHttp2Request&) { return row.answer; });
    const auto client = client_of(server.port(), nullptr, {.answer_timeout = std::chrono::seconds(1)});
    const auto outcome = call(client, {.target = "/"});
    ASSERT_FALSE(outcome->end->has_value()) << row.rule;
    EXPECT_EQ(outcome->end->error().code, row.code) << row.rule << ": " << outcome->end->error().message;
    EXPECT_THAT(outcome->end->error().message, HasSubstr(row.message)) << row.rule;
  }
  EXPECT_EQ(call(client_of(1), {.target = "/"})->end->error().code, Code::kUnavailable) << "nobody is there";
}

TEST_F(Http2ClientTest, WhatWasRefusedIsAskedAgain) {
  int count = 0;
  Http2Server server(context_, [&](const SeenHttp2Request& request) {
    return ++count == 1 ? Http2Answer{.then = Then::kRefuse} : echo(request);
  });
  EXPECT_EQ(call(client_of(server.port()), {.method = "POST", .target = "/a", .body = "!"})->body, "/a!");
  EXPECT_EQ(count, 2);
}

TEST_F(Http2ClientTest, AServerThatGoesIsConnectedToAnew) {
  int count = 0;
  Http2Server server(context_, [&](const SeenHttp2Request& request) {
    Http2Answer answer = echo(request);
    if (++count == 1) answer.then = Then::kGoAway;
    return answer;
  });
  const Http2Client client = client_of(server.port());
  EXPECT_EQ(call(client, {.target = "/a"})->body, "/a") << "what had begun is ended";
  EXPECT_EQ(call(client, {.target = "/b"})->body, "/b");
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(Http2ClientTest, AnAnswerEndsWithItsReader) {
  Http2Server server(context_, [](const SeenHttp2Request& request) {
    Http2Answer answer = echo(request);
    if (request.fields.at(":path") == "/hold") answer.then = Then::kHold;
    return answer;
  });
  const Http2Client client = client_of(server.port());
  start(client, {.target = "/hold"})->call.reset();  // before the connection is there
  const auto outcome = start(client, {.target = "/hold", .endless = true});
  run_until([&] { return outcome->body == "/hold"; });
  outcome->call.reset();
  run_until([&] { return server.cancelled() == 1; });
  EXPECT_FALSE(outcome->end.has_value());
  EXPECT_EQ(call(client, {.target = "/a"})->body, "/a");
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(Http2ClientTest, AReaderMayGoInTheMidst) {
  Http2Server server(context_, [](const SeenHttp2Request&) { return Http2Answer{.parts = {"a", "b"}}; });
  std::optional<Http2Client> client(client_of(server.port()));
  std::unique_ptr<Call> call;
  int told = 0;
  Http2Sink sink;
  sink.on_body = [&](std::string_view) {
    ++told;
    client.reset();
    call.reset();
  };
  sink.on_end = [](const Result<Fields>&) { FAIL() << "nobody listens"; };
  call = client->call({.target = "/"}, std::move(sink));
  run_until([&] { return told == 1; });
  context_.poll();
  EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace tiphys::http
