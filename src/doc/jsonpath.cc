#include "doc/jsonpath.h"

#include <fmt/format.h>

#include <algorithm>
#include <compare>

#include "doc/jsonpath_syntax.h"

namespace tiphys::doc {
namespace {

using namespace jsonpath;
using Values = std::vector<const Value*>;

/// What a template may look at in all, so that nested ranges and descents end.
constexpr std::size_t kMaxVisits = 10'000'000;

std::unexpected<Error> wrong(std::string message) {
  return fail(Code::kInvalidArgument, std::move(message));
}

void descend(const Value& value, Values& out) {
  out.push_back(&value);
  if (const Object* object = value.if_object()) {
    for (const auto& member : *object) descend(member.value(), out);
  } else if (const Array* array = value.if_array()) {
    for (const Value& element : *array) descend(element, out);
  }
}

std::partial_ordering compare(const Value& a, const Value& b) {
  if (a.is_string() && b.is_string()) return std::string_view(a.get_string()) <=> std::string_view(b.get_string());
  if (a.is_number() && b.is_number()) return a.to_number<double>() <=> b.to_number<double>();
  if (a == b) return std::partial_ordering::equivalent;
  return std::partial_ordering::unordered;
}

bool holds(std::string_view op, std::partial_ordering order) {
  if (op == "==") return order == 0;
  if (op == "!=") return order != 0;
  if (op == "<") return order < 0;
  if (op == "<=") return order <= 0;
  if (op == ">") return order > 0;
  return order >= 0;
}

class Evaluator {
 public:
  Evaluator(const Value& root, bool allow_missing_keys) : root_(root), allow_missing_keys_(allow_missing_keys) {}

  Status print(const std::vector<Piece>& pieces, const Value& current, std::string& out) {
    for (const Piece& piece : pieces) {
      if (!piece.path) {
        out += piece.text;
        continue;
      }
      TIPHYS_TRY(const Values values, follow(*piece.path, {&current}));
      for (std::size_t i = 0; i < values.size(); ++i) {
        if (piece.range) {
          TIPHYS_CHECK_OK(print(piece.body, *values[i], out));
          continue;
        }
        if (i > 0) out += ' ';
        out += values[i]->is_null() ? "<nil>" : scalar_text(*values[i]);
      }
    }
    return {};
  }

 private:
  Result<Values> follow(const Path& path, Values values) {
    for (const Step& step : path) {
      visits_ += values.size() + 1;
      if (visits_ > kMaxVisits) return wrong("the JSONPath looks at too many values");
      TIPHYS_TRY(values, std::visit([&](const auto& what) { return apply(what, values); }, step.what));
    }
    return values;
  }

  Result<Values> apply(const Root&, const Values&) { return Values{&root_}; }

  Result<Values> apply(const Field& field, const Values& values) {
    Values out;
    for (const Value* value : values) {
      if (const Value* member = find(*value, field.name)) out.push_back(member);
    }
    const bool missing = out.empty() && !values.empty();
    if (missing && !allow_missing_keys_) return wrong(fmt::format("{} is not found", field.name));
    return out;
  }

  Result<Values> apply(const Slice& slice, const Values& values) {
    Values out;
    for (const Value* value : values) {
      const Array* array = value->if_array();
      if (!array) {
        if (value->is_null()) continue;
        return wrong(fmt::format("{} is not array or slice", to_json(*value).substr(0, 60)));
      }
      const auto size = static_cast<int>(array->size());
      const auto place = [&](std::optional<int> index, int absent) {
        return !index ? absent : *index < 0 ? *index + size : *index;
      };
      if (slice.single) {
        const int index = place(slice.start, 0);
        if (index < 0 || index >= size) {
          return wrong(fmt::format("array index out of bounds: index {}, length {}", *slice.start, size));
        }
        out.push_back(&(*array)[static_cast<std::size_t>(index)]);
        continue;
      }
      const int end = std::min(place(slice.end, size), size);
      for (int i = std::max(place(slice.start, 0), 0); i < end; i += slice.step) {
        out.push_back(&(*array)[static_cast<std::size_t>(i)]);
        if (end - i <= slice.step) break;
      }
    }
    return out;
  }

  Result<Values> apply(const Wildcard&, const Values& values) {
    Values out;
    for (const Value* value : values) {
      if (const Object* object = value->if_object()) {
        for (const auto& member : *object) out.push_back(&member.value());
      } else if (const Array* array = value->if_array()) {
        for (const Value& element : *array) out.push_back(&element);
      }
    }
    return out;
  }

  Result<Values> apply(const Descent&, const Values& values) {
    Values out;
    for (const Value* value : values) {
      descend(*value, out);
      if (out.size() > kMaxVisits) return wrong("the JSONPath looks at too many values");
    }
    return out;
  }

  Result<Values> apply(const Union& all, const Values& values) {
    Values out;
    for (const Path& member : all.members) {
      TIPHYS_TRY(const Values some, follow(member, values));
      out.insert(out.end(), some.begin(), some.end());
    }
    return out;
  }

  Result<Values> apply(const Filter& filter, const Values& values) {
    Values out;
    for (const Value* value : values) {
      const Array* array = value->if_array();
      if (!array)
        return wrong(fmt::format("{} is not array or slice and cannot be filtered", to_json(*value).substr(0, 60)));
      for (const Value& element : *array) {
        TIPHYS_TRY(const bool keep, passes(filter, element));
        if (keep) out.push_back(&element);
      }
    }
    return out;
  }

  /// An element that lacks the field does not pass.
  Result<bool> passes(const Filter& filter, const Value& element) {
    const Values left = side(filter.left, element);
    if (filter.op.empty()) return !left.empty();
    const Values right = side(filter.right, element);
    if (left.empty() || right.empty()) return false;
    if (left.size() > 1 || right.size() > 1) return wrong("can only compare one element at a time");
    return holds(filter.op, compare(*left[0], *right[0]));
  }

  Values side(const Operand& operand, const Value& element) {
    if (!operand.path) return {&operand.literal};
    auto values = follow(*operand.path, {&element});
    return values ? std::move(*values) : Values();
  }

  const Value& root_;
  bool allow_missing_keys_;
  std::size_t visits_ = 0;
};

}  // namespace

Result<std::string> eval_jsonpath(std::string_view text, const Value& root, bool allow_missing_keys) {
  TIPHYS_TRY(const std::vector<Piece> pieces, jsonpath::parse(text));
  std::string out;
  TIPHYS_CHECK_OK(Evaluator(root, allow_missing_keys).print(pieces, root, out));
  return out;
}

}  // namespace tiphys::doc
