#include <array>
#include <chrono>

#include "expr/when_token.h"

namespace tiphys::expr {
namespace {

/// Letters stand for parts, other characters for themselves: Y m d H M S two or four digits (S with any fraction after
/// it), e a day of one or two digits after optional spaces, h hours of twelve, p AM or PM, a and b names of days and
/// months, z an offset -0700, c one with a colon, Z and C the same or the letter Z, n the name of a zone.
constexpr std::string_view kLayouts[] = {
    "a b e H:M:S Y", "a b e H:M:S n Y", "a b d H:M:S z Y", "h:Mp",     "Y-m-dTH:M:SC", "Y-m-d",
    "Y-m-d H:M",     "Y-m-d H:M:S",     "Y-m-d H:M:Sc",    "Y-m-dTHZ", "Y-m-dTH:MZ",   "Y-m-dTH:M:SZ",
};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool read(std::string_view layout) {
    for (const char part : layout) {
      if (!read_part(part)) return false;
    }
    return rest_.empty();
  }

  std::optional<double> seconds() const {
    using namespace std::chrono;
    const year_month_day date{std::chrono::year(year_), std::chrono::month(month_), std::chrono::day(day_)};
    if (!date.ok()) return std::nullopt;
    int hour = hour_;
    if (half_ == 'P' && hour < 12) hour += 12;
    if (half_ == 'A' && hour == 12) hour = 0;
    const auto time = sys_days(date) + hours(hour) + minutes(minute_ - offset_) + std::chrono::seconds(second_);
    return static_cast<double>(time.time_since_epoch().count());
  }

 private:
  bool read_part(char part) {
    unsigned number = 0;
    switch (part) {
      case 'Y':
        if (!digits(4, number)) return false;
        year_ = static_cast<int>(number);
        return true;
      case 'm':
        return digits(2, month_);
      case 'd':
        return digits(2, day_);
      case 'e':
        while (rest_.starts_with(' ')) rest_.remove_prefix(1);
        return digits(rest_.size() > 1 && is_digit(rest_[1]) ? 2 : 1, day_);
      case 'H':
        return below(24, hour_);
      case 'h':
        if (!digits(rest_.size() > 1 && is_digit(rest_[1]) ? 2 : 1, number) || number > 12) return false;
        hour_ = static_cast<int>(number);
        return true;
      case 'M':
        return below(60, minute_);
      case 'S':
        if (!below(60, second_)) return false;
        fraction();
        return true;
      case 'p':
        half_ = rest_.empty() ? '\0' : rest_[0];
        return literal("AM") || literal("PM");
      case 'a':
        return name(kDays, number);
      case 'b':
        if (!name(kMonths, number)) return false;
        month_ = number + 1;
        return true;
      case 'z':
        return offset(false);
      case 'c':
        return offset(true);
      case 'Z':
        return literal("Z") || offset(false);
      case 'C':
        return literal("Z") || offset(true);
      case 'n':
        return zone_name();
      default:
        return literal(std::string_view(&part, 1));
    }
  }

  bool digits(std::size_t count, unsigned& number) {
    if (rest_.size() < count) return false;
    number = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (!is_digit(rest_[i])) return false;
      number = number * 10 + static_cast<unsigned>(rest_[i] - '0');
    }
    rest_.remove_prefix(count);
    return true;
  }
  bool below(unsigned limit, int& value) {
    unsigned number = 0;
    if (!digits(2, number) || number >= limit) return false;
    value = static_cast<int>(number);
    return true;
  }
  void fraction() {
    if (rest_.size() < 2 || (rest_[0] != '.' && rest_[0] != ',') || !is_digit(rest_[1])) return;
    rest_.remove_prefix(1);
    while (!rest_.empty() && is_digit(rest_[0])) rest_.remove_prefix(1);
  }
  bool literal(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  template <std::size_t N>
  bool name(const std::array<std::string_view, N>& names, unsigned& index) {
    for (index = 0; index < N; ++index) {
      if (literal(names[index])) return true;
    }
    return false;
  }
  bool offset(bool colon) {
    const bool east = rest_.starts_with('+');
    if (!literal("+") && !literal("-")) return false;
    int hours = 0;
    int minutes = 0;
    if (!below(25, hours) || (colon && !literal(":")) || !below(60, minutes)) return false;
    offset_ = (hours * 60 + minutes) * (east ? 1 : -1);
    return true;
  }
  bool zone_name() {
    std::size_t length = 0;
    while (length < rest_.size() && rest_[length] >= 'A' && rest_[length] <= 'Z') ++length;
    if (length < 3 || length > 5) return false;
    rest_.remove_prefix(length);
    return true;
  }

  std::string_view rest_;
  int year_ = 0;
  unsigned month_ = 1;
  unsigned day_ = 1;
  int hour_ = 0;
  int minute_ = 0;
  int second_ = 0;
  int offset_ = 0;  ///< minutes east
  char half_ = '\0';
};

}  // namespace

std::optional<double> parse_when_time(std::string_view text) {
  for (const std::string_view layout : kLayouts) {
    Reader reader(text);
    if (!reader.read(layout)) continue;
    if (const auto seconds = reader.seconds()) return seconds;
  }
  return std::nullopt;
}

}  // namespace tiphys::expr
