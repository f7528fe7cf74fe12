#include "server/session/websocket.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/session/testing.h"

namespace tiphys::server {
namespace {

using testing::HasSubstr;
using Kind = WebSocketMessage::Kind;

TEST(WebSocketTest, accepts_a_key_as_in_rfc_6455) {
  EXPECT_EQ(websocket_accept("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

TEST(WebSocketTest, messages_come_whole_whatever_pieces_their_bytes_come_in) {
  const std::string large(70000, 'x');
  const std::string bytes = client_frame(Kind::kText, "hello") + client_frame(Kind::kBinary, large) +
                            client_frame(Kind::kBinary, std::string(300, 'y'));
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
    WebSocketReader reader;
    std::vector<std::string> payloads;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      reader.feed(std::string_view(bytes).substr(at, step));
      for (auto message = reader.next(); message && *message; message = reader.next()) {
        payloads.push_back((*message)->payload);
      }
    }
    EXPECT_EQ(payloads, (std::vector<std::string>{"hello", large, std::string(300, 'y')})) << step;
  }
}

TEST(WebSocketTest, fragments_are_one_message_and_control_frames_come_between_them) {
  WebSocketReader reader;
  std::string first = client_frame(Kind::kBinary, "ab");
  first[0] = 2;  // not the last
  std::string second = client_frame(Kind::kBinary, "cd");
  second[0] = static_cast<char>(0x80);
  reader.feed(first + client_frame(Kind::kPing, "p") + second);
  EXPECT_EQ((*reader.next())->kind, Kind::kPing);
  const auto message = reader.next();
  EXPECT_EQ((*message)->payload, "abcd");
  EXPECT_EQ((*message)->kind, Kind::kBinary);
}

TEST(WebSocketTest, what_no_client_may_send) {
  const struct {
    std::string name, bytes, error;
  } rows[] = {
      {"an unmasked frame", std::string("\x82\x01x", 3), "not masked"},
      {"reserved bits", std::string("\xc2\x80\0\0\0\0", 6), "reserved"},
      {"an unknown code", std::string("\x83\x80\0\0\0\0", 6), "unknown frame 3"},
      {"an unknown control code", std::string("\x8b\x80\0\0\0\0", 6), "unknown frame 11"},
      {"a control frame in fragments", std::string("\x09\x80\0\0\0\0", 6), "control frame"},
      {"a continuation of nothing", std::string("\x80\x80\0\0\0\0", 6), "out of order"},
      {"a message without bounds", std::string("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0", 14),
       "larger than 32 MiB"},
  };
  for (const auto& row : rows) {
    WebSocketReader reader;
    reader.feed(row.bytes);
    const auto message = reader.next();
    ASSERT_FALSE(message) << row.name;
    EXPECT_THAT(message.error().message, HasSubstr(row.error)) << row.name;
  }
}

}  // namespace
}  // namespace tiphys::server
