#include "doc/patch.h"

#include <fmt/format.h>

#include <charconv>

#include "base/strings.h"

namespace tiphys::doc {
namespace {

constexpr std::size_t kMaxOperations = 10'000;
constexpr std::size_t kMaxCopied = std::size_t{3} << 20;
constexpr std::size_t kMaxDepth = 64;

bool deeper_than(const Value& value, std::size_t levels) {
  if (!value.is_structured()) return false;
  if (levels == 0) return true;
  if (const Object* object = value.if_object()) {
    for (const auto& member : *object) {
      if (deeper_than(member.value(), levels - 1)) return true;
    }
    return false;
  }
  for (const Value& element : value.get_array()) {
    if (deeper_than(element, levels - 1)) return true;
  }
  return false;
}

Result<std::vector<std::string>> split_pointer(std::string_view pointer) {
  std::vector<std::string> tokens;
  if (pointer.empty()) return tokens;
  if (pointer[0] != '/') return fail(Code::kInvalidArgument, fmt::format("path \"{}\" must start with /", pointer));
  for (const std::string_view part : split(pointer.substr(1), '/')) {
    std::string& token = tokens.emplace_back();
    for (std::size_t i = 0; i < part.size(); ++i) {
      const bool escape = part[i] == '~' && i + 1 < part.size() && (part[i + 1] == '0' || part[i + 1] == '1');
      token += escape ? (part[++i] == '0' ? '~' : '/') : part[i];
    }
  }
  return tokens;
}

std::optional<std::size_t> parse_index(std::string_view token) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
  const bool whole = error == std::errc() && end == token.data() + token.size();
  if (!whole || (token.size() > 1 && token[0] == '0')) return std::nullopt;
  return index;
}

/// Applies RFC 6902 operations to a document that nobody else sees yet.
class JsonPatch {
 public:
  explicit JsonPatch(Value& root) : root_(root) {}

  Status apply(const Value& operation) {
    if (!operation.is_object()) return fail(Code::kInvalidArgument, "an operation must be an object");
    const std::string_view op = find_string(operation, "op");
    TIPHYS_TRY(const auto path, pointer_of(operation, "path"));
    if (op == "add" || op == "replace" || op == "test") {
      const Value* value = find(operation, "value");
      if (!value) return fail(Code::kInvalidArgument, fmt::format("{}: value is required", op));
      if (op == "add") return add(path, *value);
      TIPHYS_TRY(Value * target, locate(path));
      if (op == "replace") {
        *target = *value;
        return {};
      }
      if (*target == *value) return {};
      return fail(Code::kFailedPrecondition, fmt::format("test: {} is not {}", spell(path), to_json(*value)));
    }
    if (op == "remove") {
      TIPHYS_TRY([[maybe_unused]] const Value gone, remove(path));
      return {};
    }
    if (op == "move" || op == "copy") {
      TIPHYS_TRY(const auto from, pointer_of(operation, "from"));
      return op == "move" ? move(from, path) : copy(from, path);
    }
    return fail(Code::kInvalidArgument, fmt::format("unknown op \"{}\"", op));
  }

 private:
  using Tokens = std::vector<std::string>;

  static std::string spell(const Tokens& tokens) { return "/" + join(tokens, "/"); }

  static Result<Tokens> pointer_of(const Value& operation, std::string_view name) {
    const Value* pointer = find(operation, name);
    if (!pointer || !pointer->is_string()) return fail(Code::kInvalidArgument, fmt::format("{} is required", name));
    return split_pointer(pointer->get_string());
  }

  /// The value at the first `count` tokens.
  Result<Value*> locate(const Tokens& tokens, std::size_t count) {
    Value* value = &root_;
    for (std::size_t i = 0; i < count; ++i) {
      Value* next = nullptr;
      if (Object* object = value->if_object()) {
        next = object->if_contains(tokens[i]);
      } else if (Array* array = value->if_array()) {
        const auto index = parse_index(tokens[i]);
        if (index && *index < array->size()) next = &(*array)[*index];
      }
      if (!next) return fail(Code::kInvalidArgument, fmt::format("{} does not exist", spell(tokens)));
      value = next;
    }
    return value;
  }
  Result<Value*> locate(const Tokens& tokens) { return locate(tokens, tokens.size()); }

  Status add(const Tokens& path, Value value) {
    if (path.empty()) {
      root_ = std::move(value);
      return {};
    }
    TIPHYS_TRY(Value * parent, locate(path, path.size() - 1));
    if (Object* object = parent->if_object()) {
      (*object)[path.back()] = std::move(value);
      return {};
    }
    Array* array = parent->if_array();
    if (!array) return fail(Code::kInvalidArgument, fmt::format("{} is in no object or list", spell(path)));
    if (path.back() == "-") {
      array->push_back(std::move(value));
      return {};
    }
    const auto index = parse_index(path.back());
    if (!index || *index > array->size()) {
      return fail(Code::kInvalidArgument, fmt::format("{}: the list has {} elements", spell(path), array->size()));
    }
    array->insert(array->begin() + static_cast<std::ptrdiff_t>(*index), std::move(value));
    return {};
  }

  Result<Value> remove(const Tokens& path) {
    TIPHYS_TRY(Value * target, locate(path));
    Value gone = std::move(*target);
    if (path.empty()) {
      root_ = nullptr;
      return gone;
    }
    Value* parent = *locate(path, path.size() - 1);
    if (Object* object = parent->if_object()) {
      object->stable_erase(path.back());
    } else {
      Array& array = parent->get_array();
      array.erase(array.begin() + static_cast<std::ptrdiff_t>(*parse_index(path.back())));
    }
    return gone;
  }

  Status move(const Tokens& from, const Tokens& path) {
    if (path.size() > from.size() && std::equal(from.begin(), from.end(), path.begin())) {
      return fail(Code::kInvalidArgument, fmt::format("{} cannot move into itself", spell(from)));
    }
    TIPHYS_TRY(Value value, remove(from));
    return add(path, std::move(value));
  }

  Status copy(const Tokens& from, const Tokens& path) {
    TIPHYS_TRY(const Value* source, locate(from));
    copied_ += to_json(*source).size();
    if (copied_ > kMaxCopied) return fail(Code::kInvalidArgument, "the copies exceed 3 MiB");
    return add(path, *source);
  }

  Value& root_;
  std::size_t copied_ = 0;
};

}  // namespace

Status apply_json_patch(Value& target, const Value& patch) {
  const Array* operations = patch.if_array();
  if (!operations) return fail(Code::kInvalidArgument, "a JSON patch must be a list of operations");
  if (operations->size() > kMaxOperations) {
    return fail(Code::kInvalidArgument, fmt::format("a JSON patch may have {} operations", kMaxOperations));
  }
  Value result = target;
  JsonPatch json_patch(result);
  for (std::size_t i = 0; i < operations->size(); ++i) {
    if (const Status done = json_patch.apply((*operations)[i]); !done) {
      return std::unexpected(done.error().in(fmt::format("patch operation {}", i)));
    }
  }
  if (deeper_than(result, kMaxDepth)) return fail(Code::kInvalidArgument, "the patched document is nested too deeply");
  target = std::move(result);
  return {};
}

void apply_merge_patch(Value& target, const Value& patch) {
  const Object* changes = patch.if_object();
  if (!changes) {
    target = patch;
    return;
  }
  Object& object = target.is_object() ? target.get_object() : target.emplace_object();
  for (const auto& [key, change] : *changes) {
    if (change.is_null()) {
      object.stable_erase(key);
    } else {
      apply_merge_patch(object[key], change);
    }
  }
}

}  // namespace tiphys::doc
