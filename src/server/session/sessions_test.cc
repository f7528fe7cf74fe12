// Commands and ports in both protocols, from a client's bytes to a session and back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/simulated_executor.h"
#include "doc/value.h"
#include "server/session/spdy_sessions.h"
#include "server/session/testing.h"
#include "server/session/websocket_sessions.h"
#include "server/session/websocket_tunnel.h"

namespace tiphys::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Kind = WebSocketMessage::Kind;

cluster::SessionOptions all_streams(bool tty = false) {
  return {.command = {"sh", "-c", "x"}, .in = true, .out = true, .err = !tty, .tty = tty};
}

std::string binary(unsigned char channel, std::string_view bytes) {
  return client_frame(Kind::kBinary, std::string(1, static_cast<char>(channel)) + std::string(bytes));
}

/// The payloads of what a server has sent.
std::vector<std::string> payloads(std::string_view frames) {
  std::vector<std::string> found;
  while (frames.size() >= 2) {
    std::size_t length = static_cast<unsigned char>(frames[1]);
    std::size_t head = 2;
    if (length == 126) {
      length = static_cast<unsigned char>(frames[2]) << 8 | static_cast<unsigned char>(frames[3]);
      head = 4;
    }
    found.emplace_back(frames.substr(head, length));
    frames.remove_prefix(head + length);
  }
  return found;
}

std::string channel(unsigned char number, std::string_view bytes) {
  return std::string(1, static_cast<char>(number)) + std::string(bytes);
}

constexpr std::string_view kSuccess = R"({"metadata":{},"status":"Success"})";
const std::string kClosed("\x03\xe8", 2);

struct SessionsTest : testing::Test {
  std::unique_ptr<WebSocketCommand> by_websocket(ChannelForm form, const cluster::SessionOptions& options,
                                                 EndForm end = EndForm::kStatus) {
    auto speaker = std::make_unique<WebSocketCommand>(form, options, end, std::make_unique<FakeSession>(command));
    speaker->begin(wire);
    return speaker;
  }

  PortOpener opener() {
    return [this](std::uint16_t port, cluster::Done<std::unique_ptr<cluster::Session>> done) {
      opened.push_back(port);
      answer = std::move(done);
    };
  }

  FakeWire wire;
  std::shared_ptr<FakeSession::State> command = std::make_shared<FakeSession::State>();
  std::vector<std::uint16_t> opened;
  cluster::Done<std::unique_ptr<cluster::Session>> answer;
};

TEST_F(SessionsTest, a_command_by_websocket) {
  auto speaker = by_websocket({}, all_streams());
  speaker->receive(binary(0, "in"));
  EXPECT_EQ(command->input, "in");
  command->give(command->out, "out");
  command->give(command->err, "err");
  command->end(0);
  EXPECT_FALSE(wire.closed) << "its outputs have not ended";
  command->give(command->out, "");
  command->give(command->err, "");
  EXPECT_TRUE(wire.closed);
  EXPECT_THAT(payloads(wire.sent),
              ElementsAre(channel(1, ""), channel(1, "out"), channel(2, "err"), channel(3, kSuccess), kClosed));
  speaker.reset();
  EXPECT_TRUE(command->gone);
}

TEST_F(SessionsTest, an_exit_code_is_told_by_a_status) {
  auto speaker = by_websocket({}, all_streams());
  command->give(command->out, "");
  command->give(command->err, "");
  command->end(3);
  const auto sent = payloads(wire.sent);
  const auto status = doc::parse_json(sent.at(1).substr(1));
  ASSERT_TRUE(status);
  EXPECT_EQ(doc::find_string(*status, "status"), "Failure");
  EXPECT_EQ(doc::find_string(*status, "reason"), "NonZeroExitCode");
  EXPECT_EQ(doc::find_string(*status, "message"),
            "command terminated with non-zero exit code: error executing command [sh -c x], exit code 3");
  EXPECT_THAT(sent.at(1), HasSubstr(R"("causes":[{"reason":"ExitCode","message":"3"}])"));
}

TEST_F(SessionsTest, before_v4_words_tell_of_an_end_that_was_not_well) {
  EXPECT_EQ(command_end(0, {"a"}, EndForm::kWords), "");
  EXPECT_EQ(command_end(2, {"a", "b"}, EndForm::kWords),
            "command terminated with non-zero exit code: error executing command [a b], exit code 2");
}

TEST_F(SessionsTest, base64_channels_have_digits_and_text) {
  auto speaker = by_websocket({.base64 = true}, all_streams());
  speaker->receive(client_frame(Kind::kText, "0aGVsbG8="));
  EXPECT_EQ(command->input, "hello");
  command->give(command->out, "hi");
  EXPECT_THAT(payloads(wire.sent), ElementsAre("1", "1aGk="));
  command->take();
  speaker->receive(client_frame(Kind::kText, "0???"));
  EXPECT_TRUE(wire.closed) << "this is no base64";
}

