// Walks the objects of one resource in order of namespace and name, memory over disk, a bounded number at a time.
#pragma once

#include <functional>

#include "store/disk_reader.h"
#include "store/memory.h"

namespace tiphys::store {

/// Which objects of a resource a list or watch is about.
struct Selection {
  const cluster::Resource* resource = nullptr;
  std::string ns;  ///< "" for all
  cluster::Selector labels;
  cluster::Selector fields;

  /// A workflow's fields are those of metadata and status.
  bool matches(const Name& name, const Revision& revision) const;
  /// Whether an object that is not live could match: if not, the disk need not be read.
  bool may_match_ended() const;
  /// The one name that can match, or "".
  std::string only_name() const;
};

class Scan {
 public:
  /// Called for each object that matches; false stops before the next one.
  using Visit = std::function<bool(const Name&, const RevisionPtr&)>;

  /// `live_only`: what is not live may be left out.
  Scan(Memory& memory, DiskReader& disk, Selection selection, Name after = {}, bool live_only = false);

  /// Visits what the next slice has; its objects are as they are at this moment.
  Status next_slice(const Visit& visit);
  bool finished() const { return finished_; }
  /// Whether a change of this object comes too late for the scan to see it.
  bool has_passed(const Name& name) const { return finished_ || name <= after_; }
  const Selection& selection() const { return selection_; }

 private:
  bool visit_memory_until(const Name* end, const Visit& visit);
  bool offer(const Name& name, const RevisionPtr& revision, const Visit& visit);

  Memory& memory_;
  DiskReader& disk_;
  Selection selection_;
  Name after_;  ///< the last one looked at
  bool disk_finished_ = false;
  bool finished_ = false;
};

}  // namespace tiphys::store
