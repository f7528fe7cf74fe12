// AWS Signature Version 4: docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html. Our own:
// libcurl's signs no query before 8.3.
#pragma once

#include <string>
#include <string_view>

#include "artifact/uri.h"
#include "base/time.h"
#include "web/http_client.h"

namespace tiphys::artifact {

struct AwsKey {
  std::string id, secret, session_token;  ///< the token "" when there is none
};

/// Of a body that is not hashed; TLS keeps it whole.
inline constexpr std::string_view kUnsignedPayload = "UNSIGNED-PAYLOAD";

struct AwsRequest {
  std::string method;
  std::string host;  ///< with its port, if that is not the scheme's
  std::string path;  ///< encoded
  Query query{};
  web::Headers headers{};  ///< all are signed
  std::string payload_hash;
  std::string service = "s3";
};

/// The headers of the request, signed: its own, host, x-amz-date, x-amz-content-sha256, authorization.
web::Headers sign(const AwsRequest& request, const AwsKey& key, std::string_view region, Time now);

}  // namespace tiphys::artifact
