#include "engine/loop_items.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "api/limits.h"
#include "base/whole_number.h"
#include "doc/json_text.h"

namespace tiphys::engine {
namespace {

/// Keys sorted at every level, as Go writes maps.
doc::Value sorted(const doc::Value& value) {
  if (const auto* array = value.if_array()) {
    doc::Array result;
    result.reserve(array->size());
    for (const auto& element : *array) result.push_back(sorted(element));
    return result;
  }
  const auto* object = value.if_object();
  if (!object) return value;
  std::vector<std::string_view> keys;
  for (const auto& [key, member] : *object) keys.push_back(key);
  std::ranges::sort(keys);
  doc::Object result;
  result.reserve(object->size());
  for (const std::string_view key : keys) result.emplace(key, sorted(object->at(key)));
  return result;
}

/// Go's Item.String(): JSON without the outer quotes of a string.
std::string item_words(const doc::Value& value) {
  std::string json = doc::to_json(value);
  if (value.is_string()) return json.substr(1, json.size() - 2);
  return json;
}

Result<std::int64_t> atoi(const std::string& text) {
  if (const auto number = whole_number(text)) return *number;
  return fail(Code::kInvalidArgument, fmt::format("strconv.Atoi: parsing \"{}\": invalid syntax", text));
}

/// A format of Go's fmt with one verb for whole numbers: flags, width and one of d, x, X, o, b, v.
class NumberFormat {
 public:
  static Result<NumberFormat> parse(const std::string& format) {
    NumberFormat result;
    const std::size_t percent = format.find('%');
    if (percent == std::string::npos) {
      result.before_ = format + "%!(EXTRA int=";
      result.after_ = ")";
      return result;
    }
    result.before_ = format.substr(0, percent);
    std::size_t at = percent + 1;
    for (; at < format.size() && std::string_view("-+# 0").find(format[at]) != std::string_view::npos; ++at) {
      result.left_ |= format[at] == '-';
      result.sign_ |= format[at] == '+';
      result.zeros_ |= format[at] == '0';
    }
    for (; at < format.size() && format[at] >= '0' && format[at] <= '9' && result.width_ < 1000; ++at) {
      result.width_ = result.width_ * 10 + (format[at] - '0');
    }
    if (at >= format.size() || std::string_view("dxXobv").find(format[at]) == std::string_view::npos) {
      return fail(
          Code::kInvalidArgument,
          fmt::format("withSequence.format \"{}\" must have one verb for a whole number, as %d or %03x", format));
    }
    result.verb_ = format[at] == 'v' ? 'd' : format[at];
    result.after_ = format.substr(at + 1);
    return result;
  }

  std::string write(std::int64_t value) const {
    const std::uint64_t size = value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
    std::string digits = verb_ == 'x'   ? fmt::format("{:x}", size)
                         : verb_ == 'X' ? fmt::format("{:X}", size)
                         : verb_ == 'o' ? fmt::format("{:o}", size)
                         : verb_ == 'b' ? fmt::format("{:b}", size)
                                        : fmt::format("{}", size);
    const std::string sign = value < 0 ? "-" : sign_ ? "+" : "";
    const auto width = static_cast<std::size_t>(width_);
    if (zeros_ && !left_ && digits.size() + sign.size() < width)
      digits.insert(0, width - sign.size() - digits.size(), '0');
    std::string text = sign + digits;
    if (text.size() < width) text.insert(left_ ? text.size() : 0, width - text.size(), ' ');
    return before_ + text + after_;
  }

