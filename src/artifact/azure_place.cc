// Artifacts in containers of Azure's blob storage. Original: workflow/artifacts/azure.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "artifact/azure_identity.h"
#include "artifact/digest.h"
#include "artifact/drivers.h"
#include "artifact/prefix_place.h"
#include "artifact/uri.h"
#include "artifact/xml.h"
#include "base/encoding.h"
#include "base/strings.h"
#include "doc/truth.h"
#include "web/exchange.h"
#include "web/request_rules.h"

namespace tiphys::artifact {
namespace {

constexpr std::string_view kVersion = "2020-10-02";
/// As the original's library: larger files go in blocks.
constexpr std::uint64_t kLargestWhole = 256ULL << 20;
constexpr std::uint64_t kMostBlocks = 50'000;

struct AzureContainer {
  std::string endpoint;  ///< "https://ACCOUNT.blob.core.windows.net"
  std::string name;
  std::string account;
  std::string key;       ///< bytes; "": the token speaks
  std::string token;     ///< a shared access signature: "sv=...&sig=..."
  bool ambient = false;  ///< neither: who asks is what Azure's programs find
};

struct AzureRequest {
  std::string method = "GET";
  std::string blob{};  ///< "" is the container
  Query query{};
  web::Headers headers{};  ///< x-ms-...
  std::string body{};
  std::optional<web::FilePart> file{};
  web::BodySink sink{};
};

/// "http://host:port" and the path below it.
std::pair<std::string, std::string> split_endpoint(std::string_view endpoint) {
  const auto slash = endpoint.find('/', endpoint.find("://") + 3);
  std::string path(slash == endpoint.npos ? "/" : endpoint.substr(slash));
  if (!path.ends_with('/')) path += '/';
  return {std::string(endpoint.substr(0, slash)), path};
}

/// SharedKey: learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key.
std::string authorization(const AzureContainer& container, const AzureRequest& request, std::string_view path) {
  const std::uint64_t size = request.file ? request.file->size : request.body.size();
  std::string text = fmt::format("{}\n\n\n{}\n\n\n\n\n\n\n\n\n", request.method, size ? std::to_string(size) : "");
  std::map<std::string, std::string> headers(request.headers.begin(), request.headers.end());
  for (const auto& [name, value] : headers) text += fmt::format("{}:{}\n", name, value);
  text += fmt::format("/{}{}", container.account, path);
  std::map<std::string, std::string> query(request.query.begin(), request.query.end());
  for (const auto& [name, value] : query) text += fmt::format("\n{}:{}", name, value);
  return fmt::format("SharedKey {}:{}", container.account, encode_base64(hmac_sha256(container.key, text)));
}

class AzurePlace final : public PrefixPlace {
 public:
  AzurePlace(const DriverContext& context, AzureContainer container, AccessToken token = {})
      : PrefixPlace(std::string(doc::find_string(context.place, "blob")), context.options, context.stop),
        container_(std::move(container)),
        token_(std::move(token)) {}

 private:
  Attempt get(const std::string& key, ReceivedFile& file) override {
    return judged(send({.blob = key, .sink = file.sink()}), fmt::format("unable to download blob {}", key));
  }
  Attempt find(const std::string& key) override {
    return judged(send({.method = "HEAD", .blob = key}), fmt::format("unable to find blob {}", key));
  }
  Attempt erase(const std::string& key) override {
    return judged(send({.method = "DELETE", .blob = key}), fmt::format("unable to delete blob {}", key));
  }
  std::string shown() const override {
    return fmt::format("container \"{}\" at {}", container_.name, container_.endpoint);
  }

  Attempt put(const std::string& key, const std::string& host_path, std::uint64_t size) override {
    const std::string what = fmt::format("unable to upload file {} to Azure", key);
    const std::uint64_t whole = options_.part_bytes ? options_.part_bytes : kLargestWhole;
    if (size <= whole) {
      return judged(send({.method = "PUT",
                          .blob = key,
                          .headers = {{"x-ms-blob-type", "BlockBlob"}},
                          .file = web::FilePart{host_path, 0, size}}),
                    what);
    }
    const std::uint64_t part = std::max(whole, (size + kMostBlocks - 1) / kMostBlocks);
    std::string list;
    for (std::uint64_t offset = 0; offset < size; offset += part) {
      const std::string id = encode_base64(fmt::format("{:06}", offset / part));
      const Attempt one = judged(send({.method = "PUT",
                                       .blob = key,
                                       .query = {{"comp", "block"}, {"blockid", id}},
                                       .file = web::FilePart{host_path, offset, std::min(part, size - offset)}}),
                                 what);
      if (!one.status) return one;
      list += fmt::format("<Latest>{}</Latest>", id);
    }
    return judged(
        send({.method = "PUT",
              .blob = key,
              .query = {{"comp", "blocklist"}},
              .body = fmt::format("<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>{}</BlockList>", list)}),
        what);
  }

