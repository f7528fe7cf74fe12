#include "telemetry/collector_call.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <iterator>

#include "base/encoding.h"
#include "base/strings.h"
#include "base/whole_number.h"
#include "telemetry/otlp.h"
#include "web/grpc.h"
#include "web/request_rules.h"

namespace tiphys::telemetry {
namespace {

using Kind = Delivery::Kind;

constexpr int kAgainByHttp[] = {429, 502, 503, 504};
/// CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE, DATA_LOSS.
constexpr std::int64_t kAgainByGrpc[] = {1, 4, 10, 11, 14, 15};
constexpr std::int64_t kResourceExhausted = 8;
constexpr std::size_t kMostWords = 500;

std::string header_of(const web::HttpAnswer& answer, std::string_view name) {
  const std::string* value = web::find_header(answer.headers, name);
  return value ? *value : std::string();
}

Delivery taken(std::string_view message) {
  const auto rejected = decode_response(message);
  // It was taken, whatever the words about it are.
  if (!rejected) return {.kind = Kind::kTaken, .why = rejected.error().message};
  return {.kind = Kind::kTaken,
          .why = rejected->message.substr(0, kMostWords),
          .rejected = std::max<std::int64_t>(rejected->count, 0)};
}

/// A number of seconds, or a date as HTTP writes them: "Sun, 06 Nov 1994 08:49:37 GMT".
std::optional<Duration> retry_after(const std::string& text, Time now) {
  if (text.empty()) return std::nullopt;
  constexpr std::int64_t kLongest = 86'400;
  if (const auto seconds = whole_number(text)) {
    return std::chrono::seconds(std::clamp<std::int64_t>(*seconds, 0, kLongest));
  }
  std::tm fields{};
  const char* end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &fields);
  if (!end || *end) return std::nullopt;
  const Time date{std::chrono::seconds(::timegm(&fields))};
  return std::clamp<Duration>(date - now, Duration(0), std::chrono::seconds(kLongest));
}

Delivery by_http(const web::HttpAnswer& answer, Time now) {
  if (answer.status >= 200 && answer.status < 300) return taken(answer.body);
  std::string why = answer.status_line.empty() ? fmt::format("HTTP status {}", answer.status) : answer.status_line;
  const auto failure = decode_failure(answer.body);
  const bool is_protobuf = header_of(answer, "content-type").starts_with("application/x-protobuf");
  if (is_protobuf && failure && !failure->message.empty()) {
    why += ": " + failure->message.substr(0, kMostWords);
  }
  if (std::ranges::find(kAgainByHttp, answer.status) == std::end(kAgainByHttp)) return {Kind::kLost, std::move(why)};
  return {.kind = Kind::kAgain, .why = std::move(why), .wait = retry_after(header_of(answer, "retry-after"), now)};
}

std::optional<Duration> retry_delay(const web::HttpAnswer& answer) {
  std::string details = header_of(answer, "grpc-status-details-bin");
  // It may come without its padding.
  while (!details.empty() && details.size() % 4 != 0) details += '=';
  const auto bytes = decode_base64(details);
  const auto failure = bytes ? decode_failure(*bytes) : Result<Failure>();
  return failure ? failure->retry_delay : std::nullopt;
}

Delivery by_grpc(const web::HttpAnswer& answer) {
  const auto message = web::grpc_message(answer, answer.body);
  if (message) return taken(*message);
  // What has no status of gRPC's comes from something before the collector.
  const auto code = whole_number(header_of(answer, "grpc-status"));
  if (!code) {
    const bool cut_short = answer.status == 200;
    const bool again = cut_short || std::ranges::find(kAgainByHttp, answer.status) != std::end(kAgainByHttp);
    return {again ? Kind::kAgain : Kind::kLost, message.error().message};
  }
  const auto wait = retry_delay(answer);
  const bool again = std::ranges::find(kAgainByGrpc, *code) != std::end(kAgainByGrpc);
  if (again || (*code == kResourceExhausted && wait)) {
    return {.kind = Kind::kAgain, .why = message.error().message, .wait = wait};
  }
  return {Kind::kLost, message.error().message};
}

}  // namespace

web::HttpRequest collector_request(const Endpoint& endpoint, std::string_view message) {
  web::HttpRequest request;
  if (endpoint.grpc) {
    request = web::grpc_request("", "", message);
    request.insecure = false;
  } else {
    request.method = "POST";
    request.headers = {{"Content-Type", "application/x-protobuf"}};
    request.body = message;
    // What answers may tell of the headers, which often hold a key.
    request.stays_at_host = true;
  }
  request.url = endpoint.url;
  std::ranges::copy(endpoint.headers, std::back_inserter(request.headers));
  request.timeout = endpoint.timeout;
  request.trusted_certificates = endpoint.trusted_certificates;
  request.client_certificate = endpoint.client_certificate;
  request.client_key = endpoint.client_key;
  return request;
}

Delivery delivery_of(const Endpoint& endpoint, const Result<web::HttpAnswer>& answer, Time now) {
  if (answer) return endpoint.grpc ? by_grpc(*answer) : by_http(*answer, now);
  const bool again = answer.error().code == Code::kUnavailable || answer.error().code == Code::kDeadlineExceeded;
  return {again ? Kind::kAgain : Kind::kLost, answer.error().message};
}

}  // namespace tiphys::telemetry
