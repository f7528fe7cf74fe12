#include "artifact/s3_encryption.h"

#include "artifact/argon2.h"
#include "artifact/digest.h"
#include "base/encoding.h"
#include "doc/truth.h"

namespace tiphys::artifact {
namespace {

Result<web::Headers> by_kms(const doc::Value& options, std::string_view id) {
  web::Headers headers{{"x-amz-server-side-encryption", "aws:kms"},
                       {"x-amz-server-side-encryption-aws-kms-key-id", std::string(id)}};
  const std::string_view text = doc::find_string(options, "kmsEncryptionContext");
  if (text.empty()) return headers;
  if (const auto parsed = doc::parse_json(text); !parsed) {
    return std::unexpected(parsed.error().in("failed to parse KMS encryption context"));
  }
  headers.emplace_back("x-amz-server-side-encryption-context", encode_base64(text));
  return headers;
}

}  // namespace

Result<S3Encryption> S3Encryption::of(const doc::Value* options, std::string bucket, std::string password) {
  S3Encryption made;
  if (!options) return made;
  const std::string_view id = doc::find_string(*options, "kmsKeyId");
  if (!id.empty() && doc::find(*options, "serverSideCustomerKeySecret")) {
    return fail(Code::kInvalidArgument, "serverSideCustomerKeySecret and kmsKeyId cannot be set together");
  }
  if (!doc::is_true(*options, "enableEncryption")) return made;
  if (!password.empty()) {
    made.bucket_ = std::move(bucket);
    made.password_ = std::move(password);
  } else if (id.empty()) {
    made.by_store_ = {{"x-amz-server-side-encryption", "AES256"}};
  } else {
    TIPHYS_TRY(made.by_store_, by_kms(*options, id));
  }
  return made;
}

web::Headers S3Encryption::of_new(const std::string& key) const {
  return password_.empty() ? by_store_ : of_known(key);
}

web::Headers S3Encryption::of_known(const std::string& key) const {
  if (password_.empty()) return {};
  const std::string made = argon2id(password_, bucket_ + key, {});
  return {{"x-amz-server-side-encryption-customer-algorithm", "AES256"},
          {"x-amz-server-side-encryption-customer-key", encode_base64(made)},
          {"x-amz-server-side-encryption-customer-key-MD5", encode_base64(md5(made))}};
}

}  // namespace tiphys::artifact
