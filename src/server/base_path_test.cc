#include "server/base_path.h"

#include <gtest/gtest.h>

namespace tiphys::server {
namespace {

TEST(BasePath, BeginsAndEndsWithASlash) {
  const struct {
    const char* written;
    const char* path;
  } rows[] = {{"", "/"},
              {"/", "/"},
              {"argo", "/argo/"},
              {"/argo", "/argo/"},
              {"argo/", "/argo/"},
              {"//argo/workflows//", "/argo/workflows/"},
              {"/a-b_c.d~1/%20", "/a-b_c.d~1/%20/"}};
  for (const auto& [written, path] : rows) EXPECT_EQ(base_path(written).value_or("none"), path) << written;
}

TEST(BasePath, IsAPathOfAUrl) {
  for (const char* written :
       {"/a b", "/\"><script>", "/a'", "/a;Domain=b", "/a\\b", "/a?b", "/a#b", "/a\r\nb", "/gr\xC3\xBCn"}) {
    const auto path = base_path(written);
    ASSERT_FALSE(path) << written;
    EXPECT_NE(path.error().message.find("is no path of a URL"), std::string::npos) << written;
  }
}

}  // namespace
}  // namespace tiphys::server
