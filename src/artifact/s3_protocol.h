// What S3 and the stores that are like it have in common: requests about one bucket, errors, lists in pages.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "artifact/attempts.h"
#include "artifact/uri.h"
#include "web/http_client.h"

namespace tiphys::artifact {

struct S3Request {
  std::string method = "GET";
  std::string key{};  ///< "" is the bucket itself
  Query query{};
  web::Headers headers{};
  std::string body{};
  std::optional<web::FilePart> file{};
  web::BodySink sink{};
};

/// What a request came to. An error of the store has a code of its own ("NoSuchKey").
struct S3Answer {
  web::HttpAnswer http;
  std::string error_code;
  std::string error_message;
  bool passing = false;  ///< the error passes by itself
  bool failed() const { return !error_code.empty(); }
};

class S3Server {
 public:
  virtual ~S3Server() = default;
  /// An error is the network's; the store's own are in the answer.
  virtual Result<S3Answer> send(const S3Request& request) = 0;
};

/// Takes the store's error from an answer that has one; errors of 5xx pass, and those with one of these codes.
void read_s3_error(S3Answer& answer, std::span<const std::string_view> passing_codes);
/// What an answer or its absence means for an attempt: failed with the store's message, and worth another or not.
Attempt s3_attempt(const Result<S3Answer>& answer, std::string_view what);
/// Adds the keys that begin with the prefix.
Attempt s3_list(S3Server& server, const std::string& prefix, std::vector<std::string>& keys);

}  // namespace tiphys::artifact
