// Requests to an S3 store about one bucket: where they go, their signatures, what the store's errors mean.
#pragma once

#include <string>
#include <string_view>

#include "artifact/attempts.h"
#include "artifact/aws_signature.h"
#include "artifact/xml.h"

namespace tiphys::artifact {

struct S3Bucket {
  std::string endpoint;  ///< host, with a port if need be
  bool secure = true;
  std::string bucket;
  std::string region;            ///< "": asked for
  std::string addressing_style;  ///< "", path, virtual-hosted
  std::string trusted_ca;        ///< PEM; "": what the system trusts
  AwsKey key;
};

/// What a request came to. An S3 error has a code of its own ("NoSuchKey").
struct S3Answer {
  web::HttpAnswer http;
  std::string error_code;
  std::string error_message;
  bool failed() const { return !error_code.empty(); }
};

struct S3Request {
  std::string method = "GET";
  std::string key{};  ///< "" is the bucket itself
  Query query{};
  web::Headers headers{};
  std::string body{};
  std::optional<web::FilePart> file{};
  web::BodySink sink{};
};

class S3Client {
 public:
  S3Client(S3Bucket bucket, const web::Environment& environment, std::stop_token stop)
      : bucket_(std::move(bucket)), environment_(environment), stop_(std::move(stop)) {}

  /// An error is the network's; the store's own are in the answer.
  Result<S3Answer> send(const S3Request& request);
  const S3Bucket& bucket() const { return bucket_; }
  /// The region that the bucket is in.
  Result<std::string> region();

 private:
  Result<S3Answer> send_to(const S3Request& request, std::string_view region, const S3Bucket& bucket);

  S3Bucket bucket_;
  const web::Environment& environment_;
  std::stop_token stop_;
};

/// Where a key is: with the bucket in the host's name or in the path.
std::string s3_url(const S3Bucket& bucket, std::string_view key, std::string_view region);

/// What an answer or its absence means for an attempt: failed with the store's message, and worth another or not.
Attempt s3_attempt(const Result<S3Answer>& answer, std::string_view what);

}  // namespace tiphys::artifact
