#include "objects/resource_list.h"

namespace tiphys::objects {
namespace {

void raise(ResourceList& to, const ResourceList& list) {
  for (const auto& [name, amount] : list) {
    const auto [found, made] = to.try_emplace(name, amount);
    if (!made && found->second < amount) found->second = amount;
  }
}

const doc::Array& containers_of(const doc::Value& pod, std::string_view member) {
  static const doc::Array kNone;
  const doc::Value* found = doc::find(pod, "spec", member);
  return found && found->is_array() ? found->get_array() : kNone;
}

}  // namespace

ResourceList read_resources(const doc::Value* list) {
  ResourceList found;
  if (!list || !list->is_object()) return found;
  for (const auto& [name, amount] : list->get_object()) {
    if (auto quantity = Quantity::parse(doc::scalar_text(amount))) found[std::string(name)] = *quantity;
  }
  return found;
}

doc::Object written(const ResourceList& list) {
  doc::Object object;
  for (const auto& [name, amount] : list) object[name] = amount.text();
  return object;
}

void add(ResourceList& to, const ResourceList& list) {
  for (const auto& [name, amount] : list) to[name] += amount;
}

std::string text_of(const ResourceList& list) {
  std::string text;
  for (const auto& [name, amount] : list) {
    if (!text.empty()) text += ',';
    text += name + "=" + amount.text();
  }
  return text;
}

ResourceList pod_resources(const doc::Value& pod, std::string_view member) {
  ResourceList sum, sidecars, most;
  for (const doc::Value& container : containers_of(pod, "containers")) {
    add(sum, read_resources(doc::find(container, "resources", member)));
  }
  for (const doc::Value& container : containers_of(pod, "initContainers")) {
    ResourceList own = read_resources(doc::find(container, "resources", member));
    if (doc::find_string(container, "restartPolicy") == "Always") {
      add(sum, own);
      add(sidecars, own);
      raise(most, sidecars);
    } else {
      add(own, sidecars);
      raise(most, own);
    }
  }
  raise(sum, most);
  for (const auto& [name, amount] : read_resources(doc::find(pod, "spec", "resources", member))) sum[name] = amount;
  return sum;
}

}  // namespace tiphys::objects
