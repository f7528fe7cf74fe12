// What is fuzzed: every parser that a manifest, an event, a document, a store's answer or a client's stream reaches. A
// target takes any bytes and aborts where an invariant does not hold; what else it looks for (crashes, undefined
// behaviour, slowness, leaks) the sanitizers see.
#pragma once

#include <array>
#include <span>
#include <string_view>

#include "base/check.h"
#include "base/error.h"
#include "doc/value.h"

namespace tiphys::fuzz {

struct Target {
  std::string_view name;  ///< as in seeds.py
  void (*run)(std::string_view input) = nullptr;
};

std::span<const Target> archive_targets();
std::span<const Target> artifact_targets();
std::span<const Target> doc_targets();
std::span<const Target> expr_targets();
std::span<const Target> server_targets();

/// Between the parts of an input: "path", document. No UTF-8 text has it.
inline constexpr char kSeparator = '\xff';

/// An input's parts; those that it lacks are "".
template <std::size_t count>
std::array<std::string_view, count> parts(std::string_view input) {
  std::array<std::string_view, count> parts;
  for (std::string_view& part : parts) {
    part = input.substr(0, input.find(kSeparator));
    input.remove_prefix(std::min(part.size() + 1, input.size()));
  }
  return parts;
}

template <typename T>
void check_error(const Result<T>& result) {
  TIPHYS_CHECK(result || !result.error().message.empty(), "an error says what is wrong");
}

/// The document that a text holds; a small one where it holds none.
doc::Value document(std::string_view json);

}  // namespace tiphys::fuzz
