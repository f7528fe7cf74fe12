// Documents as JSON text, as Go's encoding/json writes them.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "doc/value.h"

namespace tiphys::doc {
namespace {

namespace json = boost::json;

/// The shortest text that reads back as `number`, laid out as Go's encoding/json does.
void append_double(std::string& out, double number) {
  char buffer[400];
  const double magnitude = std::abs(number);
  const bool scientific = magnitude != 0 && (magnitude < 1e-6 || magnitude >= 1e21);
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, number,
                                          scientific ? std::chars_format::scientific : std::chars_format::fixed);
  std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  if (!scientific && magnitude >= 0x1p53) {
    // to_chars prints all digits that the number has, Go the shortest ones followed by zeros.
    const auto shortest = std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::scientific).ptr;
    const std::string_view digits(buffer, static_cast<std::size_t>(shortest - buffer));
    const auto e = digits.find('e');
    int exponent = 0;
    std::from_chars(digits.data() + e + 2, shortest, exponent);
    for (const char c : digits.substr(0, e)) {
      if (c != '.') out += c;
    }
    const auto point = digits.find('.');
    const int fraction = point < e ? static_cast<int>(e - point - 1) : 0;
    out.append(static_cast<std::size_t>(exponent - fraction), '0');
    return;
  }
  out += text;
  // 1e-09 is 1e-9 in Go.
  if (scientific && out.size() >= 4 && out[out.size() - 4] == 'e' && out[out.size() - 3] == '-' &&
      out[out.size() - 2] == '0') {
    out.erase(out.size() - 2, 1);
  }
}

/// The end of a string that grows by doubling, so that a character costs no call.
class Sink {
 public:
  explicit Sink(std::string& out) : out_(out) { extend(out.size(), out.capacity()); }
  ~Sink() { out_.resize(size()); }
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  /// Where at least so many characters can be written.
  char* room(std::size_t count) {
    if (static_cast<std::size_t>(limit_ - at_) < count) extend(size(), std::max(2 * out_.size(), size() + count + 64));
    return at_;
  }
  void put(char c) {
    *room(1) = c;
    ++at_;
  }
  void put(std::string_view text) {
    std::memcpy(room(text.size()), text.data(), text.size());
    at_ += text.size();
  }
  void advance(std::size_t count) { at_ += count; }
  template <typename Number>
  void put_number(Number number) {
    constexpr std::size_t kMostDigits = 20;
    char* begin = room(kMostDigits);
    at_ = std::to_chars(begin, begin + kMostDigits, number).ptr;
  }

 private:
  std::size_t size() const { return static_cast<std::size_t>(at_ - out_.data()); }
  void extend(std::size_t used, std::size_t to) {
    out_.resize_and_overwrite(to, [](char*, std::size_t count) { return count; });
    at_ = out_.data() + used;
    limit_ = out_.data() + out_.size();
  }

  std::string& out_;
  char* at_ = nullptr;
  char* limit_ = nullptr;
};

bool is_plain(unsigned char c) {
  return c >= 0x20 && c != '"' && c != '\\' && c != 0xE2;
}

/// Whether all of eight characters are plain: each is looked at in its own byte of a word.
bool are_plain(std::uint64_t word) {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kHighs = 0x8080808080808080;
  const auto has_zero = [](std::uint64_t x) { return (x - kOnes) & ~x & kHighs; };
  const std::uint64_t below = (word - kOnes * 0x20) & ~word & kHighs;
  return (below | has_zero(word ^ (kOnes * '"')) | has_zero(word ^ (kOnes * '\\')) | has_zero(word ^ (kOnes * 0xE2))) ==
         0;
}

/// Writes the character at `text`, one that may not be plain; gives how many bytes of it that were.
std::size_t put_escaped(Sink& sink, std::string_view text) {
  const auto c = static_cast<unsigned char>(text[0]);
  constexpr std::string_view kNamed = "\"\\\n\r\t\b\f", kNames = "\"\\nrtbf";
  if (const auto at = kNamed.find(text[0]); at != kNamed.npos) {
    sink.put('\\');
    sink.put(kNames[at]);
  } else if (c < 0x20) {
    sink.put(fmt::format("\\u{:04x}", c));
  } else if (text.starts_with("\xE2\x80\xA8") || text.starts_with("\xE2\x80\xA9")) {
    sink.put(text[2] == '\xA8' ? "\\u2028" : "\\u2029");
    return 3;
  } else {
    sink.put(text[0]);
  }
  return 1;
}

void put_string(Sink& sink, std::string_view text) {
  sink.put('"');
  while (!text.empty()) {
    char* to = sink.room(text.size());
    std::size_t done = 0;
    for (std::uint64_t word = 0; done + sizeof word <= text.size(); done += sizeof word) {
      std::memcpy(&word, text.data() + done, sizeof word);
      if (!are_plain(word)) break;
      std::memcpy(to + done, &word, sizeof word);
    }
    for (; done < text.size() && is_plain(static_cast<unsigned char>(text[done])); ++done) to[done] = text[done];
    sink.advance(done);
    text.remove_prefix(done);
    if (!text.empty()) text.remove_prefix(put_escaped(sink, text));
  }
  sink.put('"');
}

void put_scalar(Sink& sink, const Value& value) {
  switch (value.kind()) {
    case json::kind::bool_:
      return sink.put(value.get_bool() ? "true" : "false");
    case json::kind::int64:
      return sink.put_number(value.get_int64());
    case json::kind::uint64:
      return sink.put_number(value.get_uint64());
    case json::kind::double_: {
      std::string text;
      append_double(text, value.get_double());
      return sink.put(text);
    }
    case json::kind::string:
      return put_string(sink, value.get_string());
    default:
      return sink.put("null");
  }
}

/// Line breaks where `indent` is not negative.
struct Layout {
  int indent = -1;

  void line(Sink& sink, int depth) const {
    if (indent < 0) return;
    const auto spaces = static_cast<std::size_t>(indent) * static_cast<std::size_t>(depth);
    sink.put('\n');
    std::memset(sink.room(spaces), ' ', spaces);
    sink.advance(spaces);
  }
};

void put_value(Sink& sink, const Value& value, Layout layout, int depth) {
  bool first = true;
  const auto next = [&] {
    if (!std::exchange(first, false)) sink.put(',');
    layout.line(sink, depth + 1);
  };
  if (const Object* object = value.if_object()) {
    sink.put('{');
    for (const auto& [key, member] : *object) {
      next();
      put_string(sink, key);
      sink.put(layout.indent < 0 ? ":" : ": ");
      put_value(sink, member, layout, depth + 1);
    }
    if (!first) layout.line(sink, depth);
    sink.put('}');
  } else if (const Array* array = value.if_array()) {
    sink.put('[');
    for (const Value& element : *array) {
      next();
      put_value(sink, element, layout, depth + 1);
    }
    if (!first) layout.line(sink, depth);
    sink.put(']');
  } else {
    put_scalar(sink, value);
  }
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  Sink sink(out);
  put_string(sink, text);
}

void append_json(std::string& out, const Value& value) {
  Sink sink(out);
  put_value(sink, value, Layout{}, 0);
}

std::string to_json(const Value& value) {
  std::string out;
  append_json(out, value);
  return out;
}

std::string to_pretty_json(const Value& value, int indent) {
  std::string out;
  {
    Sink sink(out);
    put_value(sink, value, Layout{indent}, 0);
  }
  return out;
}

}  // namespace tiphys::doc