TEST_F(SessionsTest, only_v5_ends_the_input) {
  auto older = by_websocket({}, all_streams());
  older->receive(binary(255, std::string(1, '\0')));
  EXPECT_FALSE(command->input_closed);
  auto speaker = by_websocket({.tells_close = true}, all_streams());
  speaker->receive(binary(0, "x") + binary(255, std::string(1, '\0')));
  EXPECT_FALSE(command->input_closed) << "x is not taken yet";
  command->take();
  EXPECT_TRUE(command->input_closed);
}

TEST_F(SessionsTest, sizes_of_a_terminal) {
  auto speaker = by_websocket({}, all_streams(true));
  speaker->receive(binary(4, R"({"Width":80,"Height":24})") + binary(4, R"({"Width":1)") +
                   binary(4, "00,\"Height\":50}\n") + binary(4, R"({"Width":-1,"Height":7})"));
  EXPECT_EQ(command->sizes, "80x24 100x50 ");
}

TEST_F(SessionsTest, a_client_that_writes_fast_waits_for_the_command) {
  auto speaker = by_websocket({}, all_streams());
  const std::string piece(100000, 'x');
  for (int i = 0; i < 4; ++i) speaker->receive(binary(0, piece));
  EXPECT_TRUE(wire.paused) << "one is being written, and more than is held waits";
  for (int i = 0; i < 3; ++i) command->take();
  EXPECT_FALSE(wire.paused);
  EXPECT_EQ(command->input.size(), 4 * piece.size());
}

TEST_F(SessionsTest, a_client_that_reads_slowly_is_waited_for) {
  auto speaker = by_websocket({}, all_streams());
  wire.holds = true;
  int pieces = 0;
  while (command->out) {
    command->give(command->out, std::string(32768, 'x'));
    ASSERT_LT(++pieces, 100) << "somebody buffers without bound";
  }
  EXPECT_TRUE(wire.paused);
  wire.unsent_bytes = 0;
  wire.holds = false;
  speaker->sent_all();
  EXPECT_TRUE(command->out);
  EXPECT_FALSE(wire.paused);
}

TEST_F(SessionsTest, pings_and_the_clients_close_are_answered) {
  auto speaker = by_websocket({}, all_streams());
  speaker->receive(client_frame(Kind::kPing, "p") + client_frame(Kind::kClose, kClosed));
  EXPECT_THAT(payloads(wire.sent), ElementsAre(channel(1, ""), "p", kClosed));
  EXPECT_TRUE(wire.closed);
  EXPECT_TRUE(wire.done_too);
}

TEST_F(SessionsTest, ports_by_websocket) {
  auto speaker = std::make_unique<WebSocketForward>(ChannelForm(), opener(), "p", std::vector<std::uint16_t>{0x1234});
  speaker->begin(wire);
  EXPECT_THAT(opened, ElementsAre(0x1234));
  speaker->receive(binary(0, "early"));
  answer(std::make_unique<FakeSession>(command));
  EXPECT_EQ(command->input, "early");
  command->give(command->out, "hello");
  command->give(command->out, "");
  EXPECT_THAT(payloads(wire.sent),
              ElementsAre(channel(0, "\x34\x12"), channel(1, "\x34\x12"), channel(0, "hello"), kClosed));
  EXPECT_TRUE(wire.closed);
}

TEST_F(SessionsTest, a_port_that_cannot_be_reached) {
  auto speaker = std::make_unique<WebSocketForward>(ChannelForm(), opener(), "p", std::vector<std::uint16_t>{80});
  speaker->begin(wire);
  answer(fail(Code::kUnavailable, "connection refused"));
  EXPECT_THAT(payloads(wire.sent)[2], HasSubstr("error forwarding port 80 to pod p: connection refused"));
}

TEST_F(SessionsTest, an_answer_for_a_client_that_has_gone_is_dropped) {
  auto speaker = std::make_unique<WebSocketForward>(ChannelForm(), opener(), "p", std::vector<std::uint16_t>{80});
  speaker->begin(wire);
  speaker.reset();
  answer(std::make_unique<FakeSession>(command));
  EXPECT_TRUE(command->gone);
}

/// What a server has sent by SPDY, by streams: data, then "." at the end.
std::map<std::uint32_t, std::string> streams_of(std::string_view bytes) {
  SpdyReader reader;
  reader.feed(bytes);
  std::map<std::uint32_t, std::string> streams;
  for (auto frame = reader.next(); frame && *frame; frame = reader.next()) {
    if ((*frame)->type == SpdyFrame::Type::kRstStream) streams[(*frame)->stream] += "!";
    if ((*frame)->type != SpdyFrame::Type::kData) continue;
    streams[(*frame)->stream] += (*frame)->data + ((*frame)->last ? "." : "");
  }
  return streams;
}

