#include <gtest/gtest.h>

#include <cerrno>

#include "base/error.h"
#include "base/hash.h"
#include "base/random.h"

namespace tiphys {
namespace {

TEST(Hash, IsFnv1aOf32Bits) {
  EXPECT_EQ(fnv1a_32(""), 2166136261u);
  EXPECT_EQ(fnv1a_32("a"), 0xe40c292cu);
  EXPECT_EQ(fnv1a_32("foobar"), 0xbf9cf968u);
}

TEST(Random, IsReplayedByItsSeed) {
  SeededRandom one(7), two(7);
  EXPECT_EQ(make_uid(one), make_uid(two));
  EXPECT_EQ(make_name_suffix(one), make_name_suffix(two));
}

TEST(Random, MakesUidsOfVersionFour) {
  SystemRandom random;
  const std::string uid = make_uid(random);
  ASSERT_EQ(uid.size(), 36u);
  EXPECT_EQ(uid[14], '4');
  EXPECT_NE(std::string("89ab").find(uid[19]), std::string::npos);
  EXPECT_NE(uid, make_uid(random));
}

TEST(Error, TakesItsCodeFromErrno) {
  EXPECT_EQ(fail_errno("open /x", ENOENT).error(), (Error{Code::kNotFound, "open /x: No such file or directory"}));
  EXPECT_EQ(fail_errno("write /x", ENOSPC).error().code, Code::kResourceExhausted);
  EXPECT_EQ(Error({Code::kNotFound, "gone"}).in("template"), (Error{Code::kNotFound, "template: gone"}));
}

}  // namespace
}  // namespace tiphys
