#include "artifact/oss_client.h"

#include <gtest/gtest.h>

namespace tiphys::artifact {
namespace {

/// The example of help.aliyun.com/document_detail/31951.html.
TEST(OssClient, SignsAsTheDocumentationHasIt) {
  const OssKey key{"44CF9590006BF252F707", "OtxrzxIsfpFjA7SwPzILwy8Bw21TLhquhboDYROV", ""};
  const S3Request put{.method = "PUT", .key = "nelson"};
  const web::Headers headers{{"Content-MD5", "ODBGOERFMDMzQTczRUY3NUE3NzA5QzdFNUYzMDQxNEM="},
                             {"Content-Type", "text/html"},
                             {"Date", "Thu, 17 Nov 2005 18:49:58 GMT"},
                             {"x-oss-meta-author", "foo@bar.com"},
                             {"x-oss-magic", "abracadabra"}};
  EXPECT_EQ(oss_authorization(key, "oss-example", put, headers),
            "OSS 44CF9590006BF252F707:26NBxoKdsyly4EDv6inkoDft/yA=");
}

}  // namespace
}  // namespace tiphys::artifact
