// Requests to an S3 store about one bucket: where they go, and their signatures.
#pragma once

#include <string>
#include <string_view>

#include "artifact/aws_signature.h"
#include "artifact/s3_protocol.h"

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

class S3Client final : public S3Server {
 public:
  S3Client(S3Bucket bucket, const web::Environment& environment, std::stop_token stop)
      : bucket_(std::move(bucket)), environment_(environment), stop_(std::move(stop)) {}

  Result<S3Answer> send(const S3Request& request) override;
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

}  // namespace tiphys::artifact
