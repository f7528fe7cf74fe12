#include "store/revision.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "cluster/pod_phase.h"
#include "doc/gjson.h"

namespace tiphys::store {
namespace {

struct PartPlace {
  std::string_view parent;  ///< "" for the object itself
  std::string_view member;
};
constexpr std::array<PartPlace, Revision::kParts> kPlaces{PartPlace{"", "spec"}, PartPlace{"status", "storedTemplates"},
                                                          PartPlace{"status", "storedWorkflowTemplateSpec"}};

doc::Value* part_of(doc::Value& object, const PartPlace& place) {
  doc::Object* parent = object.if_object();
  if (parent && !place.parent.empty()) {
    doc::Value* found = parent->if_contains(place.parent);
    parent = found ? found->if_object() : nullptr;
  }
  return parent ? parent->if_contains(place.member) : nullptr;
}

bool is_live(const cluster::Resource& resource, const doc::Value& base) {
  if (&resource == &cluster::kWorkflows) {
    return doc::find_string(base, "metadata", "labels", Revision::kCompletedLabel) != "true";
  }
  if (&resource == &cluster::kPods) return !cluster::pod_over(base);
  return &resource != &cluster::kEvents;
}

std::string_view first_owner(const doc::Value& base) {
  const doc::Value* references = doc::find(base, "metadata", "ownerReferences");
  const doc::Array* list = references ? references->if_array() : nullptr;
  return list && !list->empty() ? doc::find_string(list->front(), "uid") : std::string_view();
}

}  // namespace

bool all_in_memory(const cluster::Resource& resource) {
  return &resource != &cluster::kWorkflows && &resource != &cluster::kPods && &resource != &cluster::kEvents;
}

bool packs_well(const cluster::Resource& resource) {
  return &resource != &cluster::kWorkflows && &resource != &cluster::kSecrets;
}

RevisionPtr Revision::make(const cluster::Resource& resource, doc::Value object, const Revision* earlier) {
  Parts parts;
  if (&resource == &cluster::kWorkflows) {
    for (int i = 0; i < kParts; ++i) {
      doc::Value* found = part_of(object, kPlaces[i]);
      if (!found) continue;
      const bool same = earlier && earlier->parts_[i] && *earlier->parts_[i] == *found;
      parts[i] = same ? earlier->parts_[i] : std::make_shared<const doc::Value>(std::move(*found));
      *found = nullptr;
    }
  }
  return std::make_shared<const Revision>(resource, std::move(object), std::move(parts));
}

RevisionPtr Revision::successor(const cluster::Resource& resource, doc::Value base, const Revision& earlier) {
  Parts parts;
  for (int i = 0; i < kParts; ++i) {
    doc::Value* found = part_of(base, kPlaces[i]);
    if (!found) continue;
    if (found->is_null()) {
      parts[i] = earlier.parts_[i];
    } else {
      parts[i] = std::make_shared<const doc::Value>(std::move(*found));
      *found = nullptr;
    }
  }
  return std::make_shared<const Revision>(resource, std::move(base), std::move(parts));
}

Revision::Revision(const cluster::Resource& resource, doc::Value base, Parts parts)
    : base_(std::make_shared<const doc::Value>(std::move(base))),
      parts_(std::move(parts)),
      uid_(doc::find_string(*base_, "metadata", "uid")),
      owner_(first_owner(*base_)),
      workflow_(doc::find_string(*base_, "metadata", "labels", kWorkflowLabel)),
      live_(is_live(resource, *base_)) {
  const auto text = doc::find_string(*base_, "metadata", "resourceVersion");
  std::from_chars(text.data(), text.data() + text.size(), resource_version_);
}

doc::Shared Revision::base() const {
  if (base_) return base_;
  if (auto unpacked = unpacked_.lock()) return unpacked;
  auto parsed = doc::parse_json(*text_);
  TIPHYS_CHECK(parsed, "what was written as JSON is JSON");
  auto unpacked = std::make_shared<const doc::Value>(std::move(*parsed));
  unpacked_ = unpacked;
  return unpacked;
}

void Revision::keep_text(cluster::ObjectJson base) const {
  text_ = std::move(base);
}

void Revision::pack() const {
  TIPHYS_CHECK(text_, "what is packed has its text");
  unpacked_ = base_;
  base_.reset();
}

cluster::Object Revision::object() const {
  if (parts_ == Parts{}) return base();
  if (auto composed = composed_.lock()) return composed;
  auto composed = std::make_shared<const doc::Value>(copy());
  composed_ = composed;
  return composed;
}

cluster::ObjectJson Revision::json() const {
  if (text_ && parts_ == Parts{}) return text_;
  return std::make_shared<const std::string>(doc::to_json(*object()));
}

namespace {

/// Sets the value at a dotted path as it is in the text; absent where there is none.
bool copy_field(std::string_view text, const std::string& path, doc::Value& excerpt) {
  const doc::GjsonResult found = doc::gjson_get(text, path);
  if (!found.exists()) return true;
  auto value = doc::parse_json(found.raw);
  if (!value) return false;
  doc::Object* at = &excerpt.get_object();
  std::string_view rest = path;
  for (auto dot = rest.find('.'); dot != rest.npos; dot = rest.find('.')) {
    at = &doc::ensure_object(*at, rest.substr(0, dot));
    rest.remove_prefix(dot + 1);
  }
  (*at)[rest] = std::move(*value);
  return true;
}

bool is_plain_path(std::string_view path) {
  return std::ranges::all_of(path, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '.'; });
}

}  // namespace

bool Revision::matches(const cluster::Selector& labels, const cluster::Selector& fields) const {
  if (labels.empty() && fields.empty()) return true;
  if (const doc::Shared whole = base_ ? base_ : unpacked_.lock()) {
    return labels.matches_labels(*whole) && fields.matches_fields(*whole);
  }
  doc::Value excerpt = doc::Object();
  bool copied = labels.empty() || copy_field(*text_, "metadata.labels", excerpt);
  for (const cluster::Requirement& one : fields.requirements()) {
    copied = copied && is_plain_path(one.key) && copy_field(*text_, one.key, excerpt);
  }
  if (copied) return labels.matches_labels(excerpt) && fields.matches_fields(excerpt);
  const doc::Shared whole = base();
  return labels.matches_labels(*whole) && fields.matches_fields(*whole);
}

doc::Value Revision::copy() const {
  doc::Value object = *base();
  for (int i = 0; i < kParts; ++i) {
    if (!parts_[i]) continue;
    doc::Value* place = part_of(object, kPlaces[i]);
    TIPHYS_CHECK(place, "the base keeps the place of each part");
    *place = *parts_[i];
  }
  return object;
}

void set_resource_version(doc::Value& object, std::uint64_t version) {
  doc::ensure_object(object.as_object(), "metadata")["resourceVersion"] = std::to_string(version);
}

}  // namespace tiphys::store
