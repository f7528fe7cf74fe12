#include "telemetry/collector_call.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/protobuf_wire.h"

namespace tiphys::telemetry {
namespace {

using namespace std::chrono_literals;
using Kind = Delivery::Kind;

/// "Sun, 06 Nov 1994 08:49:37 GMT".
constexpr Time kNow{784111777s};

std::string field(std::uint32_t number, std::string_view bytes) {
  std::string message;
  WireWriter(message).bytes(number, bytes);
  return message;
}

/// A google.rpc.Status in base64 that says how long to wait.
std::string status_details(std::uint64_t seconds) {
  std::string duration;
  WireWriter(duration).varint(1, seconds);
  WireWriter(duration).varint(2, 500'000'000);
  return encode_base64(field(3, field(1, "type.googleapis.com/google.rpc.RetryInfo") + field(2, field(1, duration))));
}

std::string without_padding(std::string text) {
  while (text.ends_with('=')) text.pop_back();
  return text;
}

std::string grpc_body(const std::string& message) {
  return std::string(4, '\0') + static_cast<char>(message.size()) + message;
}

TEST(CollectorCall, AnswersMeanTakenAgainOrLost) {
  std::string rejected;
  WireWriter(rejected).varint(1, 2);
  rejected = field(1, rejected + field(2, "two were bad"));
  struct Row {
    const char* name;
    bool grpc;
    web::HttpAnswer answer;
    Kind kind;
    std::string why;
    std::optional<Duration> wait{};
    std::int64_t rejected = 0;
  };
  const Row rows[] = {
      {"taken", false, {200, {}, ""}, Kind::kTaken, ""},
      {"taken in part", false, {200, {}, rejected}, Kind::kTaken, "two were bad", {}, 2},
      {"a warning", false, {200, {}, field(1, field(2, "old"))}, Kind::kTaken, "old"},
      {"bad data", false, {400, {}, "", "400 Bad Request"}, Kind::kLost, "400 Bad Request"},
      {"with the collector's words",
       false,
       {400, {{"Content-Type", "application/x-protobuf"}}, field(2, "no"), "400 Bad Request"},
       Kind::kLost,
       "400 Bad Request: no"},
      {"no such page", false, {404, {}, "", "404 Not Found"}, Kind::kLost, "404 Not Found"},
      {"an error of its own", false, {500, {}, "", "500 Oops"}, Kind::kLost, "500 Oops"},
      {"too many", false, {429, {}, "", "429 Slow"}, Kind::kAgain, "429 Slow"},
      {"a gateway's", false, {502, {}, "", "502 Bad"}, Kind::kAgain, "502 Bad"},
      {"a gateway's time", false, {504, {}, "", "504 Late"}, Kind::kAgain, "504 Late"},
      {"with a time", false, {503, {{"Retry-After", "7"}}, "", "503 Busy"}, Kind::kAgain, "503 Busy", 7s},
      {"with a date",
       false,
       {503, {{"Retry-After", "Sun, 06 Nov 1994 08:50:07 GMT"}}, "", "503 Busy"},
       Kind::kAgain,
       "503 Busy",
       30s},
      {"with a date that is over",
       false,
       {503, {{"Retry-After", "Sun, 06 Nov 1994 08:40:07 GMT"}}, "", "503 Busy"},
       Kind::kAgain,
       "503 Busy",
       0s},
      {"with what is neither", false, {503, {{"Retry-After", "soon"}}, "", "503 Busy"}, Kind::kAgain, "503 Busy"},
      {"taken by gRPC", true, {200, {{"grpc-status", "0"}}, grpc_body("")}, Kind::kTaken, ""},
      {"taken in part by gRPC",
       true,
       {200, {{"grpc-status", "0"}}, grpc_body(rejected)},
       Kind::kTaken,
       "two were bad",
       {},
       2},
      {"unavailable",
       true,
       {200, {{"grpc-status", "14"}, {"grpc-message", "go%20away"}}, ""},
       Kind::kAgain,
       "rpc error: code = Unavailable desc = go away"},
      {"unavailable for a time",
       true,
       {200, {{"grpc-status", "14"}, {"grpc-status-details-bin", without_padding(status_details(3))}}, ""},
       Kind::kAgain,
       "rpc error: code = Unavailable desc = ",
       3500ms},
      {"out of range is tried again",
       true,
       {200, {{"grpc-status", "11"}}, ""},
       Kind::kAgain,
       "rpc error: code = OutOfRange desc = "},
      {"exhausted for good",
       true,
       {200, {{"grpc-status", "8"}}, ""},
       Kind::kLost,
       "rpc error: code = ResourceExhausted desc = "},
      {"exhausted for a time",
       true,
       {200, {{"grpc-status", "8"}, {"grpc-status-details-bin", status_details(1)}}, ""},
       Kind::kAgain,
       "rpc error: code = ResourceExhausted desc = ",
       1500ms},
      {"unauthenticated",
       true,
       {200, {{"grpc-status", "16"}}, ""},
       Kind::kLost,
       "rpc error: code = Unauthenticated desc = "},
      {"cut short", true, {200, {}, ""}, Kind::kAgain, "the server has not answered the call"},
      {"a proxy's word", true, {503, {}, ""}, Kind::kAgain, "HTTP status 503"},
      {"no gRPC there", true, {404, {}, ""}, Kind::kLost, "HTTP status 404"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const Delivery delivery = delivery_of(Endpoint{.grpc = row.grpc}, row.answer, kNow);
    EXPECT_EQ(delivery.kind, row.kind);
    EXPECT_EQ(delivery.why, row.why);
    EXPECT_EQ(delivery.wait, row.wait);
    EXPECT_EQ(delivery.rejected, row.rejected);
  }
  EXPECT_EQ(delivery_of({}, fail(Code::kUnavailable, "refused"), kNow).kind, Kind::kAgain);
  EXPECT_EQ(delivery_of({}, fail(Code::kInternal, "no libcurl"), kNow).kind, Kind::kLost);
}

TEST(CollectorCall, SendsAMessageByEitherProtocol) {
  Endpoint endpoint{.grpc = false,
                    .url = "https://c/v1/traces",
                    .headers = {{"api-key", "k"}},
                    .timeout = 3s,
                    .trusted_certificates = "PEM"};
  const web::HttpRequest http = collector_request(endpoint, "abc");
  EXPECT_EQ(http.method + " " + http.url + " " + http.body, "POST https://c/v1/traces abc");
  EXPECT_EQ(http.headers, (web::Headers{{"Content-Type", "application/x-protobuf"}, {"api-key", "k"}}));
  EXPECT_EQ(http.timeout, Duration(3s));
  EXPECT_EQ(http.trusted_certificates, "PEM");
  EXPECT_TRUE(!http.http2 && !http.insecure && http.stays_at_host);

  endpoint.grpc = true;
  const web::HttpRequest grpc = collector_request(endpoint, "abc");
  EXPECT_EQ(grpc.body, std::string("\0\0\0\0\3abc", 8));
  EXPECT_EQ(grpc.url, "https://c/v1/traces");
  EXPECT_EQ(grpc.headers.back(), (std::pair<std::string, std::string>("api-key", "k")));
  EXPECT_TRUE(grpc.http2 && !grpc.insecure && grpc.stays_at_host);
}

}  // namespace
}  // namespace tiphys::telemetry
