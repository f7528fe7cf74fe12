#include "artifact/s3_client.h"

#include <fmt/format.h>

#include "artifact/digest.h"
#include "artifact/xml.h"
#include "base/encoding.h"
#include "web/exchange.h"

namespace tiphys::artifact {
namespace {

constexpr std::string_view kDefaultRegion = "us-east-1";
constexpr std::string_view kAmazon = ".amazonaws.com";
constexpr std::string_view kPassingCodes[] = {"RequestError",         "RequestTimeout",   "Throttling",
                                              "ThrottlingException",  "SlowDown",         "InternalError",
                                              "RequestLimitExceeded", "RequestThrottled", "ServiceUnavailable"};

Time now() {
  return std::chrono::floor<Time::duration>(std::chrono::system_clock::now());
}

bool is_amazon(std::string_view host) {
  return host == "s3.amazonaws.com" || (host.starts_with("s3") && host.ends_with(kAmazon));
}

/// "s3.eu-central-1.amazonaws.com" is in eu-central-1; "" for hosts that do not tell.
std::string region_of_host(std::string_view host) {
  if (!is_amazon(host)) return "";
  std::string_view middle = host.substr(0, host.size() - kAmazon.size());
  for (const std::string_view lead : {"s3.dualstack.", "s3-fips.", "s3.", "s3-"}) {
    if (middle.starts_with(lead)) return std::string(middle.substr(lead.size()));
  }
  return "";
}

bool by_path(const S3Bucket& bucket) {
  if (bucket.addressing_style == "path") return true;
  if (bucket.addressing_style == "virtual-hosted") return false;
  // A dot in a name would not match the certificate of the store.
  if (bucket.secure && bucket.bucket.find('.') != std::string::npos) return true;
  const std::string_view host = bucket.endpoint;
  return !is_amazon(host) && host != "storage.googleapis.com" && !host.ends_with(".aliyuncs.com");
}

struct Address {
  std::string host;
  std::string path;  ///< of the bucket
};

/// Amazon's common endpoint stands for one in each region.
Address address_of(const S3Bucket& bucket, std::string_view region) {
  const bool common = bucket.endpoint == "s3.amazonaws.com" && region != kDefaultRegion;
  const std::string host = common ? fmt::format("s3.{}{}", region, kAmazon) : bucket.endpoint;
  if (by_path(bucket)) return {host, fmt::format("/{}/", uri_encode(bucket.bucket, false))};
  return {fmt::format("{}.{}", bucket.bucket, host), "/"};
}

}  // namespace

std::string s3_url(const S3Bucket& bucket, std::string_view key, std::string_view region) {
  const Address address = address_of(bucket, region);
  return fmt::format("{}://{}{}{}", bucket.secure ? "https" : "http", address.host, address.path,
                     uri_encode(key, true));
}

Result<std::string> S3Client::region() {
  if (!bucket_.region.empty()) return bucket_.region;
  bucket_.region = region_of_host(bucket_.endpoint);
  if (!bucket_.region.empty()) return bucket_.region;
  S3Bucket bucket = bucket_;
  bucket.addressing_style = "path";
  TIPHYS_TRY(const S3Answer answer, send_to({.query = {{"location", ""}}}, kDefaultRegion, bucket));
  std::string_view found;
  const auto root = parse_xml(answer.http.body);
  // A store that takes another region's signature amiss says which it wants.
  if (root) found = answer.failed() ? root->child_text("Region") : std::string_view(root->text);
  bucket_.region = found == "EU" ? "eu-west-1" : found.empty() ? kDefaultRegion : found;
  return bucket_.region;
}

Result<S3Answer> S3Client::send(const S3Request& request) {
  TIPHYS_TRY(const std::string region, this->region());
  return send_to(request, region, bucket_);
}

Result<S3Answer> S3Client::send_to(const S3Request& request, std::string_view region, const S3Bucket& bucket) {
  AwsRequest aws;
  aws.method = request.method;
  aws.query = request.query;
  aws.headers = request.headers;
  const Address address = address_of(bucket, region);
  aws.host = address.host;
  aws.path = address.path + uri_encode(request.key, true);
  if (!request.file) {
    aws.payload_hash = encode_hex(sha256(request.body));
  } else if (bucket_.secure) {
    aws.payload_hash = kUnsignedPayload;
  } else {
    TIPHYS_TRY(const std::string digest, sha256_of(*request.file));
    aws.payload_hash = encode_hex(digest);
  }
  web::HttpRequest http;
  http.method = request.method;
  http.url = s3_url(bucket, request.key, region);
  if (!request.query.empty()) http.url += "?" + canonical_query(request.query);
  http.headers = sign(aws, bucket_.key, region, now());
  http.headers.emplace_back("Accept-Encoding", "identity");
  http.body = request.body;
  http.file = request.file;
  http.sink = request.sink;
  http.trusted_certificates = bucket_.trusted_ca;
  S3Answer answer;
  TIPHYS_TRY(answer.http, web::exchange(std::move(http), environment_, stop_));
  read_s3_error(answer, kPassingCodes);
  return answer;
}

}  // namespace tiphys::artifact
