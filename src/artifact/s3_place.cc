// Artifacts in S3 stores. A folder is all the keys below its own. Original: workflow/artifacts/s3/s3.go.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>

#include "artifact/digest.h"
#include "artifact/drivers.h"
#include "artifact/file_tree.h"
#include "artifact/received_file.h"
#include "artifact/s3_client.h"
#include "artifact/s3_upload.h"
#include "base/encoding.h"
#include "base/strings.h"

namespace tiphys::artifact {
namespace {

namespace fs = std::filesystem;

bool truth(const doc::Value& place, std::string_view field) {
  const doc::Value* value = doc::find(place, field);
  return value && value->is_bool() && value->get_bool();
}

/// "a//b/" as the folder "a/b/"; "" is all there is.
std::string folder_prefix(std::string_view key) {
  if (key.empty()) return "";
  const std::string clean = fs::path(key).lexically_normal().string();
  return clean.ends_with('/') ? clean : clean + "/";
}

/// What a list gives: '+' is a space, %XX a byte.
std::string url_decoded(std::string_view text) {
  std::string made;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    const auto hex = text.substr(i + 1, 2);
    const bool escaped = text[i] == '%' && hex.size() == 2 &&
                         std::from_chars(hex.data(), hex.data() + 2, byte, 16).ptr == hex.data() + 2;
    made += escaped ? static_cast<char>(byte) : text[i] == '+' ? ' ' : text[i];
    if (escaped) i += 2;
  }
  return made;
}

class S3Place final : public Place {
 public:
  S3Place(const DriverContext& context, S3Bucket bucket, web::Headers encryption)
      : place_(context.place),
        key_(doc::find_string(place_, "key")),
        options_(context.options),
        stop_(context.stop),
        client_(std::move(bucket), options_.environment, stop_),
        upload_(client_, std::move(encryption), options_.part_bytes) {}

  Status load(const std::string& host_path) override {
    return told(attempts([&] { return try_load(host_path); }));
  }
  Status save(const std::string& host_path) override {
    return told(attempts([&] { return try_save(host_path); }));
  }
  Status remove() override {
    return told(attempts([&] { return try_remove(); }));
  }

  Result<std::vector<std::string>> list() override {
    std::vector<std::string> keys;
    const Status listed = attempts([&] {
      keys.clear();
      Attempt attempt = list_below(key_, keys);
      if (!attempt.status || !keys.empty()) return attempt;
      attempt = s3_attempt(client_.send({.method = "HEAD", .key = key_}), "failed to check the key");
      if (!attempt.status && attempt.status.error().code == Code::kNotFound) {
        attempt.status = fail(Code::kNotFound, fmt::format("no key found of name {}", key_));
      }
      return attempt;
    });
    if (!listed) return std::unexpected(listed.error().code == Code::kNotFound ? listed.error() : told(listed).error());
    std::ranges::sort(keys);
    return keys;
  }

 private:
  template <typename Try>
  Status attempts(Try attempt) {
    return with_attempts(options_.retry, stop_, std::move(attempt));
  }

  Status told(Status status) const {
    if (status) return status;
    Error error = std::move(status).error();
    error.message +=
        fmt::format(" (key \"{}\" in bucket \"{}\" at {})", key_, client_.bucket().bucket, client_.bucket().endpoint);
    return std::unexpected(std::move(error));
  }

  Attempt try_load(const std::string& host_path) {
    Attempt file = load_file(key_, host_path);
    if (file.status || file.status.error().code != Code::kNotFound) return file;
    // It may be a folder.
    std::vector<std::string> keys;
    Attempt listed = list_below(key_, keys);
    if (!listed.status) return listed;
    if (keys.empty()) return file;
    return load_folder(keys, host_path);
  }

  Attempt load_file(const std::string& key, const std::string& host_path) {
    ReceivedFile file(host_path);
    const auto answer = client_.send({.key = key, .sink = file.sink()});
    if (!file.status()) return {file.status()};
    Attempt attempt = s3_attempt(answer, "failed to get file");
    if (attempt.status) attempt.status = file.keep();
    return attempt;
  }

  Attempt load_folder(const std::vector<std::string>& keys, const std::string& host_path) {
    const std::string prefix = folder_prefix(key_);
    TreeBelow tree(host_path);
    for (const std::string& key : keys) {
      const auto target = tree.file(std::string_view(key).substr(prefix.size()));
      if (!target) return {std::unexpected(target.error())};
      Attempt one = load_file(key, *target);
      if (!one.status) return {std::unexpected(one.status.error().in("failed to get directory")), one.passes};
    }
    tree.keep();
    return {};
  }

  /// The keys of files below a key, in pages.
  Attempt list_below(const std::string& key, std::vector<std::string>& keys) {
    const std::string prefix = folder_prefix(key);
    std::string next;
    do {
      S3Request request{.query = {{"list-type", "2"}, {"encoding-type", "url"}, {"prefix", prefix}}};
      if (!next.empty()) request.query.emplace_back("continuation-token", next);
      const auto answer = client_.send(request);
      if (Attempt attempt = s3_attempt(answer, "failed to list directory"); !attempt.status) return attempt;
      const auto page = parse_xml(answer->http.body);
      if (!page) return {std::unexpected(page.error().in("failed to list directory"))};
      for (const XmlElement& entry : page->children) {
        if (entry.name != "Contents") continue;
        std::string found = url_decoded(entry.child_text("Key"));
        // Consoles keep folders as empty objects.
        if (!found.ends_with('/')) keys.push_back(std::move(found));
      }
      next = page->child_text("IsTruncated") == "true" ? page->child_text("NextContinuationToken") : "";
    } while (!next.empty());
    return {};
  }

