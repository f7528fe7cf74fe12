#include "api/resource_flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>

#include "base/strings.h"
#include "base/whole_number.h"

namespace tiphys::api {
namespace {

/// Objects are checked and written in one way here, and the answer is always the whole object.
constexpr std::string_view kWithoutEffect[] = {"--validate",
                                               "--timeout",
                                               "--record",
                                               "--save-config",
                                               "--overwrite",
                                               "--output",
                                               "-o",
                                               "--server-side",
                                               "--force-conflicts",
                                               "--field-manager",
                                               "--request-timeout",
                                               "--show-managed-fields",
                                               "--show-labels",
                                               "--show-kind",
                                               "--no-headers",
                                               "--allow-missing-template-keys",
                                               "--template",
                                               "--sort-by",
                                               "--label-columns",
                                               "-L",
                                               "--chunk-size",
                                               "--server-print",
                                               "--openapi-patch",
                                               "--warnings-as-errors",
                                               "--cache-dir",
                                               "--v",
                                               "-v"};

/// Those that take the next word where they have no "=".
constexpr std::string_view kWithValue[] = {"--timeout",   "--output",  "-o", "--field-manager", "--request-timeout",
                                           "--template",  "--sort-by", "-L", "--label-columns", "--chunk-size",
                                           "--cache-dir", "--v",       "-v"};

struct Refusal {
  std::string_view flag;
  std::string_view why;
};
constexpr std::string_view kOneServer = "the plane is the only server";
constexpr std::string_view kOneUser = "the step acts as its workflow";
constexpr std::string_view kNoFiles = "the step has no files but its manifest";
constexpr Refusal kRefusals[] = {
    {"--cascade", "what the object owns goes with it, in the background"},
    {"--dry-run", "the step is there to do it"},
    {"--watch", "it does not end"},
    {"-w", "it does not end"},
    {"--watch-only", "it does not end"},
    {"-f", kNoFiles},
    {"--filename", kNoFiles},
    {"-k", kNoFiles},
    {"--kustomize", kNoFiles},
    {"--patch-file", kNoFiles},
    {"-p", "the manifest is the patch"},
    {"--patch", "the manifest is the patch"},
    {"--subresource", "an object is read and written as a whole"},
    {"--all-namespaces", "name the namespace with -n"},
    {"-A", "name the namespace with -n"},
    {"--context", kOneServer},
    {"--cluster", kOneServer},
    {"--server", kOneServer},
    {"-s", kOneServer},
    {"--kubeconfig", kOneServer},
    {"--as", kOneUser},
    {"--as-group", kOneUser},
    {"--token", kOneUser},
    {"--user", kOneUser},
};

/// Whose value may have spaces.
constexpr std::string_view kSelectors[] = {"-l", "--selector", "--field-selector"};

bool one_of(std::span<const std::string_view> choices, std::string_view word) {
  return std::ranges::find(choices, word) != choices.end();
}

std::vector<std::string> words_of(const std::vector<std::string>& flags) {
  std::vector<std::string> words;
  for (const std::string& flag : flags) {
    const bool selector =
        one_of(kSelectors, std::string_view(flag).substr(0, flag.find('='))) && flag.find('=') != flag.npos;
    if (selector || (!words.empty() && one_of(kSelectors, words.back()))) {
      words.push_back(flag);
      continue;
    }
    for (const std::string_view word : split(flag, ' ')) {
      if (!word.empty()) words.emplace_back(word);
    }
  }
  return words;
}

std::unexpected<Error> refuse(std::string message) {
  return fail(Code::kInvalidArgument, std::move(message));
}

std::unexpected<Error> refuse_flag(const std::string& word) {
  const auto refusal = std::ranges::find(kRefusals, std::string_view(word).substr(0, word.find('=')), &Refusal::flag);
  return refuse(fmt::format("resource.flags: {} is not supported yet{}{}", word,
                            refusal == std::end(kRefusals) ? "" : ": ",
                            refusal == std::end(kRefusals) ? "" : refusal->why));
}

/// The value of --NAME, --NAME=true or --NAME=false; nothing of another word.
std::optional<bool> switch_of(std::string_view word, std::string_view name) {
  if (!word.starts_with(name)) return std::nullopt;
  word.remove_prefix(name.size());
  if (word.empty() || word == "=true") return true;
  if (word == "=false") return false;
  return std::nullopt;
}

/// How long pods that are deleted have: as kubectl takes the flags together.
Status settle_grace(ResourceFlags& flags, bool now) {
  if (now && flags.grace_seconds >= 0) {
    return refuse("resource.flags: --now and --grace-period cannot be specified together");
  }
  if (flags.force && flags.grace_seconds > 0) {
    return refuse("resource.flags: --force and --grace-period greater than 0 cannot be specified together");
  }
  if (now) flags.grace_seconds = 1;
  if (flags.force && flags.grace_seconds < 0) flags.grace_seconds = 0;
  if (!flags.force && flags.grace_seconds == 0) flags.grace_seconds = 1;
  return {};
}

/// Of words as kubectl takes them: KIND/NAME..., or KIND[,KIND]... [NAME...].
Status read_objects(const std::vector<std::string>& words, ResourceFlags& flags) {
  if (words.empty()) return {};
  const bool joined = words.front().find('/') != std::string::npos;
  for (const std::string& word : words) {
    const std::size_t slash = word.find('/');
    if ((slash != std::string::npos) != joined) {
      return refuse(joined ? "resource.flags: arguments in resource/name form must have a single resource and name"
                           : "resource.flags: there is no need to specify a resource type as a separate argument when "
                             "passing arguments in resource/name form");
    }
    if (joined) flags.objects.push_back({word.substr(0, slash), word.substr(slash + 1)});
  }
  if (joined) return {};
  for (const std::string_view kind : split(words.front(), ',')) {
    if (words.size() == 1) flags.objects.push_back({std::string(kind), ""});
    for (std::size_t i = 1; i < words.size(); ++i) flags.objects.push_back({std::string(kind), words[i]});
  }
  return {};
}

/// A flag's value: after "=", or the next word.
class Values {
 public:
  Values(const std::vector<std::string>& words, std::size_t& at) : words_(words), at_(at) {}

