#include <fmt/format.h>

#include <array>

#include "objects/columns.h"

namespace tiphys::objects {
namespace {

using doc::Value;

constexpr std::size_t kMostTold = 3;

const doc::Array& list_of(const Value& object, std::string_view member) {
  static const doc::Array kNone;
  const Value* found = doc::find(object, member);
  return found && found->is_array() ? found->get_array() : kNone;
}

/// The first few of them.
std::string told(const std::vector<std::string>& all, std::string_view none) {
  if (all.empty()) return std::string(none);
  std::string text;
  for (std::size_t i = 0; i < all.size() && i < kMostTold; ++i) text += (i == 0 ? "" : ",") + all[i];
  return all.size() > kMostTold ? fmt::format("{} + {} more...", text, all.size() - kMostTold) : text;
}

Value endpoints_cell(const Value& endpoints, Time) {
  std::vector<std::string> all;
  for (const Value& subset : list_of(endpoints, "subsets")) {
    const doc::Array& ports = list_of(subset, "ports");
    for (const Value& port : ports) {
      for (const Value& address : list_of(subset, "addresses")) {
        const Value* number = doc::find(port, "port");
        all.push_back(fmt::format("{}:{}", doc::find_string(address, "ip"), number ? doc::scalar_text(*number) : ""));
      }
    }
    if (!ports.empty()) continue;
    for (const Value& address : list_of(subset, "addresses")) all.emplace_back(doc::find_string(address, "ip"));
  }
  return Value(told(all, "<none>"));
}

Value address_type(const Value& slice, Time) {
  return Value(doc::find_string(slice, "addressType"));
}
Value slice_ports(const Value& slice, Time) {
  std::vector<std::string> all;
  for (const Value& port : list_of(slice, "ports")) {
    const Value* number = doc::find(port, "port");
    all.push_back(number ? doc::scalar_text(*number) : std::string(doc::find_string(port, "name")));
  }
  return Value(told(all, "<unset>"));
}
Value slice_endpoints(const Value& slice, Time) {
  std::vector<std::string> all;
  for (const Value& endpoint : list_of(slice, "endpoints")) {
    for (const Value& address : list_of(endpoint, "addresses")) all.push_back(doc::scalar_text(address));
  }
  return Value(told(all, "<unset>"));
}

constexpr std::array kEndpointsColumns{
    kNameColumn, Column{"Endpoints", "string", 0, "Where its pods are.", endpoints_cell}, kAgeColumn};
constexpr std::array kSliceColumns{
    kNameColumn, Column{"AddressType", "string", 0, "What its addresses are.", address_type},
    Column{"Ports", "string", 0, "The ports of its pods.", slice_ports},
    Column{"Endpoints", "string", 0, "Where its pods are.", slice_endpoints}, kAgeColumn};

}  // namespace

std::span<const Column> endpoint_columns(const cluster::Resource& resource) {
  if (&resource == &cluster::kEndpoints) return kEndpointsColumns;
  if (&resource == &cluster::kEndpointSlices) return kSliceColumns;
  return {};
}

}  // namespace tiphys::objects
