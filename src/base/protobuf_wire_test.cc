#include "base/protobuf_wire.h"

#include <gtest/gtest.h>

namespace tiphys {
namespace {

TEST(ProtobufWire, WhatIsWrittenIsRead) {
  const std::string long_text(300, 'x');
  std::string inner, message;
  WireWriter(inner).bytes(4, long_text);
  WireWriter writer(message);
  writer.bytes(1, "name");
  writer.varint(2, 300);
  writer.bytes(3, inner);
  EXPECT_EQ(message.substr(0, 9), "\x0a\x04name\x10\xac\x02");
  WireReader reader(message);
  EXPECT_EQ((*reader.next())->bytes, "name");
  EXPECT_EQ((*reader.next())->value, 300U);
  const auto third = *reader.next();
  EXPECT_EQ(third->number, 3U);
  EXPECT_EQ((*WireReader(third->bytes).next())->bytes, long_text);
  EXPECT_FALSE((*reader.next()).has_value());
}

TEST(ProtobufWire, AMessageThatIsCutShortIsAnError) {
  EXPECT_FALSE(WireReader("\x0a\x05xy").next().has_value());
}

}  // namespace
}  // namespace tiphys
