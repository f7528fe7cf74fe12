#include "artifact/oss_client.h"

#include <arpa/inet.h>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "artifact/digest.h"
#include "base/encoding.h"
#include "base/strings.h"
#include "web/exchange.h"
#include "web/request_rules.h"

namespace tiphys::artifact {
namespace {

/// The original's list.
constexpr std::string_view kPassingCodes[] = {
    "RequestTimeout", "QuotaExceeded.Refresh",         "Default",           "ServiceUnavailable",
    "Throttling",     "RequestTimeTooSkewed",          "SocketException",   "SocketTimeout",
    "ServiceBusy",    "DomainNetWorkVisitedException", "ConnectionTimeout", "CachedTimeTooLarge",
    "InternalError"};

/// Of the parameters that we send, those that are signed.
constexpr std::string_view kSigned[] = {"uploads",    "lifecycle",          "uploadId",
                                        "partNumber", "continuation-token", "logging"};

/// An address has no buckets in front of it.
bool is_address(std::string_view host) {
  const std::string name(host.substr(0, host.starts_with('[') ? host.find(']') : host.rfind(':')));
  in_addr address{};
  return name.starts_with('[') || ::inet_pton(AF_INET, name.c_str(), &address) == 1;
}

std::string header(const web::Headers& headers, std::string_view name) {
  const std::string* found = web::find_header(headers, name);
  return found ? *found : "";
}

}  // namespace

std::string oss_authorization(const OssKey& key, const std::string& bucket, const S3Request& request,
                              const web::Headers& headers) {
  std::map<std::string, std::string> own;
  for (const auto& [name, value] : headers) {
    if (name.starts_with("x-oss-")) own[name] = trim(value);
  }
  std::map<std::string, std::string> query;
  for (const auto& [name, value] : request.query) {
    if (std::ranges::find(kSigned, name) != std::end(kSigned)) query[name] = value;
  }
  std::string text = fmt::format("{}\n{}\n{}\n{}\n", request.method, header(headers, "Content-MD5"),
                                 header(headers, "Content-Type"), header(headers, "Date"));
  for (const auto& [name, value] : own) text += fmt::format("{}:{}\n", name, value);
  text += bucket.empty() ? "/" : fmt::format("/{}/{}", bucket, request.key);
  char mark = '?';
  for (const auto& [name, value] : query) {
    text += fmt::format("{}{}{}{}", mark, name, value.empty() ? "" : "=", value);
    mark = '&';
  }
  return fmt::format("OSS {}:{}", key.id, encode_base64(hmac_sha1(key.secret, text)));
}

OssClient::OssClient(OssBucket bucket, const web::Environment& environment, std::stop_token stop)
    : bucket_(std::move(bucket)), environment_(environment), stop_(std::move(stop)) {
  const std::string_view endpoint = bucket_.endpoint;
  const auto mark = endpoint.find("://");
  scheme_ = mark == endpoint.npos ? "http" : endpoint.substr(0, mark);
  const std::string_view rest = mark == endpoint.npos ? endpoint : endpoint.substr(mark + 3);
  host_ = rest.substr(0, rest.find('/'));
}

Result<S3Answer> OssClient::send_to(const std::string& bucket, const S3Request& request) const {
  web::HttpRequest http;
  http.method = request.method;
  const bool by_path = is_address(host_);
  http.url = fmt::format("{}://{}{}/", scheme_, bucket.empty() || by_path ? "" : bucket + ".", host_);
  if (!bucket.empty() && by_path) http.url += bucket + "/";
  http.url += uri_encode(request.key, true);
  if (!request.query.empty()) http.url += "?" + canonical_query(request.query);
  http.headers = request.headers;
  const auto second = std::chrono::floor<std::chrono::seconds>(system_now());
  http.headers.emplace_back("Date", fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", second));
  if (!bucket_.key.security_token.empty()) {
    http.headers.emplace_back("x-oss-security-token", bucket_.key.security_token);
  }
  http.headers.emplace_back("Authorization", oss_authorization(bucket_.key, bucket, request, http.headers));
  http.headers.emplace_back("Accept-Encoding", "identity");
  http.body = request.body;
  http.file = request.file;
  http.sink = request.sink;
  S3Answer answer;
  TIPHYS_TRY(answer.http, web::exchange(std::move(http), environment_, stop_));
  read_s3_error(answer, kPassingCodes);
  return answer;
}

}  // namespace tiphys::artifact
