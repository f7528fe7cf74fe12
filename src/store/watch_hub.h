// Watches of objects: a log of the newest events per resource, and those who follow it.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "store/change.h"
#include "store/poster.h"
#include "store/scan.h"

namespace tiphys::store {

/// One committed change of an object, as the log keeps it.
struct ObjectEvent {
  Name name;
  RevisionPtr before;  ///< null: created
  RevisionPtr after;   ///< null: deleted
  RevisionPtr last;    ///< of a deletion: the state that watchers see
  std::uint64_t version = 0;
  bool by_status_update = false;
  bool merged = false;  ///< into a later one
  std::size_t bytes = 0;

  /// Of a workflow, nodes alone have changed.
  static ObjectEvent of_nodes(Name name, const RevisionPtr& workflow, std::uint64_t version) {
    return {.name = std::move(name),
            .before = workflow,
            .after = workflow,
            .last = nullptr,
            .version = version,
            .by_status_update = true};
  }
  bool is_of_nodes() const { return before == after; }
};

/// Of status updates of one workflow in a row, watches see the last: putting a large workflow together costs. Marks the
/// others as merged; the events are of workflows alone.
void merge_status_updates(std::span<ObjectEvent* const> events);

class ObjectWatch;

class WatchHub {
 public:
  struct Limits {
    std::size_t events = 4096;     ///< per resource
    std::size_t bytes = 2U << 20;  ///< per resource, of the events' objects as JSON
    std::size_t waiting = 65536;   ///< events that wait for one watch's first list to end
  };

  /// `version` is the newest resource version; older ones cannot be resumed from.
  WatchHub(Poster& poster, Memory& memory, DiskReader& disk, Limits limits, std::uint64_t version);
  ~WatchHub();

  /// `load` brings the resource's live objects into memory; an error of it ends the watch.
  std::unique_ptr<cluster::Watch> watch(const cluster::Resource& resource, cluster::WatchOptions options,
                                        cluster::WatchSink sink, std::move_only_function<Status()> load);
  /// Tells the watches of uncommitted changes, in a turn of its own, of one that is accepted. append() and
  /// forget_uncommitted() say what became of it.
  void announce(const cluster::Resource& resource, ObjectEvent event);
  /// Puts the oldest announced change, now committed, into the log; dispatch_new() then tells the other watches of all
  /// that came since. `bytes` as in ObjectEvent.
  void append(std::size_t bytes);
  /// A committed change of a workflow's nodes alone, for watches that show those; dispatch_new() tells it.
  void append_nodes(const Name& name, const RevisionPtr& workflow, std::uint64_t version);
  void dispatch_new();
  /// None of what was announced will be written; those who were told begin anew.
  void forget_uncommitted();
  std::uint64_t version() const { return version_; }
  void set_version(std::uint64_t version) { version_ = version; }

 private:
  friend class ObjectWatch;

  struct Channel {
    std::deque<ObjectEvent> log;
    std::size_t bytes = 0;
    std::uint64_t forgotten = 0;  ///< the newest version that is no longer in the log
    std::vector<std::shared_ptr<ObjectWatch>> watches;
  };
  struct Fresh {
    const cluster::Resource* resource;
    ObjectEvent event;
  };
  Channel& channel(const cluster::Resource& resource);
  void tell_uncommitted();

  Poster& poster_;
  Memory& memory_;
  DiskReader& disk_;
  Limits limits_;
  std::uint64_t first_version_;
  std::uint64_t version_;
  std::unordered_map<const cluster::Resource*, Channel> channels_;
  std::vector<Fresh> fresh_;
  std::deque<Fresh> uncommitted_;
  std::uint64_t announced_ = 0;  ///< the newest version that was told uncommitted
  bool announcing_ = false;
};

}  // namespace tiphys::store
