#include "telemetry/otlp.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "base/encoding.h"
#include "telemetry/testing.h"

namespace tiphys::telemetry {
namespace {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

constexpr Time kStart{1'700'000'000s};

std::string hex(const auto& id) {
  return encode_hex({id.bytes.data(), id.bytes.size()});
}

TEST(Ids, AreThoseOfTheUidAndTheSameEachTime) {
  EXPECT_EQ(hex(trace_id_of("0af76519-16cd-43dd-8448-eb211c80319c")), "0af7651916cd43dd8448eb211c80319c");
  for (const char* uid :
       {"", "uid-1", "0af76519-16cd-43dd-8448-eb211c80319c0", "00000000-0000-0000-0000-000000000000"}) {
    EXPECT_EQ(trace_id_of(uid), trace_id_of(uid));
    EXPECT_NE(trace_id_of(uid), TraceId()) << uid;
  }
  EXPECT_NE(trace_id_of("uid-1"), trace_id_of("uid-2"));
  EXPECT_EQ(span_id_of("a"), span_id_of("a"));
  EXPECT_NE(span_id_of("a"), span_id_of("b"));
  EXPECT_EQ(traceparent(trace_id_of("0af76519-16cd-43dd-8448-eb211c80319c"), SpanId{{'\x01', 2, 3, 4, 5, 6, 7, 8}}),
            "00-0af7651916cd43dd8448eb211c80319c-0102030405060708-01");
}

TEST(Otlp, HasSpansBelowTheirResourceAndScope) {
  Span span;
  span.trace = trace_id_of("0af76519-16cd-43dd-8448-eb211c80319c");
  span.id = span_id_of("a");
  span.parent = span_id_of("b");
  span.name = "node";
  span.kind = Span::Kind::kProducer;
  span.start = kStart;
  span.end = kStart + 1500ms;
  span.attributes = {{"text", "t"}, {"flag", true}, {"count", std::int64_t{-1}}, {"broken", "a\xff"}};
  span.outcome = Span::Outcome::kError;
  span.message = "Failed";
  Span root;
  root.name = "workflow";
  const Texts spans{encode_span(span), encode_span(root)};
  const std::string request = encode_traces(encode_resource({{"service.name", "s"}}), "scope", spans);

  EXPECT_EQ(texts_at(request, {1, 1, 1, 1}), Texts{"service.name"});
  EXPECT_EQ(texts_at(request, {1, 1, 1, 2, 1}), Texts{"s"});
  EXPECT_EQ(texts_at(request, {1, 2, 1, 1}), Texts{"scope"});
  EXPECT_EQ(span_names(request), (Texts{"node", "workflow"}));
  const std::string first = texts_at(request, {1, 2, 2}).front();
  EXPECT_EQ(encode_hex(texts_at(first, {1}).front()), "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(encode_hex(texts_at(first, {2}).front()), hex(span.id));
  EXPECT_EQ(encode_hex(texts_at(first, {4}).front()), hex(*span.parent));
  EXPECT_EQ(fields_of(first, 6).front().value, 4u);
  EXPECT_EQ(fields_of(first, 7).front().value, 1'700'000'000'000'000'000u);
  EXPECT_EQ(fields_of(first, 8).front().value, 1'700'000'001'500'000'000u);
  EXPECT_EQ(texts_at(first, {9, 1}), (Texts{"text", "flag", "count", "broken"}));
  const Texts values = texts_at(first, {9, 2});
  EXPECT_EQ(fields_of(values[0], 1).front().bytes, "t");
  EXPECT_EQ(fields_of(values[1], 2).front().value, 1u);
  EXPECT_EQ(static_cast<std::int64_t>(fields_of(values[2], 3).front().value), -1);
  EXPECT_EQ(fields_of(values[3], 1).front().bytes, "a\xef\xbf\xbd") << "collectors refuse what is no UTF-8";
  EXPECT_EQ(texts_at(first, {15, 2}), Texts{"Failed"});
  EXPECT_EQ(fields_of(texts_at(first, {15}).front(), 3).front().value, 2u);
  const std::string second = spans[1];
  EXPECT_TRUE(fields_of(second, 4).empty()) << "a root has no parent";
  EXPECT_TRUE(fields_of(second, 15).empty()) << "and nothing is said of its outcome";
}

double as_double(std::uint64_t bits) {
  return std::bit_cast<double>(bits);
}

TEST(Otlp, HasCountersGaugesAndHistograms) {
  const Metric metrics[] = {
      {"c", "a counter", "{x}", Metric::Type::kCounter, true, {}, {{{{"a", "b"}}, 3, {}}}},
      {"g", "a gauge", "s", Metric::Type::kGauge, false, {}, {{{}, 0.5, {}}}},
      {"h", "a histogram", "s", Metric::Type::kHistogram, false, {1, 2.5}, {{{}, 104.5, {1, 2, 1}}}},
      {"nothing", "no points", "s", Metric::Type::kGauge, false, {}, {}},
      {"odd", "whole but infinite", "s", Metric::Type::kGauge, true, {}, {{{}, HUGE_VAL, {}}}},
  };
  const std::string request = encode_metrics("", "scope", metrics, {kStart, kStart + 10s, false});
  const Texts sent = texts_at(request, {1, 2, 2});
  ASSERT_EQ(texts_at(request, {1, 2, 2, 1}), (Texts{"c", "g", "h", "odd"}));
  EXPECT_EQ(texts_at(sent[0], {2}), Texts{"a counter"});
  EXPECT_EQ(texts_at(sent[0], {3}), Texts{"{x}"});

  const std::string sum = texts_at(sent[0], {7}).front();
  EXPECT_EQ(fields_of(sum, 2).front().value, 2u) << "since the start";
  EXPECT_EQ(fields_of(sum, 3).front().value, 1u) << "it only rises";
  const std::string counted = texts_at(sum, {1}).front();
  EXPECT_EQ(fields_of(counted, 2).front().value, 1'700'000'000'000'000'000u);
  EXPECT_EQ(fields_of(counted, 3).front().value, 1'700'000'010'000'000'000u);
  EXPECT_EQ(fields_of(counted, 6).front().value, 3u);
  EXPECT_EQ(texts_at(counted, {7, 1}), Texts{"a"});
  EXPECT_EQ(texts_at(counted, {7, 2, 1}), Texts{"b"});

  EXPECT_EQ(as_double(fields_of(texts_at(sent[1], {5, 1}).front(), 4).front().value), 0.5);
  EXPECT_EQ(as_double(fields_of(texts_at(sent[3], {5, 1}).front(), 4).front().value), HUGE_VAL);

  const std::string point = texts_at(sent[2], {9, 1}).front();
  EXPECT_EQ(fields_of(point, 4).front().value, 4u);
  EXPECT_EQ(as_double(fields_of(point, 5).front().value), 104.5);
  EXPECT_EQ(encode_hex(texts_at(point, {6}).front()), "010000000000000002000000000000000100000000000000");
  EXPECT_EQ(encode_hex(texts_at(point, {7}).front()), "000000000000f03f0000000000000440");

  const std::string delta = encode_metrics("", "scope", {metrics, 1}, {kStart, kStart + 10s, true});
  EXPECT_EQ(fields_of(texts_at(delta, {1, 2, 2, 7}).front(), 2).front().value, 1u);
}

TEST(Otlp, AnswersTellWhatWasNotTaken) {
  EXPECT_EQ(decode_response("")->count, 0);
  std::string part, response;
  WireWriter(part).varint(1, 3);
  WireWriter(part).bytes(2, "too old");
  WireWriter(response).bytes(1, part);
  EXPECT_EQ(decode_response(response)->count, 3);
  EXPECT_EQ(decode_response(response)->message, "too old");
  EXPECT_FALSE(decode_response("\x0a\x7f"));
}

}  // namespace
}  // namespace tiphys::telemetry
