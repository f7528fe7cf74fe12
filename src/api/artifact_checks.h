// How the places of artifacts are checked: they stay documents.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "api/fields.h"

namespace tiphys::api {

inline constexpr Shape kSecretKey = kubernetes("SecretKeySelector");
inline constexpr Shape kConfigMapKey = kubernetes("ConfigMapKeySelector");

/// A key of a Secret, or of a ConfigMap.
inline void check_secret(const Place& place, Unread&) {
  if (!expect_object(place)) return;
  for (const std::string_view field : {"name", "key"}) {
    const doc::Value* value = doc::find(place.value(), field);
    if (!value || value->is_null()) place.error(fmt::format("{}.{} is required", place.name(), field));
    if (value && !value->is_null()) check_as<std::string>(place.member(field, *value), *value);
  }
}

template <const auto& fields>
void check_below(const Place& place, Unread&) {
  check_object(place, fields);
}

template <const auto& fields>
void check_each(const Place& place, Unread&) {
  if (!expect_array(place)) return;
  const doc::Array& array = place.value().get_array();
  for (std::size_t i = 0; i < array.size(); ++i) check_object(place.element(i, array[i]), fields);
}

template <const auto& choices>
void check_choice(const Place& place, Unread&) {
  std::string text;
  read(place, text);
  if (std::ranges::find(choices, text) != std::end(choices)) return;
  std::string known;
  for (const std::string_view each : choices) known += fmt::format("{}\"{}\"", known.empty() ? "" : ", ", each);
  place.error(fmt::format("{}: \"{}\" is none of {}", place.name(), text, known));
}

}  // namespace tiphys::api
