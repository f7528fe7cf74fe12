// What an OpenAPI schema demands of a value beyond its form.
#pragma once

#include <re2/re2.h>

#include "schema/type.h"

namespace tiphys::schema {

struct Rules {
  std::vector<doc::Value> choices{};  ///< enum; empty: any
  std::unique_ptr<re2::RE2> pattern{};
  std::optional<double> minimum{}, maximum{}, multiple_of{};
  bool exclusive_minimum = false, exclusive_maximum = false;
  std::optional<std::uint64_t> least_length{}, most_length{};  ///< characters
  std::optional<std::uint64_t> least_items{}, most_items{};
  std::optional<std::uint64_t> least_properties{}, most_properties{};
  bool unique_items = false;
  std::vector<const Type*> all_of{}, any_of{}, one_of{};
  const Type* none_of = nullptr;  ///< "not"
};

}  // namespace tiphys::schema
