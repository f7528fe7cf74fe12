#include "doc/duplicate_fields.h"

#include <gmock/gmock.h>

namespace tiphys::doc {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(DuplicateFields, AreToldByTheirPaths) {
  EXPECT_THAT(duplicate_fields(R"({"a": 1, "b": {"a": [1, "a", "a"]}, "c": [{"a": 1}, {"a": 2}], "\"a": "a"})"),
              IsEmpty());
  EXPECT_THAT(duplicate_fields(R"({"a": 1, "a": 2})"), ElementsAre("a"));
  EXPECT_THAT(duplicate_fields(R"({"l": [[{"x": 1}], {"k": {"a": "}", "b": 2, "a": 3}}], "l": 1})"),
              ElementsAre("l[1].k.a", "l"));
  EXPECT_THAT(duplicate_fields(R"({"a\"b": 1, "a\u0022b": 2})"), ElementsAre("a\"b"));
  EXPECT_THAT(duplicate_fields("5"), IsEmpty());
}

}  // namespace
}  // namespace tiphys::doc
