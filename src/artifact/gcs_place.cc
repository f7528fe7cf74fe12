// Artifacts in buckets of Google's storage, by its JSON API. Original: workflow/artifacts/gcs.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "artifact/drivers.h"
#include "artifact/google_identity.h"
#include "artifact/prefix_place.h"
#include "artifact/variables.h"
#include "web/request_rules.h"

namespace tiphys::artifact {
namespace {

/// As Google's library: larger files go piece by piece, each of a multiple of 256 KiB.
constexpr std::uint64_t kLargestWhole = 16ULL << 20;
constexpr int kMorePieces = 308;

struct GcsServer {
  std::string url;  ///< "https://storage.googleapis.com"
  std::string bucket;
  std::optional<GoogleIdentity> identity;  ///< absent: an emulator, which asks nobody
};

/// "bytes=0-41" says that 42 are there.
std::uint64_t received(const web::HttpAnswer& answer) {
  const std::string* range = web::find_header(answer.headers, "range");
  const auto dash = range ? range->find('-') : std::string::npos;
  if (dash == std::string::npos) return 0;
  std::uint64_t last = 0;
  const char* end = range->data() + range->size();
  return std::from_chars(range->data() + dash + 1, end, last).ptr == end ? last + 1 : 0;
}

/// What Google's library makes of an error's answer.
std::string error_of(const web::HttpAnswer& answer) {
  const auto body = doc::parse_json(answer.body);
  const std::string_view message = body ? doc::find_string(*body, "error", "message") : "";
  if (!message.empty()) return fmt::format("googleapi: Error {}: {}", answer.status, message);
  return fmt::format("googleapi: got HTTP response code {} with body: {}", answer.status, answer.body);
}

class GcsPlace final : public PrefixPlace {
 public:
  GcsPlace(const DriverContext& context, std::string key, GcsServer server)
      : PrefixPlace(std::move(key), context.options, context.stop), server_(std::move(server)) {}

 private:
  Attempt get(const std::string& key, ReceivedFile& file) override {
    if (key.ends_with('/')) return {no_results(key)};
    web::HttpRequest request = object_request("GET", key);
    request.url += "?alt=media";
    request.sink = file.sink();
    return ask(std::move(request), key, "new bucket reader");
  }
  Attempt find(const std::string& key) override {
    return ask(object_request("GET", key), key, "failed to check the key");
  }
  Attempt erase(const std::string& key) override { return ask(object_request("DELETE", key), key, "delete " + key); }
  std::string shown() const override { return fmt::format("bucket \"{}\" at {}", server_.bucket, server_.url); }

  Attempt put(const std::string& key, const std::string& host_path, std::uint64_t size) override {
    const std::string name = key.ends_with('/') ? key.substr(0, key.size() - 1) : key;
    const std::uint64_t piece = options_.part_bytes ? options_.part_bytes : kLargestWhole;
    if (size > piece) return put_in_pieces(name, web::FilePart{host_path, 0, size}, piece);
    web::HttpRequest request = upload_request("media", name);
    request.headers = {{"Content-Type", "application/octet-stream"}};
    request.file = web::FilePart{host_path, 0, size};
    return ask(std::move(request), name, "upload " + host_path);
  }

  /// An upload goes on where the attempt before it was cut off.
  Attempt put_in_pieces(const std::string& name, const web::FilePart& whole, std::uint64_t piece) {
    const std::string what = "upload " + whole.path;
    Progress progress;
    Attempt sent = upload_.name == name ? send_piece(what, {whole.path, 0, 0}, whole.size, progress)
                                        : begin_upload(name, whole.size, what);
    while (sent.status && !progress.ended) {
      const std::uint64_t done = progress.bytes, size = std::min(piece, whole.size - std::min(done, whole.size));
      if (size > 0) sent = send_piece(what, {whole.path, done, size}, whole.size, progress);
      if (sent.status && !progress.ended && progress.bytes <= done) {
        return {fail(Code::kUnavailable, what + ": the store takes nothing"), true};
      }
    }
    if (sent.status) upload_ = {};
    return sent;
  }

  /// What the store has of an upload.
  struct Progress {
    std::uint64_t bytes = 0;
    bool ended = false;
  };

  /// A piece of nothing asks how far it is.
  Attempt send_piece(const std::string& what, web::FilePart piece, std::uint64_t whole, Progress& progress) {
    web::HttpRequest request;
    request.method = "PUT";
    request.url = upload_.url;
    const std::string range =
        piece.size ? fmt::format("{}-{}", piece.offset, piece.offset + piece.size - 1) : std::string("*");
    request.headers = {{"Content-Range", fmt::format("bytes {}/{}", range, whole)}};
    if (piece.size) request.file = std::move(piece);
    web::HttpAnswer answer;
    if (Attempt sent = send(std::move(request), what, answer); !sent.status) return sent;
    if (answer.status == 404 || answer.status == 410) {
      upload_ = {};
      return {fail(Code::kUnavailable, what + ": the store has forgotten the upload"), true};
    }
    progress = {received(answer), answer.status != kMorePieces};
    return progress.ended ? judged(answer, upload_.name, what) : Attempt();
  }

