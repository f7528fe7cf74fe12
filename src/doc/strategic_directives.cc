#include "doc/strategic_directives.h"

#include <fmt/format.h>

#include <set>

namespace tiphys::doc::strategic {
namespace {

std::unexpected<Error> wrong(std::string message) {
  return fail(Code::kInvalidArgument, std::move(message));
}

}  // namespace

Result<std::string_view> directed_field(std::string_view key, std::string_view directive) {
  if (key.size() > directive.size() && key[directive.size()] == '/') return key.substr(directive.size() + 1);
  return wrong(fmt::format("\"{}\" must be \"{}/FIELD\"", key, directive));
}

bool drop_directives(Value& value) {
  if (Array* array = value.if_array()) {
    Array kept;
    for (Value& element : *array) {
      if (drop_directives(element)) kept.push_back(std::move(element));
    }
    *array = std::move(kept);
  } else if (Object* object = value.if_object()) {
    if (object->contains(kPatch)) return false;
    Object kept(object->size());
    for (auto& member : *object) {
      if (drop_directives(member.value())) kept.emplace(member.key(), std::move(member.value()));
    }
    *object = std::move(kept);
  }
  return true;
}

Status retain_keys(Object& target, Object& patch) {
  const Value* retained = patch.if_contains(kRetainKeys);
  if (!retained) return {};
  if (!retained->is_array()) return wrong("$retainKeys must be a list");
  TIPHYS_TRY([[maybe_unused]] const Places named, places(retained->get_array(), ""));
  std::set<std::string_view> kept;
  for (const Value& name : retained->get_array()) {
    if (name.is_string()) kept.emplace(name.get_string());
  }
  for (const auto& [name, value] : patch) {
    const bool counts = name != kRetainKeys && !value.is_null() && !name.starts_with(kDeleteFromList) &&
                        !name.starts_with(kElementOrder);
    if (counts && !kept.contains(name)) return wrong(fmt::format("$retainKeys lacks \"{}\"", std::string_view(name)));
  }
  Object rest(target.size());
  for (auto& member : target) {
    if (kept.contains(member.key())) rest.emplace(member.key(), std::move(member.value()));
  }
  target = std::move(rest);
  patch.stable_erase(kRetainKeys);
  return {};
}

Status apply_special_elements(Array& list, Array& patch, std::string_view key) {
  Array plain;
  Places gone;
  bool replaces = false;
  for (Value& element : patch) {
    const Value* directive = find(element, kPatch);
    if (!directive) {
      plain.push_back(std::move(element));
    } else if (*directive == "delete") {
      TIPHYS_TRY(std::string id, identity(element, key));
      gone.emplace(std::move(id), 0);
    } else if (*directive == "replace") {
      replaces = true;
    } else {
      return wrong(fmt::format("an element's $patch must be delete or replace, not {}", to_json(*directive)));
    }
  }
  if (!gone.empty()) {
    Array kept;
    for (Value& element : list) {
      if (element.is_object() && !element.get_object().contains(key)) {
        kept.push_back(std::move(element));
        continue;
      }
      TIPHYS_TRY(const std::string id, identity(element, key));
      if (!gone.contains(id)) kept.push_back(std::move(element));
    }
    list = std::move(kept);
  }
  patch = Array();
  (replaces ? list : patch) = std::move(plain);
  return {};
}

Status check_order(const Array& patch, const Array& order, std::string_view key) {
  if (order.empty() || patch.empty()) return {};
  std::size_t at = 0;
  for (const Value& element : patch) {
    if (!key.empty() && !element.is_object()) return wrong(fmt::format("{} is no object", to_json(element)));
    if (!key.empty() && find_string(element, kPatch) == "delete") continue;
    if (at == order.size()) return wrong("a list does not match its $setElementOrder");
    if (find(element, kPatch)) continue;
    TIPHYS_TRY(const std::string wanted, identity(element, key));
    for (bool found = false; !found; ++at) {
      if (at == order.size()) return wrong("a list does not match its $setElementOrder");
      TIPHYS_TRY(const std::string given, identity(order[at], key));
      found = given == wanted;
    }
  }
  return {};
}

Result<Places> places_before(const Array& list, const Array& patch, std::string_view key) {
  Places gone;
  bool replaces = false;
  for (const Value& element : patch) {
    const std::string_view directive = find_string(element, kPatch);
    replaces = replaces || directive == "replace";
    if (directive != "delete") continue;
    TIPHYS_TRY(std::string id, identity(element, key));
    gone.emplace(std::move(id), 0);
  }
  Places out;
  std::size_t at = 0;
  for (const Value& element : list) {
    TIPHYS_TRY(std::string id, identity(element, key));
    if (!gone.contains(id)) out.try_emplace(std::move(id), at++);
  }
  if (replaces) return out;
  for (const Value& element : patch) {
    if (at == list.size()) break;
    if (find(element, kPatch)) continue;
    TIPHYS_TRY(std::string id, identity(element, key));
    if (out.try_emplace(std::move(id), at).second) ++at;
  }
  return out;
}

}  // namespace tiphys::doc::strategic
