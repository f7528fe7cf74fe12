#include "api/resource_flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string_view>

#include "base/strings.h"

namespace tiphys::api {
namespace {

/// Objects are checked, written and waited for in one way here, and the answer is always the whole object.
constexpr std::string_view kWithoutEffect[] = {
    "--validate",       "--wait", "--timeout",     "--record",          "--save-config",   "--overwrite",
    "--output",         "-o",     "--server-side", "--force-conflicts", "--field-manager", "--show-managed-fields",
    "--request-timeout"};

/// Those that take the next word where they have no "=".
constexpr std::string_view kWithValue[] = {"--timeout", "--output", "-o", "--field-manager", "--request-timeout"};

bool one_of(std::span<const std::string_view> choices, std::string_view word) {
  return std::ranges::find(choices, word) != choices.end();
}

std::vector<std::string> words_of(const std::vector<std::string>& flags) {
  std::vector<std::string> words;
  for (const std::string& flag : flags) {
    for (const std::string_view word : split(flag, ' ')) {
      if (!word.empty()) words.emplace_back(word);
    }
  }
  return words;
}

std::unexpected<Error> refuse(std::string message) {
  return fail(Code::kInvalidArgument, std::move(message));
}

}  // namespace

Result<ResourceFlags> read_resource_flags(const std::vector<std::string>& list) {
  ResourceFlags flags;
  const std::vector<std::string> words = words_of(list);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const std::string_view name = std::string_view(word).substr(0, word.find('='));
    const bool whole = name.size() == word.size();
    const bool has_next = i + 1 < words.size();
    if ((word == "-n" || word == "--namespace") && has_next) {
      flags.ns = words[++i];
    } else if (name == "--namespace" || name == "-n") {
      flags.ns = whole ? "" : word.substr(name.size() + 1);
    } else if (word == "--ignore-not-found" || word == "--ignore-not-found=true") {
      flags.ignore_not_found = true;
    } else if (one_of(kWithoutEffect, name)) {
      if (whole && one_of(kWithValue, name) && has_next) ++i;
    } else if (word.starts_with('-')) {
      return refuse(fmt::format("resource.flags: {} is not supported yet", word));
    } else if (flags.kind.empty() && word.find('/') != std::string::npos) {
      flags.kind = word.substr(0, word.find('/'));
      flags.name = word.substr(word.find('/') + 1);
    } else if (flags.kind.empty()) {
      flags.kind = word;
    } else if (flags.name.empty()) {
      flags.name = word;
    } else {
      return refuse(fmt::format("resource.flags: a second object, {}, is not supported yet", word));
    }
  }
  return flags;
}

}  // namespace tiphys::api
