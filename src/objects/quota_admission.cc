#include "objects/quota_admission.h"

#include <fmt/format.h>

#include <algorithm>

#include "objects/quota_usage.h"

namespace tiphys::objects {
namespace {

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ",") + name;
  return text;
}

ResourceList masked(const ResourceList& list, const std::vector<std::string>& names) {
  ResourceList found;
  for (const auto& [name, amount] : list) {
    if (std::ranges::find(names, name) != names.end()) found[name] = amount;
  }
  return found;
}

/// What is added; less is left to the recount.
ResourceList difference(const ResourceList& now, const ResourceList& before) {
  ResourceList more;
  for (auto [name, amount] : now) {
    if (const auto old = before.find(name); old != before.end()) amount -= old->second;
    if (!amount.is_negative()) more[name] = amount;
  }
  return more;
}

}  // namespace

std::expected<std::optional<doc::Value>, std::string> charge_quota(const doc::Value& quota,
                                                                   const cluster::Resource& resource,
                                                                   const doc::Value* before, const doc::Value& object) {
  const ResourceList hard = read_resources(doc::find(quota, "status", "hard"));
  ResourceList used = read_resources(doc::find(quota, "status", "used"));
  const std::string name(doc::find_string(quota, "metadata", "name"));
  const std::vector<std::string> limited = counted(resource, hard);
  if (limited.empty() || !in_scopes(quota, resource, object)) return std::nullopt;
  if (&resource == &cluster::kPods) {
    if (const auto why = unspecified(limited, object)) {
      return std::unexpected(fmt::format("failed quota: {}: {}", name, *why));
    }
  }
  if (!std::ranges::all_of(limited, [&](const std::string& one) { return used.contains(one); })) {
    return std::unexpected(fmt::format("status unknown for quota: {}, resources: {}", name, joined(limited)));
  }
  ResourceList wanted = usage_of(resource, object);
  std::vector<std::string> negative;
  for (const auto& [one, amount] : wanted) {
    if (amount.is_negative()) negative.push_back(one);
  }
  if (!negative.empty()) {
    return std::unexpected(fmt::format("quota usage is negative for resource(s): {}", joined(negative)));
  }
  if (before && in_scopes(quota, resource, *before)) wanted = difference(wanted, usage_of(resource, *before));
  wanted = masked(wanted, limited);
  std::erase_if(wanted, [](const auto& each) { return each.second.is_zero(); });
  if (wanted.empty()) return std::nullopt;

  std::vector<std::string> exceeded;
  for (const auto& [one, amount] : wanted) {
    Quantity sum = used[one];
    sum += amount;
    if (sum > hard.at(one)) exceeded.push_back(one);
  }
  if (!exceeded.empty()) {
    return std::unexpected(fmt::format("exceeded quota: {}, requested: {}, used: {}, limited: {}", name,
                                       text_of(masked(wanted, exceeded)), text_of(masked(used, exceeded)),
                                       text_of(masked(hard, exceeded))));
  }
  add(used, wanted);
  doc::Value charged = quota;
  doc::ensure_object(charged.get_object(), "status")["used"] = written(used);
  return charged;
}

}  // namespace tiphys::objects
