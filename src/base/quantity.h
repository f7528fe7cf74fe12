// Kubernetes' quantities: "500m", "1.5", "128Mi", "1e3".
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace tiphys {

/// The value in units: cores of "500m" are 0.5, bytes of "1Ki" are 1024. Source: apimachinery/pkg/api/resource.
Result<double> parse_quantity(std::string_view text);

/// One that is counted with: exact to a billionth, up to 2^63, written as Kubernetes writes it.
class Quantity {
 public:
  Quantity() = default;
  explicit Quantity(std::int64_t units) : nanos_(Wide{units} * kNano) {}
  static Result<Quantity> parse(std::string_view text);

  /// Canonical: "1536Mi" for "1.5Gi", "500m" for "0.5".
  std::string text() const;
  std::int64_t value() const { return static_cast<std::int64_t>(rounded(kNano)); }  ///< away from zero
  std::int64_t milli_value() const { return static_cast<std::int64_t>(rounded(kNano / 1000)); }
  bool is_whole() const { return nanos_ % kNano == 0; }
  bool is_zero() const { return nanos_ == 0; }
  bool is_negative() const { return nanos_ < 0; }
  void round_up() { nanos_ = rounded(kNano) * kNano; }

  /// What is added to nothing keeps its form.
  Quantity& operator+=(const Quantity& other);
  Quantity& operator-=(const Quantity& other);
  std::strong_ordering operator<=>(const Quantity& other) const { return nanos_ <=> other.nanos_; }
  bool operator==(const Quantity& other) const { return nanos_ == other.nanos_; }

 private:
  __extension__ using Wide = __int128;
  enum class Form { kDecimal, kBinary, kExponent };
  static constexpr std::int64_t kNano = 1'000'000'000;
  static constexpr Wide kMost = Wide{INT64_MAX} * kNano;

  Wide rounded(std::int64_t unit) const;
  std::string decimal_text(bool exponent) const;

  Wide nanos_ = 0;
  Form form_ = Form::kDecimal;
};

}  // namespace tiphys