TEST_F(SessionsTest, a_command_by_spdy_begins_when_its_streams_are_there) {
  SimulatedExecutor executor;
  SpdyCommand speaker(executor, all_streams(), true, EndForm::kStatus, std::make_unique<FakeSession>(command));
  speaker.begin(wire);
  SpdyWriter client;
  for (const auto& [id, type] : {std::pair{1, "error"}, {3, "stdin"}, {5, "stdout"}}) {
    speaker.receive(client.syn_stream(static_cast<std::uint32_t>(id), {{"streamtype", type}}, false));
  }
  speaker.receive(SpdyWriter::data(3, "in", false));
  EXPECT_FALSE(command->out);
  speaker.receive(client.syn_stream(7, {{"streamtype", "stderr"}}, false));
  EXPECT_EQ(command->input, "in");
  speaker.receive(client.syn_stream(9, {{"streamtype", "stderr"}}, false));
  speaker.receive(SpdyWriter::data(3, "", true));
  command->take();
  EXPECT_TRUE(command->input_closed);
  command->give(command->out, "out");
  command->give(command->out, "");
  command->give(command->err, "");
  command->end(0);
  const auto streams = streams_of(wire.sent);
  EXPECT_EQ(streams.at(1), std::string(kSuccess) + ".");
  EXPECT_EQ(streams.at(5), "out.");
  EXPECT_EQ(streams.at(7), ".");
  EXPECT_EQ(streams.at(9), "!") << "there is one already";
  EXPECT_TRUE(wire.closed);
}

TEST_F(SessionsTest, ports_by_spdy_in_a_websocket) {
  WebSocketTunnel tunnel(std::make_unique<SpdyForward>(opener(), "p"));
  tunnel.begin(wire);
  SpdyWriter client;
  const auto send = [&](const std::string& bytes) { tunnel.receive(client_frame(Kind::kBinary, bytes)); };
  send(client.syn_stream(1, {{"streamtype", "error"}, {"port", "80"}, {"requestid", "0"}}, false));
  send(client.syn_stream(3, {{"streamtype", "data"}, {"port", "80"}, {"requestid", "0"}}, false));
  EXPECT_THAT(opened, ElementsAre(80));
  send(SpdyWriter::data(1, "", true) + SpdyWriter::data(3, "GET", false) + SpdyWriter::ping(1));
  answer(std::make_unique<FakeSession>(command));
  EXPECT_EQ(command->input, "GET");
  command->give(command->out, "200");
  std::string inside;
  for (const std::string& payload : payloads(wire.sent)) inside += payload;
  EXPECT_EQ(streams_of(inside).at(3), "200");
  // A second connection, which the client gives up.
  send(client.syn_stream(5, {{"streamtype", "error"}, {"port", "81"}, {"requestid", "1"}}, false));
  send(client.syn_stream(7, {{"streamtype", "data"}, {"port", "81"}, {"requestid", "1"}}, false));
  const auto second = std::make_shared<FakeSession::State>();
  answer(std::make_unique<FakeSession>(second));
  send(SpdyWriter::reset(7, SpdyReset::kCancel));
  EXPECT_TRUE(second->gone);
  EXPECT_FALSE(command->gone);
}

TEST_F(SessionsTest, streams_that_are_refused) {
  const struct {
    std::string name;
    SpdyHeaders headers;
  } rows[] = {
      {"no port", {{"streamtype", "data"}}},
      {"port 0", {{"streamtype", "data"}, {"port", "0"}}},
      {"no number", {{"streamtype", "data"}, {"port", "http"}}},
      {"no type", {{"port", "80"}}},
      {"another type", {{"streamtype", "stdin"}, {"port", "80"}}},
  };
  for (const auto& row : rows) {
    FakeWire own;
    SpdyForward speaker(opener(), "p");
    speaker.begin(own);
    SpdyWriter client;
    speaker.receive(client.syn_stream(1, row.headers, false));
    EXPECT_EQ(streams_of(own.sent)[1], "!") << row.name;
  }
}

TEST_F(SessionsTest, more_streams_than_there_may_be_are_refused) {
  SpdyForward speaker(opener(), "p");
  speaker.begin(wire);
  SpdyWriter client;
  const std::uint32_t last = 2 * SpdyStreams::kMostStreams + 1;
  for (std::uint32_t id = 1; id <= last; id += 2) {
    speaker.receive(
        client.syn_stream(id, {{"streamtype", "error"}, {"port", "80"}, {"requestid", std::to_string(id)}}, false));
  }
  EXPECT_EQ(streams_of(wire.sent)[last], "!");
  EXPECT_EQ(streams_of(wire.sent).size(), 1u);
}

}  // namespace
}  // namespace tiphys::server
