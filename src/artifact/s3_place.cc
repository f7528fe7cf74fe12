// Artifacts in S3 stores. A folder is all the keys below its own. Original: workflow/artifacts/s3/s3.go.
#include <fmt/format.h>

#include "artifact/aws_identity.h"
#include "artifact/digest.h"
#include "artifact/drivers.h"
#include "artifact/prefix_place.h"
#include "artifact/s3_client.h"
#include "artifact/s3_encryption.h"
#include "artifact/s3_upload.h"
#include "artifact/xml.h"
#include "base/encoding.h"
#include "base/strings.h"
#include "doc/truth.h"

namespace tiphys::artifact {
namespace {

class S3Place final : public PrefixPlace {
 public:
  S3Place(const DriverContext& context, S3Bucket bucket, S3Encryption encryption)
      : PrefixPlace(std::string(doc::find_string(context.place, "key")), context.options, context.stop),
        place_(context.place),
        client_(std::move(bucket), options_.environment, stop_),
        encryption_(std::move(encryption)),
        upload_(client_, encryption_, options_.part_bytes) {}

 private:
  Attempt get(const std::string& key, ReceivedFile& file) override {
    return s3_attempt(client_.send({.key = key, .headers = encryption_.of_known(key), .sink = file.sink()}),
                      "failed to get file");
  }
  Attempt find(const std::string& key) override {
    return s3_attempt(client_.send({.method = "HEAD", .key = key, .headers = encryption_.of_known(key)}),
                      "failed to check the key");
  }
  Attempt erase(const std::string& key) override {
    return s3_attempt(client_.send({.method = "DELETE", .key = key}), "failed to delete");
  }
  Attempt put(const std::string& key, const std::string& host_path, std::uint64_t size) override {
    return upload_.put(key, host_path, size);
  }
  std::string shown() const override {
    return fmt::format("bucket \"{}\" at {}", client_.bucket().bucket, client_.bucket().endpoint);
  }

  Attempt list_prefix(const std::string& prefix, std::vector<std::string>& keys) override {
    return s3_list(client_, prefix, keys);
  }

  Attempt prepare() override {
    const doc::Value* wanted = doc::find(place_, "createBucketIfNotPresent");
    if (!wanted || !wanted->is_object()) return {};
    const auto region = client_.region();
    if (!region) return {std::unexpected(region.error()), passes(region.error())};
    S3Request request{.method = "PUT"};
    if (*region != "us-east-1") {
      request.body = fmt::format(
          "<CreateBucketConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
          "<LocationConstraint>{}</LocationConstraint></CreateBucketConfiguration>",
          xml_text(*region));
    }
    if (doc::is_true(*wanted, "objectLocking"))
      request.headers.emplace_back("x-amz-bucket-object-lock-enabled", "true");
    const auto answer = client_.send(request);
    const bool exists =
        answer && (answer->error_code == "BucketAlreadyExists" || answer->error_code == "BucketAlreadyOwnedByYou");
    if (exists) return {};
    Attempt made = s3_attempt(answer, fmt::format("failed to create bucket {}", client_.bucket().bucket));
    return made.status ? encrypt_bucket() : made;
  }

  Attempt encrypt_bucket() {
    const doc::Value* wanted = doc::find(place_, "encryptionOptions");
    if (!wanted || !doc::is_true(*wanted, "enableEncryption")) return {};
    const std::string_view id = doc::find_string(*wanted, "kmsKeyId");
    const std::string by = id.empty() ? "<SSEAlgorithm>AES256</SSEAlgorithm>"
                                      : fmt::format(
                                            "<KMSMasterKeyID>{}</KMSMasterKeyID><SSEAlgorithm>aws:kms"
                                            "</SSEAlgorithm>",
                                            xml_text(id));
    S3Request request{.method = "PUT", .query = {{"encryption", ""}}};
    request.body = fmt::format(
        "<ServerSideEncryptionConfiguration xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Rule>"
        "<ApplyServerSideEncryptionByDefault>{}</ApplyServerSideEncryptionByDefault></Rule>"
        "</ServerSideEncryptionConfiguration>",
        by);
    request.headers.emplace_back("Content-MD5", encode_base64(md5(request.body)));
    return s3_attempt(client_.send(request), fmt::format("failed to create bucket {}", client_.bucket().bucket));
  }

  const doc::Value place_;
  S3Client client_;
  const S3Encryption encryption_;
  S3Upload upload_;
};

/// A key that the place names counts before its role, as in the original.
Status read_key(const DriverContext& context, AwsKey& key) {
  TIPHYS_TRY(key.id, context.credentials.get(context.place, "accessKeySecret"));
  TIPHYS_TRY(key.secret, context.credentials.get(context.place, "secretKeySecret"));
  TIPHYS_TRY(key.session_token, context.credentials.get(context.place, "sessionTokenSecret"));
  key.id = trim(key.id);
  key.secret = trim(key.secret);
  if (!key.id.empty() && !key.secret.empty()) return {};
  const AwsIdentity identity(std::string(doc::find_string(context.place, "region")), context.options.environment,
                             context.stop);
  const std::string role(doc::find_string(context.place, "roleARN"));
  return with_attempts(context.options.retry, context.stop, [&] {
    Attempt found = identity.ambient(key);
    if (!found.status || role.empty()) return found;
    return identity.assume_role(role, key);
  });
}

}  // namespace

Result<std::unique_ptr<Place>> open_s3(const DriverContext& context) {
  const auto text = [&](std::string_view field) { return std::string(doc::find_string(context.place, field)); };
  S3Bucket bucket{.endpoint = text("endpoint"),
                  .secure = !doc::is_true(context.place, "insecure"),
                  .bucket = text("bucket"),
                  .region = text("region"),
                  .addressing_style = text("addressingStyle"),
                  .trusted_ca = {},
                  .key = {}};
  TIPHYS_CHECK_OK(read_key(context, bucket.key));
  TIPHYS_TRY(bucket.trusted_ca, context.credentials.get(context.place, "caSecret"));
  const doc::Value* options = doc::find(context.place, "encryptionOptions");
  std::string password;
  if (options) {
    TIPHYS_TRY(password, context.credentials.get(*options, "serverSideCustomerKeySecret"));
  }
  if (!password.empty() && !bucket.secure) {
    return fail(Code::kInvalidArgument,
                "serverSideCustomerKeySecret would be sent without TLS: it must not be with insecure: true");
  }
  TIPHYS_TRY(S3Encryption encryption, S3Encryption::of(options, bucket.bucket, std::move(password)));
  return std::make_unique<S3Place>(context, std::move(bucket), std::move(encryption));
}

}  // namespace tiphys::artifact
