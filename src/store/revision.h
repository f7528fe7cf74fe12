// One stored state of one object. Revisions never change, so memory, events and the writer thread share them.
//
// A workflow's large members are kept apart: writing a status then copies and stores the small rest alone, and what a
// change costs follows the change, not the workflow.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "cluster/cluster.h"

namespace tiphys::store {

/// An object's name within its resource.
struct Name {
  std::string ns;  ///< "" for cluster scope
  std::string name;
  auto operator<=>(const Name&) const = default;
  bool operator==(const Name&) const = default;
};

/// Whether all objects of the resource stay in memory. The others leave it when they have ended.
bool all_in_memory(const cluster::Resource& resource);
/// Whether memory keeps the texts of a resource's objects. Of workflows much is written and little kept; Secrets are
/// sealed on disk.
bool packs_well(const cluster::Resource& resource);

class Revision {
 public:
  /// spec, status.storedTemplates, status.storedWorkflowTemplateSpec
  static constexpr int kParts = 3;
  using Parts = std::array<doc::Shared, kParts>;

  /// Takes the large members out of `object`, null in their place. What is equal to a part of `earlier` shares it.
  static std::shared_ptr<const Revision> make(const cluster::Resource& resource, doc::Value object,
                                              const Revision* earlier = nullptr);
  /// A workflow's next revision: `base` is a changed copy of `earlier`'s. A part that is still null there stays; one
  /// that has been set becomes the new part, one that was removed goes.
  static std::shared_ptr<const Revision> successor(const cluster::Resource& resource, doc::Value base,
                                                   const Revision& earlier);
  /// From what the disk holds: null in the place of parts.
  Revision(const cluster::Resource& resource, doc::Value base, Parts parts);

  /// The object with null in the place of its parts. While the text alone is kept it is parsed anew unless somebody
  /// has it still. Executor's thread only, but for the writer before the revision is on disk.
  doc::Shared base() const;
  /// The text that the disk has of the base, for whoever wants the object as JSON. For resources that `packs_well`.
  void keep_text(cluster::ObjectJson base) const;
  /// From now on keeps that text, some five times smaller than the document, in place of it, once nobody holds that any
  /// more. For what stays in memory.
  void pack() const;
  /// Null pointers where the object has no such member.
  const Parts& parts() const { return parts_; }
  /// The whole object, a workflow's without status.nodes. Executor's thread only.
  cluster::Object object() const;
  /// The same as JSON.
  cluster::ObjectJson json() const;
  doc::Value copy() const;
  /// Whether the object has the labels and fields; a packed one is not parsed for it.
  bool matches(const cluster::Selector& labels, const cluster::Selector& fields) const;

  std::string_view uid() const { return uid_; }
  std::uint64_t resource_version() const { return resource_version_; }
  /// To be kept in memory: not a completed workflow, a finished pod or an event.
  bool live() const { return live_; }
  /// The uid of the first owner reference, or "".
  std::string_view owner() const { return owner_; }
  /// The label workflows.argoproj.io/workflow, or "".
  std::string_view workflow() const { return workflow_; }

  static constexpr const char* kWorkflowLabel = "workflows.argoproj.io/workflow";
  static constexpr const char* kCompletedLabel = "workflows.argoproj.io/completed";
  static constexpr const char* kExpiresLabel = "tiphys.io/expires";

 private:
  mutable doc::Shared base_;                          ///< null: packed
  mutable std::weak_ptr<const doc::Value> unpacked_;  ///< while somebody has it
  mutable cluster::ObjectJson text_;                  ///< of the base, once it is on disk
  Parts parts_;
  std::string uid_, owner_, workflow_;
  std::uint64_t resource_version_ = 0;
  bool live_ = true;
  mutable std::weak_ptr<const doc::Value> composed_;
};

using RevisionPtr = std::shared_ptr<const Revision>;

/// Sets metadata.resourceVersion.
void set_resource_version(doc::Value& object, std::uint64_t version);

}  // namespace tiphys::store
