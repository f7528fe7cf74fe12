// The kinds of objects whose fields are known by tables.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "api/field_table.h"

namespace tiphys::api {

inline constexpr std::string_view kApiVersion = "argoproj.io/v1alpha1";

struct Kind {
  std::string_view name, plural, short_name;
  std::string_view about;
  const FieldTable* fields;
};

std::span<const Kind> kinds();
/// The tables of all kinds and of all that is in them, each once, from the outside in.
std::vector<const FieldTable*> all_tables();

}  // namespace tiphys::api
