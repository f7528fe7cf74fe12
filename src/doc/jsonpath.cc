#include "doc/jsonpath.h"

#include <fmt/format.h>

#include <algorithm>
#include <compare>
#include <deque>

#include "doc/jsonpath_syntax.h"

namespace tiphys::doc {
namespace {

using namespace jsonpath;
/// nullptr is what a range over nothing, or over a null, has for its current value.
using Values = std::vector<const Value*>;

/// What a template may look at in all, so that nested ranges and descents end.
constexpr std::size_t kMaxVisits = 10'000'000;
constexpr std::size_t kMaxOutput = 64U << 20U;

std::unexpected<Error> wrong(std::string message) {
  return fail(Code::kInvalidArgument, std::move(message));
}

std::string brief(const Value* value) {
  return value ? to_json(*value).substr(0, 60) : "nothing";
}

bool is_null(const Value* value) {
  return value && value->is_null();
}

enum class Kind { kNone, kBool, kInteger, kFloat, kString };

Kind kind_of(const Value& value) {
  if (value.is_bool()) return Kind::kBool;
  if (value.is_int64()) return Kind::kInteger;
  if (value.is_number()) return Kind::kFloat;
  return value.is_string() ? Kind::kString : Kind::kNone;
}

std::partial_ordering order(const Value& a, const Value& b, Kind kind) {
  if (kind == Kind::kBool) return a.get_bool() <=> b.get_bool();
  if (kind == Kind::kInteger) return a.get_int64() <=> b.get_int64();
  if (kind == Kind::kFloat) return a.to_number<double>() <=> b.to_number<double>();
  return std::string_view(a.get_string()) <=> std::string_view(b.get_string());
}

/// Integers and floats do not compare; only equality is asked of booleans.
Result<bool> compare(const Value& a, std::string_view op, const Value& b) {
  const Kind kind = kind_of(a);
  if (kind == Kind::kNone || kind_of(b) == Kind::kNone) return wrong("invalid type for comparison");
  if (kind != kind_of(b)) return wrong("incompatible types for comparison");
  const std::partial_ordering found = order(a, b, kind);
  if (op == "==") return found == 0;
  if (op == "!=") return found != 0;
  if (kind == Kind::kBool) return wrong("invalid type for comparison");
  if (op == "<") return found < 0;
  if (op == "<=") return found <= 0;
  if (op == ">") return found > 0;
  if (op == ">=") return found >= 0;
  return wrong(fmt::format("unrecognized filter operator {}", op));
}

class Evaluator {
 public:
  Evaluator(const List& nodes, bool allow_missing_keys) : nodes_(nodes), allow_missing_keys_(allow_missing_keys) {}

  /// Prints the nodes from `first` until the end of their range; nothing when `out` is nullptr.
  Status run(const Value* data, std::size_t first, std::string* out) {
    for (std::size_t i = first; i < nodes_.size(); ++i) {
      Values values = {data};
      TIPHYS_CHECK_OK(walk(nodes_[i], values));
      if (ends_ > 0 && ends_ <= open_) {
        --ends_;
        last_end_ = i;
        return {};
      }
      if (ranges_ == 0) {
        if (out) TIPHYS_CHECK_OK(print(values, *out));
        continue;
      }
      --ranges_;
      ++open_;
      // A range over nothing looks for its end all the same.
      if (values.empty()) TIPHYS_CHECK_OK(run(nullptr, i + 1, nullptr));
      for (const Value* value : values) TIPHYS_CHECK_OK(run(is_null(value) ? nullptr : value, i + 1, out));
      --open_;
      // Without an end the body is not skipped.
      if (last_end_ > i) i = last_end_;
    }
    return {};
  }

