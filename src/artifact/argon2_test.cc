#include "artifact/argon2.h"

#include <gtest/gtest.h>

#include "base/encoding.h"

namespace tiphys::artifact {
namespace {

/// What OpenSSL 3.5 makes.
TEST(Argon2, IsThatOfOthers) {
  const std::string long_password =
      "a longer password of more than a hundred and twenty-eight bytes, so that the first hash has two blocks";
  struct Row {
    std::string password, salt;
    Argon2 cost;
    std::string_view key;
  };
  const Row kRows[] = {
      {"password", "somesalt", {}, "716733ba17477e10c0eac8788a61e795df9c5086d785b7de8e295b910fe9fd4a"},
      {"", "datain/a b.txt", {}, "a7c75fa1caacf45ec5b464964e38879a1a7fc8b1441737605d2b1710c43c5d99"},
      {long_password + long_password,
       "datain/a b.txt",
       {},
       "3915740e4106f88475efae8e63eaf05d286f7e95d8283664680eb852425c202d"},
      {"password",
       "somesalt",
       {.passes = 3, .kibibytes = 70, .lanes = 2},
       "7b585e842e14b3ca4519eb46617f2a0587ffccde7943bfe8a21f7099febf77b6"},
      {"password",
       "somesalt",
       {.passes = 2, .kibibytes = 8, .lanes = 1},
       "fdb4ddb6d5887131b66f0b2a3740c077dd05b755845861f6b5a1dde8b1071646"},
  };
  for (const Row& row : kRows) {
    EXPECT_EQ(encode_hex(argon2id(row.password, row.salt, row.cost)), row.key) << row.password << " " << row.salt;
  }
}

}  // namespace
}  // namespace tiphys::artifact
