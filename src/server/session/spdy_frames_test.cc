#include "server/session/spdy_frames.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tiphys::server {
namespace {

using testing::HasSubstr;
using Type = SpdyFrame::Type;

std::vector<SpdyFrame> frames_of(SpdyReader& reader, std::string_view bytes, std::size_t step) {
  std::vector<SpdyFrame> frames;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    reader.feed(bytes.substr(at, step));
    for (auto frame = reader.next(); frame && *frame; frame = reader.next()) frames.push_back(std::move(**frame));
  }
  return frames;
}

TEST(SpdyFramesTest, what_is_written_is_read_whatever_pieces_it_comes_in) {
  const SpdyHeaders headers{{"streamtype", "stdin"}, {"port", "80"}};
  for (const std::size_t step : {1, 5, 1000}) {
    SpdyWriter writer;
    SpdyReader reader;
    std::string bytes = writer.syn_stream(1, headers, false);
    bytes += writer.syn_stream(3, {{"streamtype", "error"}}, true);
    bytes += writer.syn_reply(1, {});
    bytes += SpdyWriter::ping(7) + SpdyWriter::reset(3, SpdyReset::kCancel) + SpdyWriter::go_away(3);
    const auto frames = frames_of(reader, bytes, step);
    ASSERT_EQ(frames.size(), 6u) << step;
    EXPECT_EQ(frames[0].type, Type::kSynStream);
    EXPECT_EQ(frames[0].stream, 1u);
    EXPECT_EQ(frames[0].headers, headers);
    EXPECT_FALSE(frames[0].last);
    EXPECT_EQ(spdy_header(frames[1].headers, "streamtype"), "error");
    EXPECT_TRUE(frames[1].last);
    EXPECT_EQ(frames[2].type, Type::kSynReply);
    EXPECT_EQ(frames[3].number, 7u);
    EXPECT_EQ(frames[4].number, 5u);
    EXPECT_EQ(frames[5].type, Type::kGoAway);
  }
}

TEST(SpdyFramesTest, data_is_handed_on_as_it_comes) {
  SpdyReader reader;
  const std::string bytes = SpdyWriter::data(5, "hello", true) + SpdyWriter::data(5, "", true);
  std::string data;
  int ends = 0;
  for (const SpdyFrame& frame : frames_of(reader, bytes, 3)) {
    EXPECT_EQ(frame.stream, 5u);
    data += frame.data;
    ends += frame.last ? 1 : 0;
  }
  EXPECT_EQ(data, "hello");
  EXPECT_EQ(ends, 2);
}

TEST(SpdyFramesTest, frames_of_no_known_type_are_ignored) {
  SpdyReader reader;
  const std::string unknown("\x80\x03\x00\x0b\x00\x00\x00\x01x", 9);
  const auto frames = frames_of(reader, unknown + SpdyWriter::ping(1), 100);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].type, Type::kPing);
}

TEST(SpdyFramesTest, what_no_client_may_send) {
  const struct {
    std::string name, bytes, error;
  } rows[] = {
      {"another version", std::string("\x80\x02\0\x06\0\0\0\x04\0\0\0\x01", 12), "version 2"},
      {"a large control frame", std::string("\x80\x03\0\x04\0\xff\xff\xff", 8), "too large"},
      {"a short ping", std::string("\x80\x03\0\x06\0\0\0\x01x", 9), "wrong length"},
      {"a short reset", std::string("\x80\x03\0\x03\0\0\0\x04\0\0\0\x01", 12), "wrong length"},
      {"a short stream", std::string("\x80\x03\0\x01\0\0\0\x04\0\0\0\x01", 12), "too short"},
      {"headers that are not compressed", std::string("\x80\x03\0\x02\0\0\0\x08\0\0\0\x01\0\0\0\0", 16), "compressed"},
  };
  for (const auto& row : rows) {
    SpdyReader reader;
    reader.feed(row.bytes);
    const auto frame = reader.next();
    ASSERT_FALSE(frame) << row.name;
    EXPECT_THAT(frame.error().message, HasSubstr(row.error)) << row.name;
  }
}

TEST(SpdyFramesTest, headers_are_bounded_once_decompressed) {
  SpdyWriter writer;
  SpdyReader reader;
  reader.feed(writer.syn_stream(1, {{"streamtype", std::string(100000, 'a')}}, false));
  const auto frame = reader.next();
  ASSERT_FALSE(frame);
  EXPECT_EQ(frame.error().code, Code::kResourceExhausted);
}

}  // namespace
}  // namespace tiphys::server
