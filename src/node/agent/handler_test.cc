#include "node/agent/handler.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include "base/asio_executor.h"
#include "node/agent/grpc_health.h"
#include "web/testing.h"

namespace tiphys::node {
namespace {

using boost::asio::ip::tcp;
using ::testing::HasSubstr;
using namespace std::string_literals;
using namespace std::chrono_literals;

struct Found {
  Finding finding = Finding::kUnknown;
  std::string reason;
};

class Handlers : public ::testing::Test {
 protected:
  Found run(const Handler& handler, Duration timeout = 30s) {
    std::optional<Found> found;
    const HandlerRun under_way({context_, *http_, nullptr}, handler, timeout,
                               [&](Finding finding, const std::string& reason) { found = {finding, reason}; });
    while (!found) {
      context_.run_one_for(5ms);
      context_.restart();
    }
    return *found;
  }
  static Handler parse(const std::string& text) {
    auto handler = parse_handler(doc::parse_json(text).value(), doc::Object{}, "127.0.0.1", "probe");
    if (!handler) throw std::runtime_error(handler.error().message);
    return *handler;
  }
  static Handler http_to(const web::ScriptedServer& server) {
    Handler handler = parse(R"({"httpGet": {"port": 1, "path": "healthz?full=1"}})");
    handler.request.url = server.url("/healthz?full=1");
    return handler;
  }