  Attempt try_save(const std::string& host_path) {
    if (Attempt made = make_bucket(); !made.status) return made;
    struct stat about{};
    if (::stat(host_path.c_str(), &about) != 0) return {fail_errno(host_path, errno)};
    if (S_ISREG(about.st_mode)) return upload_.put(key_, host_path, static_cast<std::uint64_t>(about.st_size));
    auto top = open_tree(host_path);
    if (!top) return {std::unexpected(top.error())};
    Attempt failed;
    const Status walked = walk_tree(std::move(*top), host_path, [&](const TreeEntry& entry) -> Status {
      if (!S_ISREG(entry.stat.st_mode)) return {};
      const std::string key = (fs::path(key_) / entry.path).lexically_normal().string();
      failed = upload_.put(key, host_path + "/" + entry.path, static_cast<std::uint64_t>(entry.stat.st_size));
      return failed.status;
    });
    if (!failed.status) return {std::unexpected(failed.status.error().in("failed to put directory")), failed.passes};
    return {walked};
  }

  Attempt make_bucket() {
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
    if (truth(*wanted, "objectLocking")) request.headers.emplace_back("x-amz-bucket-object-lock-enabled", "true");
    const auto answer = client_.send(request);
    const bool exists =
        answer && (answer->error_code == "BucketAlreadyExists" || answer->error_code == "BucketAlreadyOwnedByYou");
    if (exists) return {};
    Attempt made = s3_attempt(answer, fmt::format("failed to create bucket {}", client_.bucket().bucket));
    return made.status ? encrypt_bucket() : made;
  }

  Attempt encrypt_bucket() {
    const doc::Value* wanted = doc::find(place_, "encryptionOptions");
    if (!wanted || !truth(*wanted, "enableEncryption")) return {};
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

  /// As in the original a key that ends in "/" is a folder, any other one object.
  Attempt try_remove() {
    std::vector<std::string> keys{key_};
    if (key_.ends_with('/')) {
      keys.clear();
      if (Attempt listed = list_below(key_, keys); !listed.status) return listed;
    }
    for (const std::string& key : keys) {
      Attempt one = s3_attempt(client_.send({.method = "DELETE", .key = key}), "failed to delete");
      if (!one.status && one.status.error().code != Code::kNotFound) return one;
    }
    return {};
  }

  const doc::Value place_;
  const std::string key_;
  const StoresOptions options_;
  const std::stop_token stop_;
  S3Client client_;
  S3Upload upload_;
};

Result<AwsKey> key_of(const DriverContext& context) {
  AwsKey key;
  TIPHYS_TRY(key.id, context.credentials.get(context.place, "accessKeySecret"));
  TIPHYS_TRY(key.secret, context.credentials.get(context.place, "secretKeySecret"));
  TIPHYS_TRY(key.session_token, context.credentials.get(context.place, "sessionTokenSecret"));
  key.id = trim(key.id);
  key.secret = trim(key.secret);
  if (!key.id.empty() && !key.secret.empty()) return key;
  return ambient_aws_key();
}

/// What is sent along with an object that is to be encrypted.
Result<web::Headers> encryption_headers(const doc::Value& place) {
  const doc::Value* wanted = doc::find(place, "encryptionOptions");
  if (!wanted || !truth(*wanted, "enableEncryption")) return web::Headers();
  const std::string_view id = doc::find_string(*wanted, "kmsKeyId");
  if (id.empty()) return web::Headers{{"x-amz-server-side-encryption", "AES256"}};
  web::Headers headers{{"x-amz-server-side-encryption", "aws:kms"},
                       {"x-amz-server-side-encryption-aws-kms-key-id", std::string(id)}};
  const std::string_view text = doc::find_string(*wanted, "kmsEncryptionContext");
  if (text.empty()) return headers;
  if (const auto parsed = doc::parse_json(text); !parsed) {
    return std::unexpected(parsed.error().in("failed to parse KMS encryption context"));
  }
  headers.emplace_back("x-amz-server-side-encryption-context", encode_base64(text));
  return headers;
}

}  // namespace

Result<std::unique_ptr<Place>> open_s3(const DriverContext& context) {
  const auto text = [&](std::string_view field) { return std::string(doc::find_string(context.place, field)); };
  S3Bucket bucket{.endpoint = text("endpoint"),
                  .secure = !truth(context.place, "insecure"),
                  .bucket = text("bucket"),
                  .region = text("region"),
                  .addressing_style = text("addressingStyle"),
                  .trusted_ca = {},
                  .key = {}};
  TIPHYS_TRY(bucket.key, key_of(context));
  TIPHYS_TRY(bucket.trusted_ca, context.credentials.get(context.place, "caSecret"));
  TIPHYS_TRY(web::Headers encryption, encryption_headers(context.place));
  return std::make_unique<S3Place>(context, std::move(bucket), std::move(encryption));
}

}  // namespace tiphys::artifact
