// Assertions of invariants, active in every build.
#pragma once

#include <string_view>

namespace tiphys {

/// Prints where, what was expected and why, then aborts: a broken invariant must not reach the disk.
[[noreturn]] void check_failed(const char* file, int line, const char* condition, std::string_view why);

}  // namespace tiphys

#define TIPHYS_CHECK(condition, why) \
  (static_cast<bool>(condition) ? void() : ::tiphys::check_failed(__FILE__, __LINE__, #condition, why))
