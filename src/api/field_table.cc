#include "api/field_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

namespace tiphys::api {
namespace {

std::string inner_name(const Shape& shape) {
  switch (shape.type) {
    case Shape::Type::kAny:
      return "anything";
    case Shape::Type::kString:
      return "string";
    case Shape::Type::kText:
      return "string, number or boolean";
    case Shape::Type::kIntOrString:
      return "integer or string";
    case Shape::Type::kBoolean:
      return "boolean";
    case Shape::Type::kInteger:
      return "integer";
    case Shape::Type::kNumber:
      return "number";
    case Shape::Type::kObject:
      break;
  }
  if (shape.kubernetes) return std::string("Kubernetes: ") + shape.kubernetes;
  return shape.fields ? std::string(shape.fields->name()) : "object";
}

}  // namespace

std::optional<FieldInfo> FieldTable::find(std::string_view name) const {
  for (std::size_t i = 0; i < size_; ++i) {
    if (FieldInfo field = (*this)[i]; field.name == name) return field;
  }
  return std::nullopt;
}

std::vector<std::string> FieldTable::names() const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < size_; ++i) names.emplace_back((*this)[i].name);
  return names;
}

std::string type_name(const Shape& shape) {
  switch (shape.around) {
    case Shape::Around::kList:
      return "list of " + inner_name(shape);
    case Shape::Around::kListOfLists:
      return "list of lists of " + inner_name(shape);
    case Shape::Around::kMap:
      return "map of " + inner_name(shape);
    default:
      return inner_name(shape);
  }
}

std::string_view plane_of(Handling handling) {
  switch (handling) {
    case Handling::kCluster:
      return "only a cluster";
    case Handling::kLater:
      return "not yet";
    default:
      return "embedded";
  }
}

std::string kubernetes_link(std::string_view type) {
  std::string anchor(type);
  for (char& c : anchor) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return fmt::format("https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.34/#{}-v1-core", anchor);
}

std::optional<std::string> find_below(const FieldTable& table, std::string_view name) {
  constexpr std::size_t kDeepest = 3;
  struct Visit {
    const FieldTable* table;
    std::string path;
    std::size_t depth;
  };
  std::vector<const FieldTable*> seen = {&table};
  std::deque<Visit> next = {{&table, "", 0}};
  while (!next.empty()) {
    const Visit visit = std::move(next.front());
    next.pop_front();
    for (std::size_t i = 0; i < visit.table->size(); ++i) {
      const FieldInfo field = (*visit.table)[i];
      if (visit.depth > 0 && field.name == name) return visit.path;
      const FieldTable* below = field.shape->fields;
      if (!below || visit.depth == kDeepest || std::ranges::find(seen, below) != seen.end()) continue;
      seen.push_back(below);
      next.push_back({below, (visit.path.empty() ? "" : visit.path + ".") + std::string(field.name), visit.depth + 1});
    }
  }
  return std::nullopt;
}

}  // namespace tiphys::api
