// A collector without a network, and what OTLP's messages say, for tests.
#pragma once

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/protobuf_wire.h"
#include "telemetry/span.h"
#include "web/http_client.h"

namespace tiphys::telemetry {

/// All fields of a message with this number.
inline std::vector<WireField> fields_of(std::string_view message, std::uint32_t number) {
  std::vector<WireField> found;
  WireReader reader(message);
  while (true) {
    const auto field = reader.next();
    EXPECT_TRUE(field) << field.error().message;
    if (!field || !*field) return found;
    if ((*field)->number == number) found.push_back(**field);
  }
}

/// The messages or texts that a path of field numbers leads to.
inline std::vector<std::string> texts_at(std::string_view message, std::initializer_list<std::uint32_t> path) {
  std::vector<std::string> now{std::string(message)};
  for (const std::uint32_t number : path) {
    std::vector<std::string> next;
    for (const std::string& each : now) {
      for (const WireField& field : fields_of(each, number)) next.emplace_back(field.bytes);
    }
    now = std::move(next);
  }
  return now;
}

/// Names of the spans of a request for traces, in order.
inline std::vector<std::string> span_names(std::string_view request) {
  return texts_at(request, {1, 2, 2, 5});
}

/// Notes requests; the test answers.
class FakeCollector final : public web::HttpClient {
 public:
  std::unique_ptr<web::HttpCall> send(web::HttpRequest request, Done done) override {
    requests.push_back(std::move(request));
    answers.push_back(std::move(done));
    return std::make_unique<web::HttpCall>();
  }
  /// The last request's.
  void answer(int status, web::Headers headers = {}, std::string body = "") {
    answers.back()(web::HttpAnswer{.status = status, .headers = std::move(headers), .body = std::move(body)});
  }
  void fail(std::string why) { answers.back()(tiphys::fail(Code::kUnavailable, std::move(why))); }

  std::vector<web::HttpRequest> requests;
  std::vector<Done> answers;
};

}  // namespace tiphys::telemetry
