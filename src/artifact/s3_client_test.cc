#include "artifact/s3_client.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tiphys::artifact {
namespace {

TEST(S3Client, AddressesTheBucketAsMinioDoes) {
  struct Row {
    const char* endpoint;
    const char* style;
    const char* bucket;
    bool secure;
    const char* url;
  };
  for (const Row& row : {
           Row{"minio:9000", "", "b", false, "http://minio:9000/b/k%20y"},
           Row{"minio:9000", "virtual-hosted", "b", false, "http://b.minio:9000/k%20y"},
           Row{"s3.amazonaws.com", "", "b", true, "https://b.s3.eu-central-1.amazonaws.com/k%20y"},
           Row{"s3.amazonaws.com", "path", "b", true, "https://s3.eu-central-1.amazonaws.com/b/k%20y"},
           Row{"s3.amazonaws.com", "", "b.c", true, "https://s3.eu-central-1.amazonaws.com/b.c/k%20y"},
           Row{"s3.eu-west-1.amazonaws.com", "", "b", true, "https://b.s3.eu-west-1.amazonaws.com/k%20y"},
           Row{"storage.googleapis.com", "", "b", true, "https://b.storage.googleapis.com/k%20y"},
           Row{"oss-cn.aliyuncs.com", "", "b", true, "https://b.oss-cn.aliyuncs.com/k%20y"},
       }) {
    const S3Bucket bucket{row.endpoint, row.secure, row.bucket, "", row.style, "", {}};
    EXPECT_EQ(s3_url(bucket, "k y", "eu-central-1"), row.url);
  }
}

TEST(S3Client, TakesTheRegionFromAmazonsHosts) {
  const web::Environment environment;
  for (const auto& [host, region] : {std::pair("s3.eu-west-1.amazonaws.com", "eu-west-1"),
                                     std::pair("s3.dualstack.eu-west-1.amazonaws.com", "eu-west-1"),
                                     std::pair("s3-fips.us-east-2.amazonaws.com", "us-east-2")}) {
    EXPECT_EQ(S3Client({host, true, "b", "", "", "", {}}, environment, {}).region().value_or(""), region);
  }
  EXPECT_EQ(S3Client({"minio:9000", true, "b", "here", "", "", {}}, environment, {}).region().value_or(""), "here");
}

TEST(S3Client, ErrorsThatPassAreWorthAnotherAttempt) {
  struct Row {
    int status;
    const char* code;
    bool passes;
    Code kind;
  };
  for (const Row& row :
       {Row{503, "SlowDown", true, Code::kUnavailable}, Row{500, "Odd", true, Code::kUnavailable},
        Row{400, "RequestTimeout", true, Code::kUnavailable}, Row{404, "NoSuchKey", false, Code::kNotFound},
        Row{404, "NoSuchBucket", false, Code::kUnknown}, Row{403, "AccessDenied", false, Code::kPermissionDenied}}) {
    S3Answer answer;
    answer.http.status = row.status;
    answer.http.body = fmt::format("<Error><Code>{}</Code><Message>why</Message></Error>", row.code);
    constexpr std::string_view kPassing[] = {"SlowDown", "RequestTimeout"};
    read_s3_error(answer, kPassing);
    const Attempt attempt = s3_attempt(answer, "failed to get file");
    EXPECT_EQ(attempt.passes, row.passes) << row.code;
    EXPECT_EQ(attempt.status.error(), (Error{row.kind, "failed to get file: why"})) << row.code;
  }
  EXPECT_TRUE(s3_attempt(fail(Code::kUnavailable, "dial tcp 127.0.0.1:1: connect: connection refused"), "x").passes);
  EXPECT_FALSE(s3_attempt(fail(Code::kUnavailable, "tls: failed to verify certificate: x"), "x").passes);
}

}  // namespace
}  // namespace tiphys::artifact