 private:
  std::string before_, after_;
  int width_ = 0;
  char verb_ = 'd';
  bool left_ = false, sign_ = false, zeros_ = false;
};

}  // namespace

LoopItem make_loop_item(const doc::Value& value) {
  LoopItem item;
  if (const auto* text = value.if_string()) {
    item.text = *text;
    item.description = item_words(value);
  } else if (const auto* array = value.if_array()) {
    item.text = doc::to_json(value);
    std::vector<std::string> words;
    for (const auto& element : *array) words.push_back(item_words(element));
    item.description = fmt::format("[{}]", fmt::join(words, " "));
  } else if (const auto* object = value.if_object()) {
    item.text = doc::to_json(sorted(value));
    std::vector<std::string> words;
    for (const auto& [key, member] : *object) {
      std::string member_text = item_words(member);
      words.push_back(std::string(key) + ":" + member_text);
      item.members.emplace_back(key, std::move(member_text));
    }
    std::ranges::sort(words);
    item.description = fmt::format("{}", fmt::join(words, ","));
  } else if (value.is_null()) {
    item.text = "null";
    item.description = "[]";
  } else {
    item.text = doc::to_json(value);
    item.description = item.text;
  }
  return item;
}

LoopItem make_written_item(const doc::Value& value, std::string_view json) {
  const auto parts = doc::json_parts(json);
  const auto* whole = value.if_object();
  const bool twice = whole && parts.size() != 2 * whole->size();  // a key
  if (value.is_string() || value.is_null() || twice) return make_loop_item(value);
  LoopItem item;
  const auto words_of = [](std::string_view part) {
    const std::string compact = doc::compact_json(part);
    return compact.starts_with('"') ? compact.substr(1, compact.size() - 2) : compact;
  };
  std::vector<std::string> words;
  if (value.is_array()) {
    for (const auto part : parts) words.push_back(words_of(part));
    item.text = doc::compact_json(json);
    item.description = fmt::format("[{}]", fmt::join(words, " "));
  } else if (whole) {
    std::map<std::string_view, std::string_view> by_key;
    std::size_t at = 0;
    for (const auto& [key, member] : *whole) {
      by_key.emplace(key, parts[2 * at + 1]);
      item.members.emplace_back(key, words_of(parts[2 * at + 1]));
      words.push_back(std::string(key) + ":" + item.members.back().second);
      ++at;
    }
    std::ranges::sort(words);
    item.description = fmt::format("{}", fmt::join(words, ","));
    std::vector<std::string> members;
    for (const auto& [key, part] : by_key)
      members.push_back(doc::to_json(doc::Value(key)) + ":" + doc::compact_json(part));
    item.text = fmt::format("{{{}}}", fmt::join(members, ","));
  } else {
    item.text = doc::compact_json(json);
    item.description = item.text;
  }
  return item;
}

Result<doc::Array> make_sequence(const std::string& count, const std::string& start, const std::string& end,
                                 const std::string& format) {
  std::int64_t first = 0, last = 0;
  if (!start.empty()) {
    TIPHYS_TRY(first, atoi(start));
  }
  if (!end.empty()) {
    TIPHYS_TRY(last, atoi(end));
  } else if (!count.empty()) {
    TIPHYS_TRY(const std::int64_t number, atoi(count));
    if (number == 0) return doc::Array();
    last = first + number - 1;
  } else {
    return fail(Code::kInvalidArgument, "neither end nor count was specified in withSequence");
  }
  if (std::max(first, last) - std::min(first, last) >= api::kLongestLoop) {
    return fail(Code::kResourceExhausted,
                fmt::format("withSequence from {} to {} has more than {} items", first, last, api::kLongestLoop));
  }
  TIPHYS_TRY(const NumberFormat numbers, NumberFormat::parse(format.empty() ? "%d" : format));
  doc::Array items;
  items.reserve(static_cast<std::size_t>(std::max(first, last) - std::min(first, last) + 1));
  const std::int64_t step = first <= last ? 1 : -1;
  for (std::int64_t at = first;; at += step) {
    items.emplace_back(numbers.write(at));
    if (at == last) return items;
  }
}

Aggregate aggregate_outputs(const std::vector<const NodeOutputs*>& outputs) {
  doc::Array parameters;
  std::vector<std::string> results;
  std::map<std::string, std::vector<std::string>, std::less<>> by_name;
  for (const NodeOutputs* of_turn : outputs) {
    std::map<std::string_view, std::string_view> values;
    of_turn->for_each_value([&](const std::string& name, const std::string& value) {
      values[name] = value;
      by_name[name].push_back(value);
    });
    doc::Object object;
    for (const auto& [name, value] : values) object.emplace(name, value);
    if (!object.empty()) parameters.push_back(std::move(object));
    if (const std::string* result = of_turn->result()) {
      // The original ends in an error when a result is no JSON; a plain text is taken as a string here.
      results.push_back(doc::parse_json(*result) ? doc::compact_json(*result) : doc::to_json(doc::Value(*result)));
    }
  }
  Aggregate aggregate{fmt::format("[{}]", fmt::join(results, ",")), doc::to_json(parameters), {}};
  for (const auto& [name, values] : by_name) {
    doc::Array parsed, texts;
    bool structured = true;
    for (const std::string& value : values) {
      texts.emplace_back(value);
      if (!structured) continue;
      const auto json = doc::parse_json(value);
      structured = json && (json->is_array() || json->is_object());
      if (structured) parsed.push_back(sorted(*json));
    }
    aggregate.by_name[name] = doc::to_json(structured ? parsed : texts);
  }
  return aggregate;
}

}  // namespace tiphys::engine
