#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/strings.h"
#include "doc/patch.h"

namespace tiphys::doc {
namespace {

constexpr std::size_t kMaxOperations = 10'000;
constexpr std::size_t kMaxCopied = std::size_t{3} << 20;
constexpr std::size_t kMaxDepth = 64;

std::unexpected<Error> wrong(std::string message) {
  return fail(Code::kInvalidArgument, std::move(message));
}

bool deeper_than(const Value& value, std::size_t levels) {
  if (!value.is_structured()) return false;
  if (levels == 0) return true;
  const auto deep = [&](const Value& inside) { return deeper_than(inside, levels - 1); };
  if (const Array* array = value.if_array()) return std::ranges::any_of(*array, deep);
  return std::ranges::any_of(value.get_object(), [&](const auto& member) { return deep(member.value()); });
}

/// As the original compares JSON texts: 1 is not 1.0, and no list that holds a null equals another.
bool same(const Value& a, const Value& b) {
  if (a.kind() != b.kind()) return false;
  if (const Array* array = a.if_array()) {
    return std::ranges::equal(*array, b.get_array(),
                              [](const Value& x, const Value& y) { return !x.is_null() && same(x, y); });
  }
  const Object* object = a.if_object();
  if (!object) return a == b;
  return object->size() == b.get_object().size() && std::ranges::all_of(*object, [&](const auto& member) {
           const Value* other = find(b, member.key());
           return other && same(member.value(), *other);
         });
}

std::string unescape(std::string_view part) {
  std::string token;
  for (std::size_t i = 0; i < part.size(); ++i) {
    const bool escape = part[i] == '~' && i + 1 < part.size() && (part[i + 1] == '0' || part[i + 1] == '1');
    token += escape ? (part[++i] == '0' ? '~' : '/') : part[i];
  }
  return token;
}

/// A place in an array of `size` elements: from its end when negative, at most `last`.
Result<std::size_t> parse_index(std::string_view token, std::size_t size, std::size_t last) {
  std::string_view digits = token;
  if (digits.starts_with('+')) digits.remove_prefix(digits.starts_with("+-") ? 0 : 1);
  std::int64_t index = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), index);
  if (error != std::errc() || end != digits.data() + digits.size()) {
    return wrong(fmt::format("\"{}\" is no index", token));
  }
  if (index < 0) index += static_cast<std::int64_t>(size);
  if (index < 0 || static_cast<std::size_t>(index) > last || last + 1 == 0) {
    return wrong(fmt::format("there is no index {} in a list of {}", token, size));
  }
  return static_cast<std::size_t>(index);
}

/// Applies operations to a document that nobody else sees yet.
class JsonPatch {
 public:
  explicit JsonPatch(Value& root) : root_(root) {}

  Status apply(const Value& operation) {
    const std::string_view op = find_string(operation, "op");
    const Value* given = find(operation, "value");
    const Value value = given ? *given : Value();
    if (op == "replace" && is_root(operation)) return replace_root(value);
    if (op == "test" && is_root(operation)) {
      const bool holds = root_.is_null() ? value == Value(Object()) : same(root_, value);
      return verify(given && holds, "");
    }
    if (op == "move" || op == "copy") {
      TIPHYS_TRY(const Place from, place_of(operation, "from"));
      TIPHYS_TRY(const Value* source, get(from));
      Value moved = *source;
      if (op == "move") TIPHYS_CHECK_OK(remove(from));
      TIPHYS_TRY(const Place to, place_of(operation, "path"));
      if (op == "copy") TIPHYS_CHECK_OK(count_copy(moved));
      return add(to, std::move(moved));
    }
    TIPHYS_TRY(const Place place, place_of(operation, "path"));
    if (op == "add") return add(place, value);
    if (op == "remove") return remove(place);
    if (op == "replace") return replace(place, value);
    if (op != "test") return wrong(fmt::format("unknown op \"{}\"", op));
    TIPHYS_TRY(const Value* found, get(place));
    return verify(found->is_null() ? value.is_null() : given && same(*found, value), place.key);
  }

 private:
  /// What an object's member or an array's element is reached by.
  struct Place {
    Value* container;
    std::string key;
    std::size_t depth;
  };

  static bool is_root(const Value& operation) {
    const Value* path = find(operation, "path");
    return path && path->is_string() && path->get_string().empty();
  }

  static Status verify(bool holds, std::string_view key) {
    if (holds) return {};
    return fail(Code::kFailedPrecondition, fmt::format("the value of \"{}\" is another", key));
  }

