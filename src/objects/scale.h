// The subresource /scale of what has replicas: an autoscaling/v1 Scale read from the object and written back to it.
#pragma once

#include <string>
#include <vector>

#include "objects/refusal.h"

namespace tiphys::objects {

/// Where objects of a kind have what a Scale tells.
struct ScalePaths {
  std::vector<std::string> replicas{"spec", "replicas"};
  std::vector<std::string> observed{"status", "replicas"};
  /// Of a text; empty: nowhere, or in spec.selector for Kubernetes' own kinds.
  std::vector<std::string> selector{};
  bool of_definition = false;  ///< a CustomResourceDefinition has said so

  /// ".spec.replicas"
  std::string replicas_text() const;
};

/// What is at a path; null: nothing.
const doc::Value* value_at(const doc::Value& object, const std::vector<std::string>& path);

doc::Value scale_of(const doc::Value& object, const ScalePaths& paths);
/// The same with the owners of its replicas, as whoever writes the Scale is tracked or applies it.
doc::Value owned_scale_of(const doc::Value& object, const ScalePaths& paths);
/// Gives `object` the replicas of a Scale, and the resourceVersion that it demands.
Outcome<void> take_scale(doc::Value& object, const doc::Value& scale, const ScalePaths& paths);
/// Gives `object` the owners of a Scale's replicas.
void take_scale_owners(doc::Value& object, const doc::Value& scale, const ScalePaths& paths);

inline constexpr std::string_view kScaleVersion = "autoscaling/v1";
/// That something is a Scale, if it says what it is.
Outcome<void> check_scale_type(const doc::Value& scale);

}  // namespace tiphys::objects