 private:
  Status print(const Values& values, std::string& out) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i > 0) out += ' ';
      if (values[i]) {
        append_text(*values[i], out);
      } else {
        out += "<no value>";
      }
      if (out.size() > kMaxOutput) return wrong("the JSONPath prints more than 64 MiB");
    }
    return {};
  }

  /// Replaces `values` by what the node makes of them. After an error they are what "exists" looks at.
  Status walk(const Node& node, Values& values) {
    visits_ += values.size() + 1;
    if (visits_ > kMaxVisits) return wrong("the JSONPath looks at too many values");
    return std::visit([&](const auto& what) { return apply(what, values); }, node.what);
  }

  Status walk(const List& nodes, Values& values) {
    for (const Node& node : nodes) TIPHYS_CHECK_OK(walk(node, values));
    return {};
  }

  const Value* own(Value value) { return &made_.emplace_back(std::move(value)); }

  Status apply(const Action& action, Values& values) { return walk(action.nodes, values); }

  Status apply(const Text& text, Values& values) {
    values = {own(Value(text.text))};
    return {};
  }

  Status apply(const Literal& literal, Values& values) {
    values.assign(values.size(), &literal.value);
    return {};
  }

  Status apply(const Word& word, Values& values) {
    if (word.name == "range") {
      ++ranges_;
      return {};
    }
    if (word.name != "end") return wrong(fmt::format("unrecognized identifier {}", word.name));
    values.clear();
    if (open_ == 0) return wrong("not in range, nothing to end");
    ++ends_;
    return {};
  }

  Status apply(const Field& field, Values& values) {
    if (values.empty()) return {};
    Values out;
    for (const Value* value : values) {
      if (const Value* member = value ? find(*value, field.name) : nullptr) out.push_back(member);
    }
    values = std::move(out);
    if (values.empty() && !allow_missing_keys_) return wrong(fmt::format("{} is not found", field.name));
    return {};
  }

  Status apply(const Slice& slice, Values& values) {
    Values out;
    for (const Value* value : values) {
      if (is_null(value)) continue;
      const Array* array = value ? value->if_array() : nullptr;
      if (!array) return wrong(fmt::format("{} is not array or slice", brief(value)));
      const auto size = static_cast<std::int64_t>(array->size());
      std::int64_t start = slice.start.value;
      std::int64_t end = slice.end.known ? slice.end.value : size;
      if (start < 0) start += size;
      if (end < 0 || (end == 0 && slice.single)) end += size;
      if (start == end) break;  // drops what is left, as the original
      if (start < 0 || start >= size) return out_of_bounds(start, size);
      if (end < 0 || end > size) return out_of_bounds(end - 1, size);
      if (start > end) return wrong(fmt::format("starting index {} is greater than ending index {}", start, end));
      const std::int64_t step = slice.step.known ? slice.step.value : 1;
      if (step <= 0) return wrong("step must be > 0");
      for (; start < end; start += std::min(step, size)) out.push_back(&(*array)[static_cast<std::size_t>(start)]);
    }
    values = std::move(out);
    return {};
  }

  static std::unexpected<Error> out_of_bounds(std::int64_t index, std::int64_t size) {
    return wrong(fmt::format("array index out of bounds: index {}, length {}", index, size));
  }

  /// Elements, members, or the bytes of a string.
  Values inside(const Value* value) {
    Values out;
    if (!value) return out;
    if (const Object* object = value->if_object()) {
      for (const auto& member : *object) out.push_back(&member.value());
    } else if (const Array* array = value->if_array()) {
      for (const Value& element : *array) out.push_back(&element);
    } else if (const auto* string = value->if_string()) {
      for (const char c : *string) out.push_back(own(std::int64_t{static_cast<unsigned char>(c)}));
    }
    visits_ += out.size();
    return out;
  }

  Status apply(const Wildcard&, Values& values) {
    Values out;
    for (const Value* value : values) {
      const Values some = inside(value);
      out.insert(out.end(), some.begin(), some.end());
      if (visits_ > kMaxVisits) return wrong("the JSONPath looks at too many values");
    }
    values = std::move(out);
    return {};
  }

  /// All that has something inside.
  Status apply(const Descent&, Values& values) {
    Values out;
    Values left(values.rbegin(), values.rend());
    while (!left.empty()) {
      const Value* value = left.back();
      left.pop_back();
      if (++visits_ > kMaxVisits) return wrong("the JSONPath looks at too many values");
      if (value && value->is_string() && !value->get_string().empty()) out.push_back(value);
      if (!value || !value->is_structured()) continue;
      const Values some = inside(value);
      if (!some.empty()) out.push_back(value);
      left.insert(left.end(), some.rbegin(), some.rend());
    }
    values = std::move(out);
    return {};
  }

  Status apply(const Union& all, Values& values) {
    Values out;
    for (const List& member : all.members) {
      Values some = values;
      TIPHYS_CHECK_OK(walk(member, some));
      out.insert(out.end(), some.begin(), some.end());
    }
    values = std::move(out);
    return {};
  }

  Status apply(const Filter& filter, Values& values) {
    Values out;
    for (const Value* value : values) {
      const Array* array = value ? value->if_array() : nullptr;
      if (!array) return wrong(fmt::format("{} is not array or slice and cannot be filtered", brief(value)));
      for (const Value& element : *array) {
        TIPHYS_TRY(const bool keep, passes(filter, element));
        if (keep) out.push_back(&element);
      }
    }
    values = std::move(out);
    return {};
  }

  Result<bool> passes(const Filter& filter, const Value& element) {
    Values left = {&element};
    const Status found = walk(filter.left, left);
    if (visits_ > kMaxVisits) return wrong("the JSONPath looks at too many values");
    if (filter.op.empty()) return !left.empty();
    TIPHYS_CHECK_OK(found);
    if (left.empty()) return false;
    if (left.size() > 1) return wrong("can only compare one element at a time");
    Values right = {&element};
    TIPHYS_CHECK_OK(walk(filter.right, right));
    if (right.empty()) return false;
    if (right.size() > 1) return wrong("can only compare one element at a time");
    return compare(*left[0], filter.op, *right[0]);
  }

  const List& nodes_;
  const bool allow_missing_keys_;
  std::deque<Value> made_;  ///< values that the document has not
  std::size_t visits_ = 0;
  int ranges_ = 0;  ///< "range" met, but not yet begun
  int open_ = 0;
  int ends_ = 0;  ///< "end" met, whose range goes on
  std::size_t last_end_ = 0;
};

}  // namespace

Result<std::string> eval_jsonpath(std::string_view text, const Value& root, bool allow_missing_keys) {
  TIPHYS_TRY(const List nodes, jsonpath::parse(text));
  std::string out;
  TIPHYS_CHECK_OK(Evaluator(nodes, allow_missing_keys).run(&root, 0, &out));
  return out;
}

}  // namespace tiphys::doc
