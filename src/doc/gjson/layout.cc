#include "doc/gjson/layout.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "doc/gjson/scan.h"
#include "doc/utf8.h"

namespace tiphys::doc::gjson {
namespace {

/// A member of an object: its key in the source, and its line in the output.
struct Member {
  std::string_view key;
  std::size_t begin = 0;
  std::size_t end = 0;
};

GjsonType kind_of(std::string_view json) {
  if (json.empty() || json[0] == 'n') return GjsonType::kNull;
  if (json[0] == '"') return GjsonType::kString;
  if (json[0] == 'f') return GjsonType::kFalse;
  if (json[0] == 't') return GjsonType::kTrue;
  return json[0] == '[' || json[0] == '{' ? GjsonType::kJson : GjsonType::kNumber;
}

/// As json.Unmarshal gives it: "" for a malformed string, U+FFFD for malformed UTF-8.
std::string plain_text(Workspace& work, std::string_view json) {
  const auto stop = json.find_first_of("\\\"", 1);
  if (stop == std::string_view::npos) return "";
  if (json[stop] == '"') return std::string(json.substr(1, stop - 1));
  if (!is_valid(work, json)) return "";
  const std::string raw = unescape(json.substr(1, json.size() - 2));
  std::string text;
  for (std::size_t i = 0; i < raw.size();) {
    const CodePoint c = code_point_at(raw, i);
    append_utf8(c.value, text);
    i += c.size;
  }
  return text;
}

bool is_less(Workspace& work, std::string_view a, std::string_view b) {
  const GjsonType kind = kind_of(a);
  if (kind != kind_of(b)) return kind < kind_of(b);
  if (kind == GjsonType::kString) return plain_text(work, a) < plain_text(work, b);
  if (kind == GjsonType::kNumber) return parse_float(a) < parse_float(b);
  return a < b;
}

class Printer {
 public:
  Printer(Workspace& work, std::string_view json, const Layout& layout)
      : work_(work), json_(json), layout_(layout), out_(layout.prefix) {}

  std::string print() {
    value(0, {});
    if (!out_.empty()) out_ += '\n';
    return std::move(out_);
  }

 private:
  struct Place {
    int depth = 0;
    std::optional<std::size_t> limit;  ///< of the output when it tries to stay on one line
    bool is_one_line() const { return limit.has_value(); }
  };

  bool starts_number(std::size_t at) const {
    const char c = json_[at];
    if (c == 'n') return is_nan(json_, at);
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == 'i' || c == 'I' || c == 'N';
  }

  /// Prints the next value and gives its end; nothing when it does not fit on one line.
  std::optional<std::size_t> value(std::size_t i, Place place) {
    for (; i < json_.size(); ++i) {
      const char c = json_[i];
      if (c == '"') return string(i);
      if (starts_number(i)) return number(i);
      if (c == '{' || c == '[') return container(i, place);
      if (c != 't' && c != 'f' && c != 'n') continue;
      const std::string_view word = c == 't' ? "true" : c == 'f' ? "false" : "null";
      out_ += word;
      return i + word.size();
    }
    return i;
  }

  std::size_t string(std::size_t i) {
    const StringPiece piece = scan_string(json_, i + 1);
    out_ += piece.text;
    return piece.end;
  }

  std::size_t number(std::size_t i) {
    const std::size_t end = std::min(json_.find(':', i + 1), scan_number(json_, i).end);
    out_ += json_.substr(i, end - i);
    return end;
  }

  std::optional<std::size_t> container(std::size_t i, Place place) {
    const Level level(work_);
    if (!work_.charge(1)) return std::nullopt;
    const bool array = json_[i] == '[';
    if (layout_.width > 0) {
      if (place.is_one_line() && !array) return std::nullopt;
      const auto room = layout_.width - static_cast<std::int64_t>(out_.size() - line_);
      if (!place.is_one_line() && array && room > 3) {
        const std::size_t before = out_.size();
        if (const auto end = members(i, {0, before + static_cast<std::size_t>(room)})) return end;
        out_.resize(before);
      }
    }
    return members(i, place);
  }

  std::optional<std::size_t> members(std::size_t i, Place place) {
    const bool array = json_[i] == '[';
    const char close = array ? ']' : '}';
    bool sorts = layout_.sort_keys && !array;
    std::vector<Member> sorted;
    out_ += json_[i++];
    bool empty = true;
    for (; i < json_.size() && !work_.is_exhausted(); ++i) {
      if (is_blank(json_[i])) continue;
      if (json_[i] == close) {
        if (sorts) sort_members(sorted);
        if (!empty && !place.is_one_line()) new_line(place.depth);
        out_ += close;
        return fits(place) ? std::optional(i + 1) : std::nullopt;
      }
      if (!array && json_[i] != '"') continue;
      if (!empty) out_ += array && layout_.width != -1 ? ", " : ",";
      empty = false;
      Member member;
      if (!place.is_one_line()) member.begin = new_line(place.depth + 1);
      if (!array) {
        const std::size_t key = i;
        i = string(i);
        member.key = json_.substr(key, i - key);
        out_ += ": ";
      }
      const auto end = value(i, {place.depth + 1, place.limit});
      if (!end || !fits(place)) return std::nullopt;
      i = *end - 1;
      member.end = out_.size();
      sorted.push_back(member);
    }
    return fits(place) ? std::optional(i) : std::nullopt;
  }

  bool fits(Place place) const { return !place.is_one_line() || out_.size() <= *place.limit; }

  /// Starts a line with its indentation, and gives where it starts.
  std::size_t new_line(int depth) {
    line_ = out_.size();
    if (out_.back() == ' ') {
      out_.back() = '\n';
    } else {
      out_ += '\n';
    }
    const std::size_t begin = out_.size();
    const auto count = static_cast<std::size_t>(depth);
    if (!work_.charge(layout_.prefix.size() + count * layout_.indent.size())) return begin;
    out_ += layout_.prefix;
    for (std::size_t i = 0; i < count; ++i) out_ += layout_.indent;
    return begin;
  }

  void sort_members(const std::vector<Member>& members) {
    if (members.empty()) return;
    const auto value_of = [&](const Member& member) {
      const std::string_view line = trim_space(std::string_view(out_).substr(member.begin, member.end - member.begin));
      return trim_space(line.substr(std::min(line.size(), member.key.size() + 1)));
    };
    std::vector<Member> sorted = members;
    std::ranges::stable_sort(sorted, [&](const Member& a, const Member& b) {
      if (is_less(work_, a.key, b.key)) return true;
      if (is_less(work_, b.key, a.key)) return false;
      return is_less(work_, value_of(a), value_of(b));
    });
    std::string lines;
    for (const Member& member : sorted) {
      if (!lines.empty()) lines += ",\n";
      lines.append(out_, member.begin, member.end - member.begin);
    }
    out_.replace(members.front().begin, std::string::npos, lines);
  }

  Workspace& work_;
  std::string_view json_;
  const Layout& layout_;
  std::string out_;
  std::size_t line_ = 0;  ///< where the current line starts
};

}  // namespace

std::string lay_out(Workspace& work, std::string_view json, const Layout& layout) {
  return Printer(work, json, layout).print();
}

std::string without_blanks(std::string_view json) {
  std::string out;
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (is_blank(json[i])) continue;
    if (json[i] != '"') {
      out += json[i];
      continue;
    }
    const StringPiece piece = scan_string(json, i + 1);
    out += piece.text;
    i = piece.end - 1;
  }
  return out;
}

}  // namespace tiphys::doc::gjson