  boost::asio::io_context context_;
  std::unique_ptr<Executor> executor_ = make_asio_executor(context_);
  std::unique_ptr<web::HttpClient> http_ = web::make_http_client(*executor_, {});
};

TEST_F(Handlers, AnAnswerFrom200To399IsGood) {
  for (const auto& [status, finding] : {std::pair{200, Finding::kGood}, {304, Finding::kGood}, {404, Finding::kBad}}) {
    web::ScriptedServer server([status = status](const std::string&) { return web::answer_with(status, ""); });
    EXPECT_EQ(run(http_to(server)).finding, finding) << status;
    EXPECT_THAT(server.requests().at(0), HasSubstr("GET /healthz?full=1 HTTP/1.1"));
    EXPECT_THAT(server.requests().at(0), HasSubstr("User-Agent: kube-probe/"));
  }
}

TEST_F(Handlers, OtherHostsAreNotAsked) {
  web::ScriptedServer away(
      [](const std::string&) { return web::answer_with(302, "", "Location: http://another.example/\r\n"); });
  EXPECT_EQ(run(http_to(away)).finding, Finding::kGood);
  web::ScriptedServer here([](const std::string& request) {
    const bool first = request.find("/healthz") != std::string::npos;
    return first ? web::answer_with(302, "", "Location: /login\r\n") : web::answer_with(500, "");
  });
  EXPECT_EQ(run(http_to(here)).reason, "HTTP probe failed with statuscode: 500");
}

TEST_F(Handlers, NoAnswerInTimeIsBad) {
  web::ScriptedServer silent([](const std::string&) { return ""; });
  EXPECT_EQ(run(http_to(silent), 20ms).finding, Finding::kBad);
}

TEST_F(Handlers, AHookIsGoodOnceItIsAnswered) {
  web::ScriptedServer server([](const std::string&) { return web::answer_with(500, ""); });
  const doc::Value container = doc::parse_json(R"({"lifecycle": {"preStop": {"httpGet": {"port": 1}}}})").value();
  Handler hook = parse_hook(container, "127.0.0.1", "preStop").value();
  hook.request.url = server.url();
  EXPECT_EQ(run(hook).finding, Finding::kGood);
}

TEST_F(Handlers, ASleepIsGood) {
  EXPECT_EQ(run(parse(R"({"sleep": {"seconds": 0}})")).finding, Finding::kGood);
  EXPECT_EQ(run(parse(R"({"sleep": {"seconds": 1000}})"), 1ms).finding, Finding::kGood) << "at most as long";
}

TEST_F(Handlers, WhatIsNoHandler) {
  const auto error = [](const char* text) {
    const auto read = parse_handler(doc::parse_json(text).value(), doc::Object{}, "127.0.0.1", "livenessProbe");
    return read ? "" : read.error().message;
  };
  EXPECT_EQ(error("{}"), "livenessProbe has no handler: exec, httpGet, tcpSocket, ...");
  EXPECT_EQ(error(R"({"exec": {}})"), "livenessProbe: exec has no command");
  EXPECT_THAT(error(R"({"tcpSocket": {"port": "web"}})"), HasSubstr("livenessProbe: port \"web\" is no number"));
}

/// A frame of HTTP/2 on the first stream, or on the connection.
std::string frame(char type, char flags, bool on_stream, const std::string& payload) {
  return "\0\0"s + static_cast<char>(payload.size()) + type + flags + "\0\0\0"s + (on_stream ? '\1' : '\0') + payload;
}

TEST_F(Handlers, GrpcAsksTheHealthService) {
  for (const auto& [state, finding] : {std::pair{'\1', Finding::kGood}, {'\2', Finding::kBad}}) {
    tcp::acceptor acceptor(context_, {boost::asio::ip::make_address("127.0.0.1"), 0});
    tcp::socket socket(context_);
    std::string asked(4096, '\0');
    const std::string settings = frame(4, 0, false, "");
    // ":status: 200" and "grpc-status: 0" in HPACK.
    const std::string answer = frame(1, 4, true, "\x88") + frame(0, 0, true, "\0\0\0\0\2\10"s + state) +
                               frame(1, 5, true, "\0\13grpc-status\1"s + "0");
    std::size_t got = 0;
    std::function<void()> read = [&] {
      socket.async_read_some(boost::asio::buffer(asked.data() + got, asked.size() - got),
                             [&](boost::system::error_code error, std::size_t size) {
                               got += size;
                               if (error) return;
                               // The message is asked for in one piece with its frame.
                               const bool whole = asked.find("\0\0\0\0\5\12\3db1"s) != std::string::npos;
                               if (whole) boost::asio::write(socket, boost::asio::buffer(answer));
                               if (!whole) read();
                             });
    };
    acceptor.async_accept(socket, [&](boost::system::error_code error) {
      ASSERT_FALSE(error);
      boost::asio::write(socket, boost::asio::buffer(settings));
      read();
    });
    const Found found =
        run(parse(fmt::format(R"({{"grpc": {{"port": {}, "service": "db1"}}}})", acceptor.local_endpoint().port())));
    EXPECT_EQ(found.finding, finding) << found.reason;
    EXPECT_TRUE(asked.starts_with("PRI * HTTP/2.0"));
  }
}

TEST(GrpcHealth, SaysWhatItIs) {
  const auto said = [](const std::string& message, int status = 200) {
    web::HttpAnswer answer{.status = status, .headers = {}, .body = message};
    if (message.empty()) answer.headers = {{"grpc-status", "12"}, {"grpc-message", "no%20such method"}};
    const Status serving = is_serving(answer);
    return serving ? "SERVING" : serving.error().message;
  };
  EXPECT_EQ(said("\0\0\0\0\2\10\1"s), "SERVING");
  EXPECT_EQ(said("\0\0\0\0\2\10\2"s), "service unhealthy (responded with \"NOT_SERVING\")");
  EXPECT_EQ(said("\0\0\0\0\0"s), "service unhealthy (responded with \"UNKNOWN\")");
  EXPECT_EQ(said("\0\0\0\0\6\22\2ab\10\1"s), "SERVING") << "what it does not know is passed over";
  EXPECT_EQ(said("\0\0\0\0\2\10"s), "the health service: the server has not answered the call");
  EXPECT_EQ(said(""), "the health service: rpc error: code = Unimplemented desc = no such method");
  EXPECT_EQ(said("", 404), "the health service: HTTP status 404");
}

}  // namespace
}  // namespace tiphys::node
