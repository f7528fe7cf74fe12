#include "artifact/aws_signature.h"

#include <gtest/gtest.h>

#include "artifact/digest.h"
#include "base/encoding.h"

namespace tiphys::artifact {
namespace {

/// The examples of docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html.
TEST(AwsSignature, IsThatOfTheExamples) {
  const AwsKey key{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};
  const Time now = parse_rfc3339("2013-05-24T00:00:00Z").value();
  const std::string empty = encode_hex(sha256(""));
  struct Row {
    const char* name;
    AwsRequest request;
    const char* signature;
  };
  const Row kRows[] = {
      {"get of a range",
       {"GET", "", "/test.txt", {}, {{"Range", "bytes=0-9"}}, empty},
       "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
      {"put",
       {"PUT",
        "",
        "/test%24file.text",
        {},
        {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
        encode_hex(sha256("Welcome to Amazon S3."))},
       "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
      {"a query without a value",
       {"GET", "", "/", {{"lifecycle", ""}}, {}, empty},
       "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
      {"a query is sorted",
       {"GET", "", "/", {{"prefix", "J"}, {"max-keys", "2"}}, {}, empty},
       "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
  };
  for (Row row : kRows) {
    row.request.host = "examplebucket.s3.amazonaws.com";
    const web::Headers headers = sign(row.request, key, "us-east-1", now);
    const std::string& authorization = headers.back().second;
    EXPECT_EQ(authorization.substr(authorization.find("Signature=") + 10), row.signature) << row.name;
  }
}

TEST(AwsSignature, SignsTheSessionsToken) {
  const web::Headers headers = sign({"GET", "h", "/", {}, {}, "x"}, {"id", "secret", "token"}, "r", Time{});
  EXPECT_NE(headers.back().second.find("SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token"),
            std::string::npos);
}

TEST(AwsSignature, Encodes) {
  EXPECT_EQ(uri_encode("a/b c+\xC3\xA4~", true), "a/b%20c%2B%C3%A4~");
  EXPECT_EQ(uri_encode("a/b", false), "a%2Fb");
  EXPECT_EQ(canonical_query({{"b", "1"}, {"a", "x=y"}}), "a=x%3Dy&b=1");
}

}  // namespace
}  // namespace tiphys::artifact
