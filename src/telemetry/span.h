// A span of a trace, as OpenTelemetry has it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/time.h"

namespace tiphys::telemetry {

using AttributeValue = std::variant<std::string, bool, std::int64_t>;
using Attributes = std::vector<std::pair<std::string, AttributeValue>>;

struct TraceId {
  std::array<char, 16> bytes{};
  bool operator==(const TraceId&) const = default;
};

struct SpanId {
  std::array<char, 8> bytes{};
  bool operator==(const SpanId&) const = default;
};

/// The bytes of an object's uid, so that its trace is found by that, and is the same after a restart. Of a uid that is
/// no UUID a hash.
TraceId trace_id_of(std::string_view uid);
/// A hash of what tells the span from others of its trace. It is never all zeros.
SpanId span_id_of(std::string_view text);
/// What a process is told that goes on with the trace below this span (W3C trace context, "00-...-...-01").
std::string traceparent(const TraceId& trace, const SpanId& span);

struct Span {
  enum class Kind { kInternal = 1, kProducer = 4 };
  enum class Outcome { kUnset = 0, kOk = 1, kError = 2 };
  TraceId trace;
  SpanId id;
  std::optional<SpanId> parent{};
  std::string name{};
  Kind kind = Kind::kInternal;
  Time start{};
  Time end{};
  Attributes attributes{};
  Outcome outcome = Outcome::kUnset;
  std::string message{};  ///< of an error
};

/// Who takes spans as they end.
class SpanSink {
 public:
  virtual ~SpanSink() = default;
  virtual void take(const Span& span) = 0;
};

}  // namespace tiphys::telemetry