  /// What stands before the first "/" does not count.
  Result<Place> place_of(const Value& operation, std::string_view name) {
    const Value* pointer = find(operation, name);
    if (!pointer || !pointer->is_string()) return wrong(fmt::format("{} is required", name));
    const auto parts = split(pointer->get_string(), '/');
    if (parts.size() < 2) return wrong(fmt::format("{} \"{}\" must begin with /", name, parts[0]));
    Place place{&root_, unescape(parts[1]), 1};
    for (std::size_t i = 2; i < parts.size(); ++i) {
      TIPHYS_TRY(Value * next, get(place));
      if (!next->is_structured()) {
        return wrong(fmt::format("{} \"{}\" is not there", name, std::string_view(pointer->get_string())));
      }
      place = {next, unescape(parts[i]), i};
    }
    return place;
  }

  /// `missing_`, a null, for what an object lacks.
  Result<Value*> get(const Place& place) {
    if (Array* array = place.container->if_array()) {
      TIPHYS_TRY(const std::size_t index, parse_index(place.key, array->size(), array->size() - 1));
      return &(*array)[index];
    }
    Object* object = place.container->if_object();
    Value* member = object ? object->if_contains(place.key) : nullptr;
    return member ? member : &missing_;
  }

  /// The object that holds the place; an error where the document itself is null.
  static Result<Object*> object_of(const Place& place) {
    Object* object = place.container->if_object();
    if (!object) return wrong(fmt::format("\"{}\" is in no object or list", place.key));
    return object;
  }

  static Status check_depth(const Place& place, const Value& value) {
    if (place.depth <= kMaxDepth && !deeper_than(value, kMaxDepth - place.depth)) return {};
    return wrong("the patched document is nested too deeply");
  }

  static Status add(const Place& place, Value value) {
    TIPHYS_CHECK_OK(check_depth(place, value));
    Array* array = place.container->if_array();
    if (!array) {
      TIPHYS_TRY(Object * object, object_of(place));
      (*object)[place.key] = std::move(value);
      return {};
    }
    std::size_t index = array->size();
    if (place.key != "-") {
      TIPHYS_TRY(index, parse_index(place.key, array->size() + 1, array->size()));
    }
    array->insert(array->begin() + static_cast<std::ptrdiff_t>(index), std::move(value));
    return {};
  }

  Status replace(const Place& place, const Value& value) {
    TIPHYS_CHECK_OK(check_depth(place, value));
    if (place.container->is_array()) {
      TIPHYS_TRY(Value * old, get(place));
      *old = value;
      return {};
    }
    TIPHYS_TRY(Object * object, object_of(place));
    (*object)[place.key] = value;
    return {};
  }

  Status replace_root(const Value& value) {
    if (!value.is_structured()) return wrong("the document can only become an object or a list");
    root_ = value;
    return {};
  }

  static Status remove(const Place& place) {
    if (Array* array = place.container->if_array()) {
      TIPHYS_TRY(const std::size_t index, parse_index(place.key, array->size(), array->size() - 1));
      array->erase(array->begin() + static_cast<std::ptrdiff_t>(index));
      return {};
    }
    TIPHYS_TRY(Object * object, object_of(place));
    if (!object->contains(place.key)) return wrong(fmt::format("there is no \"{}\" to remove", place.key));
    object->stable_erase(place.key);
    return {};
  }

  Status count_copy(const Value& value) {
    copied_ += to_json(value).size();
    if (copied_ > kMaxCopied) return wrong("the copies exceed 3 MiB");
    return {};
  }

  Value& root_;
  Value missing_;
  std::size_t copied_ = 0;
};

}  // namespace

Status apply_json_patch(Value& target, const Value& patch) {
  if (!patch.is_array() && !patch.is_null()) return wrong("a JSON patch must be a list of operations");
  if (!target.is_structured() && !target.is_null()) return wrong("a JSON patch is for an object or a list");
  const Array none;
  const Array& operations = patch.is_array() ? patch.get_array() : none;
  if (operations.size() > kMaxOperations) {
    return wrong(fmt::format("a JSON patch may have {} operations", kMaxOperations));
  }
  Value result = target;
  JsonPatch json_patch(result);
  for (std::size_t i = 0; i < operations.size(); ++i) {
    if (const Status done = json_patch.apply(operations[i]); !done) {
      return std::unexpected(done.error().in(fmt::format("patch operation {}", i)));
    }
  }
  target = std::move(result);
  return {};
}

}  // namespace tiphys::doc
