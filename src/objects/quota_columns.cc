#include <fmt/format.h>

#include <array>

#include "objects/columns.h"
#include "objects/resource_list.h"

namespace tiphys::objects {
namespace {

using doc::Value;

/// How much of each limit is in use, of those of requests or of limits.
std::string usage(const Value& quota, bool of_limits) {
  ResourceList used = read_resources(doc::find(quota, "status", "used"));
  std::string text;
  for (const auto& [name, hard] : read_resources(doc::find(quota, "status", "hard"))) {
    if (name.starts_with("limits.") != of_limits) continue;
    text += fmt::format("{}{}: {}/{}", text.empty() ? "" : ", ", name, used[name].text(), hard.text());
  }
  return text;
}
Value requests(const Value& quota, Time) {
  return Value(usage(quota, false));
}
Value limits(const Value& quota, Time) {
  return Value(usage(quota, true));
}
Value created(const Value& object, Time) {
  return Value(doc::find_string(object, "metadata", "creationTimestamp"));
}

constexpr std::array kQuotaColumns{kNameColumn, Column{"Request", "string", 0, "What may be asked for.", requests},
                                   Column{"Limit", "string", 0, "What may be used at most.", limits}, kAgeColumn};
constexpr std::array kRangeColumns{kNameColumn, Column{"Created At", "date", 0, "When it was made.", created}};

}  // namespace

std::span<const Column> quota_columns(const cluster::Resource& resource) {
  if (&resource == &cluster::kResourceQuotas) return kQuotaColumns;
  if (&resource == &cluster::kLimitRanges) return kRangeColumns;
  return {};
}

}  // namespace tiphys::objects
