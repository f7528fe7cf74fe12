// Arguments of functions as the types that they need.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "expr/ambient.h"
#include "expr/functions.h"

namespace tiphys::expr {

/// Values and texts that a function makes are at most so large.
inline constexpr std::size_t kMostText = 16u << 20;
inline constexpr std::size_t kMostElements = 1'000'000;

Result<std::string_view> text_argument(Arguments arguments, std::size_t index);
Result<std::int64_t> int_argument(Arguments arguments, std::size_t index);
Result<const doc::Array*> array_argument(Arguments arguments, std::size_t index);
Result<const doc::Object*> map_argument(Arguments arguments, std::size_t index);

/// The same for sprig's functions, to which nil is the empty value of the type.
Result<std::string_view> text_or_empty(Arguments arguments, std::size_t index);
Result<std::int64_t> int_or_zero(Arguments arguments, std::size_t index);
Result<const doc::Object*> map_or_empty(Arguments arguments, std::size_t index);

std::unexpected<Error> bad_argument(std::string message);
/// An array of strings.
doc::Value texts(const std::vector<std::string_view>& parts);

/// Parts of the library, each sorted nowhere in particular.
std::span<const Function> text_functions();
std::span<const Function> list_functions();
std::span<const Function> number_functions();
std::span<const Function> time_functions();
std::span<const Function> sprig_text_functions();
std::span<const Function> sprig_list_functions();
std::span<const Function> sprig_map_functions();
std::span<const Function> sprig_number_functions();
std::span<const Function> sprig_time_functions();
std::span<const Function> sprig_hash_functions();
std::span<const Function> sprig_random_functions();
std::span<const Function> sprig_version_functions();
std::span<const Function> sprig_url_functions();
std::span<const Function> sprig_crypto_functions();
std::span<const Function> sprig_certificate_functions();
std::span<const Function> sprig_other_functions();

}  // namespace tiphys::expr