  /// Nothing when the flag has another name, or no value.
  std::optional<std::string> of(std::initializer_list<std::string_view> names) const {
    const std::string& word = words_[at_];
    const std::size_t equals = word.find('=');
    if (std::ranges::find(names, std::string_view(word).substr(0, equals)) == names.end()) return std::nullopt;
    if (equals != std::string::npos) return word.substr(equals + 1);
    if (at_ + 1 == words_.size()) return std::nullopt;
    return words_[++at_];
  }

 private:
  const std::vector<std::string>& words_;
  std::size_t& at_;
};

}  // namespace

Result<ResourceFlags> read_resource_flags(const std::vector<std::string>& list) {
  ResourceFlags flags;
  std::vector<std::string> objects;
  bool now = false;
  const std::vector<std::string> words = words_of(list);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string word = words[i];
    const std::string_view name = std::string_view(word).substr(0, word.find('='));
    const Values values(words, i);
    if (auto ns = values.of({"-n", "--namespace"})) {
      flags.ns = std::move(*ns);
    } else if (auto labels = values.of({"-l", "--selector"})) {
      flags.labels = std::move(*labels);
    } else if (auto fields = values.of({"--field-selector"})) {
      flags.fields = std::move(*fields);
    } else if (auto grace = values.of({"--grace-period"})) {
      const auto seconds = whole_number(*grace);
      if (!seconds || *seconds > INT32_MAX) {
        return refuse(fmt::format("resource.flags: invalid argument \"{}\" for \"--grace-period\" flag", *grace));
      }
      flags.grace_seconds = static_cast<int>(std::max<std::int64_t>(*seconds, -1));
    } else if (auto type = values.of({"--type"})) {
      flags.patch_type = std::move(*type);
    } else if (const auto set = switch_of(word, "--now")) {
      now = *set;
    } else if (const auto all = switch_of(word, "--all")) {
      flags.all = *all;
    } else if (const auto force = switch_of(word, "--force")) {
      flags.force = *force;
    } else if (const auto wait = switch_of(word, "--wait")) {
      flags.wait = *wait;
    } else if (const auto ignore = switch_of(word, "--ignore-not-found")) {
      flags.ignore_not_found = *ignore;
    } else if (word == "--cascade" || word == "--cascade=background" || word == "--cascade=true" ||
               word == "--dry-run=none") {
      // As it is done anyway.
    } else if (one_of(kWithoutEffect, name)) {
      flags.idle.push_back(word);
      if (name.size() == word.size() && one_of(kWithValue, name) && i + 1 < words.size()) ++i;
    } else if (word.starts_with('-')) {
      return refuse_flag(word);
    } else {
      objects.push_back(word);
    }
  }
  TIPHYS_CHECK_OK(settle_grace(flags, now));
  TIPHYS_CHECK_OK(read_objects(objects, flags));
  return flags;
}

}  // namespace tiphys::api
