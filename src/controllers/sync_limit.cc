#include "controllers/sync_limit.h"

#include <fmt/format.h>

#include <string>

#include "base/whole_number.h"

namespace tiphys::controllers {
namespace {

Result<std::int64_t> parse_limit(const std::string& text) {
  if (const auto limit = whole_number(text)) return *limit;
  return fail(Code::kInvalidArgument, fmt::format("\"{}\" is no whole number", text));
}

}  // namespace

cluster::Key sync_limit_key(std::string_view ns, std::string_view key) {
  std::string name = "k";
  for (const unsigned char c : key) name += fmt::format("{:02x}", c);
  return {&cluster::kSyncLimits, std::string(ns), std::move(name)};
}

doc::Value sync_limit(std::string_view ns, std::string_view key, std::int64_t limit) {
  return doc::Object{{"apiVersion", cluster::kSyncLimits.api_version()},
                     {"kind", cluster::kSyncLimits.kind},
                     {"metadata", doc::Object{{"name", sync_limit_key(ns, key).name}, {"namespace", ns}}},
                     {"spec", doc::Object{{"key", key}, {"limit", limit}}}};
}

Result<std::int64_t> limit_in_config_map(const doc::Value& config_map, std::string_view key) {
  if (const doc::Value* value = doc::find(config_map, "data", key)) return parse_limit(doc::scalar_text(*value));
  return fail(Code::kNotFound, fmt::format("Sync configuration key '{}' not found in ConfigMap", key));
}

Result<std::int64_t> limit_of(const doc::Value& sync_limit) {
  if (const doc::Value* value = doc::find(sync_limit, "spec", "limit")) return parse_limit(doc::scalar_text(*value));
  return fail(Code::kNotFound, "the SyncLimit has no spec.limit");
}

}  // namespace tiphys::controllers
