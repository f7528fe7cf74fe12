// Artifacts in Alibaba's store. Original: workflow/artifacts/oss.
#include <fmt/format.h>

#include "artifact/digest.h"
#include "artifact/drivers.h"
#include "artifact/oss_client.h"
#include "artifact/prefix_place.h"
#include "artifact/s3_upload.h"
#include "artifact/xml.h"
#include "base/encoding.h"
#include "base/strings.h"
#include "doc/truth.h"

namespace tiphys::artifact {
namespace {

std::int64_t days(const doc::Value& rule, std::string_view field) {
  const doc::Value* value = doc::find(rule, field);
  return value && value->is_int64() ? value->get_int64() : 0;
}

class OssPlace final : public PrefixPlace {
 public:
  OssPlace(const DriverContext& context, OssBucket bucket)
      : PrefixPlace(std::string(doc::find_string(context.place, "key")), context.options, context.stop),
        place_(context.place),
        client_(std::move(bucket), options_.environment, stop_),
        upload_(client_, plain_, options_.part_bytes) {}

 private:
  Attempt get(const std::string& key, ReceivedFile& file) override {
    return s3_attempt(client_.send({.key = key, .sink = file.sink()}), "failed to get file");
  }
  Attempt find(const std::string& key) override {
    return s3_attempt(client_.send({.method = "HEAD", .key = key}), "failed to check the key");
  }
  Attempt erase(const std::string& key) override {
    return s3_attempt(client_.send({.method = "DELETE", .key = key}), "failed to delete");
  }
  Attempt put(const std::string& key, const std::string& host_path, std::uint64_t size) override {
    return upload_.put(key, host_path, size);
  }
  Attempt put_folder(const std::string& key) override {
    return s3_attempt(client_.send({.method = "PUT", .key = key}), "failed to put folder");
  }
  bool keeps_folders() const override { return true; }
  Attempt list_prefix(const std::string& prefix, std::vector<std::string>& keys) override {
    return s3_list(client_, prefix, keys);
  }
  std::string shown() const override {
    return fmt::format("bucket \"{}\" at {}", client_.bucket().bucket, client_.bucket().endpoint);
  }

  Attempt prepare() override {
    if (doc::is_true(place_, "createBucketIfNotPresent")) {
      if (Attempt made = make_bucket(); !made.status) return made;
    }
    const doc::Value* rule = doc::find(place_, "lifecycleRule");
    return rule && rule->is_object() ? set_lifecycle(*rule) : Attempt();
  }

  Attempt make_bucket() {
    const std::string& name = client_.bucket().bucket;
    const auto listed = client_.send_to_service({.query = {{"prefix", name}, {"max-keys", "1000"}}});
    const std::string what = fmt::format("failed to check if bucket {} exists", name);
    if (Attempt attempt = s3_attempt(listed, what); !attempt.status) return attempt;
    const auto root = parse_xml(listed->http.body);
    if (!root) return {std::unexpected(root.error().in(what))};
    if (const XmlElement* buckets = root->find("Buckets")) {
      for (const XmlElement& bucket : buckets->children) {
        if (bucket.child_text("Name") == name) return {};
      }
    }
    return s3_attempt(client_.send({.method = "PUT"}),
                      fmt::format("failed to automatically create bucket {} when it's not present", name));
  }

  /// In place of all that the bucket has, as in the original.
  Attempt set_lifecycle(const doc::Value& rule) {
    const std::int64_t cold = days(rule, "markInfrequentAccessAfterDays"), gone = days(rule, "markDeletionAfterDays");
    if (cold == 0 && gone == 0) return {};
    if (cold > gone) {
      return {fail(Code::kInvalidArgument, "markInfrequentAccessAfterDays cannot be large than markDeletionAfterDays")};
    }
    const std::string key(doc::find_string(place_, "key"));
    const std::string transition =
        cold ? fmt::format("<Transition><Days>{}</Days><StorageClass>IA</StorageClass></Transition>", cold) : "";
    S3Request request{.method = "PUT", .query = {{"lifecycle", ""}}};
    request.body = fmt::format(
        "<LifecycleConfiguration><Rule><ID>{}</ID><Prefix>{}</Prefix><Status>Enabled</Status>{}<Expiration><Days>{}"
        "</Days></Expiration><AbortMultipartUpload><Days>{}</Days></AbortMultipartUpload></Rule>"
        "</LifecycleConfiguration>",
        encode_hex(sha256(key)), xml_text(key), transition, gone, gone);
    request.headers = {{"Content-MD5", encode_base64(md5(request.body))}, {"Content-Type", "application/xml"}};
    return s3_attempt(client_.send(request), "failed to set the lifecycle of the bucket");
  }

  const doc::Value place_;
  const S3Encryption plain_{};
  OssClient client_;
  S3Upload upload_;
};

}  // namespace

Result<std::unique_ptr<Place>> open_oss(const DriverContext& context) {
  const auto text = [&](std::string_view field) { return std::string(doc::find_string(context.place, field)); };
  OssBucket bucket{.endpoint = text("endpoint"), .bucket = text("bucket"), .key = {}};
  if (doc::is_true(context.place, "useSDKCreds")) {
    TIPHYS_CHECK_OK(with_attempts(context.options.retry, context.stop, [&] {
      return ambient_oss_key(bucket.key, context.options.environment, context.stop);
    }));
    return std::make_unique<OssPlace>(context, std::move(bucket));
  }
  TIPHYS_TRY(bucket.key.id, context.credentials.get(context.place, "accessKeySecret"));
  TIPHYS_TRY(bucket.key.secret, context.credentials.get(context.place, "secretKeySecret"));
  if (bucket.key.id.empty() || bucket.key.secret.empty()) {
    return fail(
        Code::kInvalidArgument,
        "there is no key for the store: name Secrets in accessKeySecret and secretKeySecret, or set useSDKCreds");
  }
  bucket.key.security_token = text("securityToken");
  return std::make_unique<OssPlace>(context, std::move(bucket));
}

}  // namespace tiphys::artifact