  Attempt begin_upload(const std::string& name, std::uint64_t size, const std::string& what) {
    web::HttpRequest request = upload_request("resumable", name);
    request.headers = {{"Content-Type", "application/json"},
                       {"X-Upload-Content-Type", "application/octet-stream"},
                       {"X-Upload-Content-Length", std::to_string(size)}};
    request.body = "{}";
    web::HttpAnswer answer;
    if (Attempt sent = send(std::move(request), what, answer); !sent.status) return sent;
    if (Attempt begun = judged(answer, name, what); !begun.status) return begun;
    const std::string* location = web::find_header(answer.headers, "location");
    if (!location) return {fail(Code::kUnknown, what + ": the store gives no URL for the upload")};
    upload_ = {name, *location};
    return {};
  }

  /// In pages. A bucket that is missing is no missing artifact.
  Attempt list_prefix(const std::string& prefix, std::vector<std::string>& keys) override {
    std::string next;
    do {
      Query query{{"prefix", prefix}, {"fields", "items(name),nextPageToken"}};
      if (!next.empty()) query.emplace_back("pageToken", next);
      web::HttpRequest request;
      request.url = fmt::format("{}/storage/v1/b/{}/o?{}", server_.url, bucket(), form_encode(query));
      web::HttpAnswer answer;
      if (Attempt sent = send(std::move(request), "failed to list objects", answer); !sent.status) return sent;
      if (answer.status == 404) return {fail(Code::kUnknown, "storage: bucket doesn't exist")};
      if (Attempt listed = judged(answer, prefix, "failed to list objects"); !listed.status) return listed;
      const auto page = doc::parse_json(answer.body);
      if (!page) return {std::unexpected(page.error().in("failed to list objects"))};
      const doc::Value* items = doc::find(*page, "items");
      if (items && items->is_array()) {
        for (const doc::Value& item : items->get_array()) keys.emplace_back(doc::find_string(item, "name"));
      }
      next = doc::find_string(*page, "nextPageToken");
    } while (!next.empty());
    return {};
  }

  std::string bucket() const { return uri_encode(server_.bucket, false); }

  web::HttpRequest object_request(std::string method, const std::string& key) const {
    web::HttpRequest request;
    request.method = std::move(method);
    request.url = fmt::format("{}/storage/v1/b/{}/o/{}", server_.url, bucket(), uri_encode(key, false));
    return request;
  }
  web::HttpRequest upload_request(std::string_view kind, const std::string& name) const {
    web::HttpRequest request;
    request.method = "POST";
    request.url = fmt::format("{}/upload/storage/v1/b/{}/o?uploadType={}&name={}", server_.url, bucket(), kind,
                              uri_encode(name, false));
    return request;
  }
  Attempt ask(web::HttpRequest request, const std::string& key, std::string_view what) {
    web::HttpAnswer answer;
    if (Attempt sent = send(std::move(request), what, answer); !sent.status) return sent;
    return judged(answer, key, what);
  }

  /// With a token.
  Attempt send(web::HttpRequest request, std::string_view what, web::HttpAnswer& answer) {
    if (server_.identity) {
      if (!token_.is_good()) {
        const Attempt renewed = server_.identity->renew(token_, options_.environment, stop_);
        if (!renewed.status) return {std::unexpected(renewed.status.error().in(what)), renewed.passes};
      }
      request.headers.emplace_back("Authorization", "Bearer " + token_.text);
    }
    request.headers.emplace_back("Accept-Encoding", "identity");
    auto got = web::exchange(std::move(request), options_.environment, stop_);
    if (!got) return {std::unexpected(got.error().in(what)), passes(got.error())};
    answer = std::move(*got);
    return {};
  }

  static Attempt judged(const web::HttpAnswer& answer, const std::string& key, std::string_view what) {
    if (answer.status >= 200 && answer.status < 300) return {};
    if (answer.status == 404) return {no_results(key)};
    const Code code = answer.status == 403 ? Code::kPermissionDenied : Code::kUnknown;
    return {fail(code, fmt::format("{}: {}", what, error_of(answer))), passes(answer.status)};
  }

  static Status no_results(const std::string& key) {
    return fail(Code::kNotFound, fmt::format("no results for key: {}", key));
  }

  /// One that is under way.
  struct Upload {
    std::string name, url;
  };

  const GcsServer server_;
  AccessToken token_;
  Upload upload_;
};

/// STORAGE_EMULATOR_HOST as Google's library reads it: a host with a port, or a URL.
std::string emulator() {
  std::string host = variable("STORAGE_EMULATOR_HOST");
  if (!host.empty() && host.find("://") == host.npos) host = "http://" + host;
  while (host.ends_with('/')) host.pop_back();
  return host;
}

}  // namespace

Result<std::unique_ptr<Place>> open_gcs(const DriverContext& context) {
  GcsServer server{.url = emulator(), .bucket = std::string(doc::find_string(context.place, "bucket")), .identity = {}};
  TIPHYS_TRY(const std::string secret, context.credentials.get(context.place, "serviceAccountKeySecret"));
  if (server.url.empty()) {
    TIPHYS_TRY(server.identity, secret.empty() ? GoogleIdentity::ambient() : GoogleIdentity::of_key(secret));
    server.url = "https://storage." + server.identity->domain();
  }
  std::string key = std::filesystem::path(doc::find_string(context.place, "key")).lexically_normal().string();
  return std::make_unique<GcsPlace>(context, std::move(key), std::move(server));
}

}  // namespace tiphys::artifact
