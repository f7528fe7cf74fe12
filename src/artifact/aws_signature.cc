#include "artifact/aws_signature.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "artifact/digest.h"
#include "base/encoding.h"
#include "base/strings.h"

namespace tiphys::artifact {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

std::string lower(std::string_view text) {
  std::string made(text);
  std::ranges::transform(made, made.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return made;
}

}  // namespace

web::Headers sign(const AwsRequest& request, const AwsKey& key, std::string_view region, Time now) {
  const auto second = std::chrono::floor<std::chrono::seconds>(now);
  const std::string day = fmt::format("{:%Y%m%d}", second), stamp = fmt::format("{:%Y%m%dT%H%M%SZ}", second);
  web::Headers headers = request.headers;
  headers.emplace_back("x-amz-date", stamp);
  headers.emplace_back("x-amz-content-sha256", request.payload_hash);
  if (!key.session_token.empty()) headers.emplace_back("x-amz-security-token", key.session_token);

  std::map<std::string, std::string> canonical{{"host", request.host}};
  for (const auto& [name, value] : headers) canonical[lower(name)] = trim(value);
  std::string header_lines;
  std::vector<std::string> names;
  for (const auto& [name, value] : canonical) {
    header_lines += fmt::format("{}:{}\n", name, value);
    names.push_back(name);
  }
  const std::string signed_names = join(names, ";");
  const std::string whole =
      fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, request.path, canonical_query(request.query), header_lines,
                  signed_names, request.payload_hash);
  const std::string scope = fmt::format("{}/{}/{}/aws4_request", day, region, request.service);
  const std::string to_sign = fmt::format("{}\n{}\n{}\n{}", kAlgorithm, stamp, scope, encode_hex(sha256(whole)));

  std::string derived = "AWS4" + key.secret;
  for (const std::string_view part :
       {std::string_view(day), region, std::string_view(request.service), std::string_view("aws4_request")}) {
    derived = hmac_sha256(derived, part);
  }
  headers.emplace_back("Authorization",
                       fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", kAlgorithm, key.id, scope,
                                   signed_names, encode_hex(hmac_sha256(derived, to_sign))));
  return headers;
}

}  // namespace tiphys::artifact