  /// In pages.
  Attempt list_prefix(const std::string& prefix, std::vector<std::string>& keys) override {
    const std::string what = fmt::format("unable to list blob {} in Azure Storage", prefix);
    std::string next;
    do {
      AzureRequest request{.query = {{"restype", "container"}, {"comp", "list"}, {"prefix", prefix}}};
      if (!next.empty()) request.query.emplace_back("marker", next);
      const auto answer = send(request);
      if (Attempt attempt = judged(answer, what); !attempt.status) return attempt;
      const auto page = parse_xml(answer->body);
      if (!page) return {std::unexpected(page.error().in(what))};
      if (const XmlElement* blobs = page->find("Blobs")) {
        for (const XmlElement& blob : blobs->children) {
          if (blob.name == "Blob") keys.emplace_back(blob.child_text("Name"));
        }
      }
      next = page->child_text("NextMarker");
    } while (!next.empty());
    return {};
  }

  Result<web::HttpAnswer> send(AzureRequest request) {
    if (container_.ambient && !token_.is_good()) {
      TIPHYS_CHECK_OK(renew_azure_token(token_, options_.environment, stop_).status);
    }
    const auto [server, root] = split_endpoint(container_.endpoint);
    std::string path = root + uri_encode(container_.name, false);
    if (!request.blob.empty()) path += "/" + uri_encode(request.blob, true);
    const auto second = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    request.headers.emplace_back("x-ms-date", fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", second));
    request.headers.emplace_back("x-ms-version", kVersion);
    web::HttpRequest http;
    http.method = request.method;
    http.url = server + path;
    std::string query = canonical_query(request.query);
    if (!container_.token.empty()) query += (query.empty() ? "" : "&") + container_.token;
    if (!query.empty()) http.url += "?" + query;
    http.headers = request.headers;
    if (!container_.key.empty()) http.headers.emplace_back("Authorization", authorization(container_, request, path));
    if (container_.ambient) http.headers.emplace_back("Authorization", "Bearer " + token_.text);
    http.headers.emplace_back("Accept-Encoding", "identity");
    http.body = std::move(request.body);
    http.file = std::move(request.file);
    http.sink = std::move(request.sink);
    return web::exchange(std::move(http), options_.environment, stop_);
  }

  static Attempt judged(const Result<web::HttpAnswer>& answer, std::string_view what) {
    if (!answer) return {std::unexpected(answer.error().in(what)), passes(answer.error())};
    if (answer->status >= 200 && answer->status < 300) return {};
    const std::string* told = web::find_header(answer->headers, "x-ms-error-code");
    std::string code = told ? *told : answer->status_line;
    if (const auto body = parse_xml(answer->body); !told && body && body->name == "Error")
      code = body->child_text("Code");
    const bool missing = code == "BlobNotFound" || (!told && answer->status == 404);
    const bool passing = passes(answer->status);
    return {fail(missing   ? Code::kNotFound
                 : passing ? Code::kUnavailable
                           : Code::kUnknown,
                 fmt::format("{}: {}: {}", what, answer->status_line, code)),
            passing};
  }

  const AzureContainer container_;
  AccessToken token_;
};

/// The first label of the host, but for hosts of this machine, where the path names the account.
Result<std::string> account_of(const std::string& endpoint) {
  const auto [server, path] = split_endpoint(endpoint);
  const std::string host = server.substr(server.find("://") + 3);
  if (!host.starts_with("127.0.0.1") && !host.starts_with("localhost")) {
    return host.substr(0, std::min(host.find('.'), host.size()));
  }
  const auto parts = split(path, '/');
  if (parts.size() > 2) return std::string(parts[1]);
  return fail(Code::kInvalidArgument, fmt::format("unable to determine storage account name from {}", endpoint));
}

/// It is no key, but parameters of a URL.
bool is_token(std::string_view secret) {
  const auto mark = secret.find_first_of("?&");
  return mark != secret.npos && secret.find('=', mark) != secret.npos;
}

}  // namespace

Result<std::unique_ptr<Place>> open_azure(const DriverContext& context) {
  AzureContainer container;
  container.endpoint = doc::find_string(context.place, "endpoint");
  container.name = doc::find_string(context.place, "container");
  if (doc::is_true(context.place, "useSDKCreds")) {
    if (!container.endpoint.starts_with("https://")) {
      return fail(Code::kInvalidArgument,
                  "with useSDKCreds the endpoint must begin with https://: a token would be sent without TLS");
    }
    container.ambient = true;
    AccessToken token;
    TIPHYS_CHECK_OK(with_attempts(context.options.retry, context.stop,
                                  [&] { return renew_azure_token(token, context.options.environment, context.stop); }));
    return std::make_unique<AzurePlace>(context, std::move(container), std::move(token));
  }
  TIPHYS_TRY(const std::string secret, context.credentials.get(context.place, "accountKeySecret"));
  if (secret.empty()) {
    return fail(Code::kInvalidArgument, "accountKey secret is required for Azure Blob Storage if useSDKCreds is false");
  }
  if (is_token(secret)) {
    container.token = secret.starts_with('?') ? secret.substr(1) : secret;
    return std::make_unique<AzurePlace>(context, std::move(container));
  }
  TIPHYS_TRY(container.account, account_of(container.endpoint));
  auto key = decode_base64(trim(secret));
  if (!key) return std::unexpected(key.error().in("unable to create Azure shared key credential"));
  container.key = std::move(*key);
  return std::make_unique<AzurePlace>(context, std::move(container));
}

}  // namespace tiphys::artifact
