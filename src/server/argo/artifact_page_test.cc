#include "server/argo/artifact_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace tiphys::server {
namespace {

using testing::Contains;
using testing::Pair;

TEST(ArtifactPageTest, TypesAndNames) {
  struct Case {
    const char* name;
    const char* type;
    const char* disposition;
  };
  const Case cases[] = {
      {"a.txt", "text/plain; charset=utf-8", "filename=\"a.txt\""},
      {"model.tgz", "application/gzip", "filename=\"model.tgz\""},
      {"page.html", "text/html; charset=utf-8", "filename=\"page.html\""},
      {"x.svg", "image/svg+xml", "filename=\"x.svg\""},
      {"txt", "application/octet-stream", "filename=\"txt\""},
      {"a\"b\r\nX: y", "application/octet-stream", "filename=\"a_b__X: y\"; filename*=UTF-8''a%22b%0D%0AX%3A%20y"},
      {"gr\xc3\xbc"
       "n.csv",
       "text/csv; charset=utf-8", "filename=\"gr__n.csv\"; filename*=UTF-8''gr%C3%BCn.csv"},
  };
  for (const Case& one : cases) {
    const AnswerHead head = artifact_head(one.name);
    EXPECT_EQ(head.content_type, one.type) << one.name;
    EXPECT_THAT(head.fields, Contains(Pair("Content-Disposition", one.disposition))) << one.name;
    EXPECT_THAT(head.fields, Contains(Pair("X-Content-Type-Options", "nosniff")));
    EXPECT_THAT(head.fields, Contains(Pair("Content-Security-Policy",
                                           "sandbox allow-same-origin; base-uri 'none'; default-src 'none'; "
                                           "img-src 'self'; style-src 'self' 'unsafe-inline'")));
  }
}

TEST(ArtifactPageTest, AFolderShowsWhatIsInItOnce) {
  const std::vector<std::string> files{"a/1.txt", "a/b/2.txt", "javascript:alert(1)", "<img src=x onerror=alert(1)>",
                                       "z"};
  EXPECT_EQ(
      folder_page(files),
      "<html><body><ul>\n<li><a href=\"..\">..</a></li>\n"
      "<li><a href=\"./%3Cimg%20src%3Dx%20onerror%3Dalert%281%29%3E\">&lt;img src=x onerror=alert(1)&gt;</a></li>\n"
      "<li><a href=\"./a/\">a/</a></li>\n"
      "<li><a href=\"./javascript%3Aalert%281%29\">javascript:alert(1)</a></li>\n"
      "<li><a href=\"./z\">z</a></li>\n"
      "</ul></body></html>");
}

}  // namespace
}  // namespace tiphys::server
