#include "argo/field_filter.h"

#include <algorithm>

#include "argo/empty_structs.h"
#include "base/strings.h"

namespace tiphys::argo {

FieldFilter::FieldFilter(std::string_view text, std::string_view prefix) {
  if (text.empty()) return;
  excludes_ = text.front() == '-';
  if (excludes_) text.remove_prefix(1);
  for (std::string_view field : split(text, ',')) {
    if (field.starts_with(prefix)) field.remove_prefix(prefix.size());
    fields_.emplace_back(field);
  }
}

bool FieldFilter::leaves_out(std::string_view path) const {
  if (fields_.empty()) return false;
  const bool matches = std::ranges::any_of(fields_, [&](const std::string& field) {
    return path.starts_with(field) || std::string_view(field).starts_with(path);
  });
  return matches == excludes_;
}

/// `whole`: what is below needs no look.
bool FieldFilter::keeps(std::string_view path, bool& whole) const {
  whole = std::ranges::find(fields_, path) != fields_.end();
  if (excludes_) return !whole;
  return whole || std::ranges::any_of(fields_, [&](const std::string& field) { return field.starts_with(path); });
}

void FieldFilter::apply(doc::Value& value, const std::string& path) const {
  if (fields_.empty()) return;
  if (value.is_array()) {
    for (doc::Value& item : value.get_array()) apply(item, path);
    return;
  }
  if (!value.is_object()) return;
  doc::Object& object = value.get_object();
  std::vector<std::string> unwanted;
  for (auto& member : object) {
    const std::string key(member.key());
    const std::string below = path.empty() ? key : path + "." + key;
    bool whole = false;
    if (!keeps(below, whole)) {
      unwanted.push_back(key);
    } else if (!whole) {
      apply(member.value(), below);
    }
  }
  for (const std::string& key : unwanted) object.erase(key);
}

doc::Value FieldFilter::of_object(const doc::Value& object, const std::string& path) const {
  doc::Value shown = object;
  apply(shown, path);
  if (fields_.empty() || !shown.is_object()) return shown;
  for (const char* member : {"metadata", "spec"}) doc::ensure_object(shown.get_object(), member);
  add_empty_structs(shown, doc::find_string(object, "kind"));
  return shown;
}

}  // namespace tiphys::argo
