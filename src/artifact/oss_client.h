// Requests to Alibaba's store about one bucket, signed by its first version of signatures, as the original's library
// does: help.aliyun.com/document_detail/31951.html.
#pragma once

#include <stop_token>
#include <string>

#include "artifact/s3_protocol.h"
#include "base/time.h"

namespace tiphys::artifact {

struct OssKey {
  std::string id, secret, security_token;  ///< the token "" when there is none
};

struct OssBucket {
  std::string endpoint;  ///< a host or a URL; http without a scheme, as there
  std::string bucket;
  OssKey key;
};

class OssClient final : public S3Server {
 public:
  OssClient(OssBucket bucket, const web::Environment& environment, std::stop_token stop);

  Result<S3Answer> send(const S3Request& request) override { return send_to(bucket_.bucket, request); }
  /// About the account.
  Result<S3Answer> send_to_service(const S3Request& request) { return send_to("", request); }
  const OssBucket& bucket() const { return bucket_; }

 private:
  Result<S3Answer> send_to(const std::string& bucket, const S3Request& request) const;

  OssBucket bucket_;
  std::string scheme_, host_;
  const web::Environment& environment_;
  const std::stop_token stop_;
};

/// The header Authorization: `headers` has Date, Content-MD5 and Content-Type, as far as they are sent, and x-oss-....
std::string oss_authorization(const OssKey& key, const std::string& bucket, const S3Request& request,
                              const web::Headers& headers);

/// The key that Alibaba's programs find: ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET; the role
/// ALIBABA_CLOUD_ROLE_ARN by the token in ALIBABA_CLOUD_OIDC_TOKEN_FILE; the profile of ~/.aliyun/config.json; what
/// ALIBABA_CLOUD_CREDENTIALS_URI gives.
Attempt ambient_oss_key(OssKey& key, const web::Environment& environment, const std::stop_token& stop);

}  // namespace tiphys::artifact
