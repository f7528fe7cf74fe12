#include "objects/apply_merge.h"

#include <map>
#include <set>
#include <vector>

namespace tiphys::objects {
namespace {

using Form = Shape::Form;

/// What becomes of two values, of which one may be missing; nullopt: nothing.
std::optional<doc::Value> merge(const Shape& shape, const doc::Value* live, const doc::Value* config);

/// The elements of a list by what they are told apart by.
struct Index {
  Index(const Shape& shape, const doc::Array* list) {
    if (!list) return;
    for (const doc::Value& element : *list) {
      auto identity = shape.identify(element);
      if (!identity) continue;  // checked before
      const auto [known, anew] = by_identity.try_emplace(*identity, &element);
      // Duplicates are not merged with anything: they stand for a null.
      if (!anew) known->second = &kNull;
      order.push_back(std::move(*identity));
      elements.push_back(&element);
    }
  }
  const doc::Value* find(const PathElement& identity) const {
    const auto found = by_identity.find(identity);
    return found == by_identity.end() ? nullptr : found->second;
  }

  inline static const doc::Value kNull{};
  std::vector<PathElement> order{};
  std::vector<const doc::Value*> elements{};
  std::map<PathElement, const doc::Value*> by_identity{};
};

class ListMerge {
 public:
  ListMerge(const Shape& shape, const doc::Array* live, const doc::Array* config)
      : below_(shape.element()), live_(shape, live), config_(shape, config) {
    for (const PathElement& identity : config_.order) {
      if (live_.find(identity)) shared_.push_back(&identity);
    }
  }

  doc::Array run() {
    std::size_t left = 0;
    std::size_t right = 0;
    while (left < live_.order.size() || right < config_.order.size()) {
      const bool has_left = left < live_.order.size();
      const bool has_right = right < config_.order.size();
      if (has_left && has_right) {
        const PathElement& identity = live_.order[left];
        if (identity == config_.order[right]) {
          take_config(identity);
          ++left, ++right, ++next_shared_;
          continue;
        }
        // Both have it, but it is not its turn.
        const PathElement* awaited = awaited_element();
        if (awaited && *awaited != identity && config_.find(identity)) {
          ++left;
          continue;
        }
      }
      if (has_left) {
        const PathElement& identity = live_.order[left];
        if (!config_.find(identity)) {
          out_.push_back(*live_.elements[left]);
          ++left;
          continue;
        }
        if (taken_.contains(identity)) ++left;
      }
      if (has_right) {
        const PathElement& identity = config_.order[right++];
        take_config(identity);
        const PathElement* awaited = awaited_element();
        if (awaited && *awaited == identity) ++next_shared_;
      }
    }
    return std::move(out_);
  }

 private:
  const PathElement* awaited_element() const { return next_shared_ < shared_.size() ? shared_[next_shared_] : nullptr; }

  void take_config(const PathElement& identity) {
    taken_.insert(identity);
    if (auto value = merge(below_, live_.find(identity), config_.find(identity))) out_.push_back(std::move(*value));
  }

  Shape below_;
  Index live_;
  Index config_;
  std::vector<const PathElement*> shared_{};  ///< what both have, in the order of the configuration
  std::size_t next_shared_ = 0;
  std::set<PathElement> taken_{};
  doc::Array out_{};
};

std::optional<doc::Value> merge_members(const Shape& shape, const doc::Object* live, const doc::Object* config) {
  doc::Object out;
  const auto take = [&](std::string_view name, const doc::Value* ours, const doc::Value* theirs) {
    const auto member = shape.member(name);
    if (!member) return;  // checked before
    if (auto value = merge(member->shape, ours, theirs)) out.emplace(name, std::move(*value));
  };
  if (live) {
    for (const auto& [name, value] : *live) take(name, &value, config ? config->if_contains(name) : nullptr);
  }
  if (config) {
    for (const auto& [name, value] : *config) {
      if (!live || !live->contains(name)) take(name, nullptr, &value);
    }
  }
  if (out.empty()) return std::nullopt;
  return out;
}

std::optional<doc::Value> merge(const Shape& shape, const doc::Value* live, const doc::Value* config) {
  if (!config) return *live;
  if (!live) return *config;
  const Form form = shape.form(config);
  if (form == Form::kScalar) return *config;
  if (form == Form::kList) {
    const doc::Array* ours = live->if_array();
    const doc::Array* theirs = config->if_array();
    const bool empty = (!ours || ours->empty()) && (!theirs || theirs->empty());
    if (empty || shape.atomic_list()) return *config;
    doc::Array out = ListMerge(shape, ours, theirs).run();
    if (out.empty()) return std::nullopt;
    return out;
  }
  const doc::Object* ours = live->if_object();
  const doc::Object* theirs = config->if_object();
  const bool empty = (!ours || ours->empty()) && (!theirs || theirs->empty());
  if (empty || shape.atomic_map()) return *config;
  return merge_members(shape, ours, theirs);
}

}  // namespace

doc::Value merged(const Shape& shape, const doc::Value& live, const doc::Value& config) {
  auto value = merge(shape, &live, &config);
  return value ? std::move(*value) : doc::Value();
}

}  // namespace tiphys::objects
