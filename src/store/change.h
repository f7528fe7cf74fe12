// What the executor's thread hands to the writer, and gets back: changes of objects, grouped into batches.
#pragma once

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "store/revision.h"

namespace tiphys::store {

/// One object from one revision to the next.
struct Change {
  const cluster::Resource* resource = nullptr;
  Name name{};
  RevisionPtr before{};  ///< null: it is created
  RevisionPtr after{};   ///< null: it is deleted
  /// Of a deletion: the last state under the deletion's resource version, for events.
  RevisionPtr last{};
  /// Orders all changes of a store; also the resource version of `after` when the object itself changes.
  std::uint64_t version = 0;
  /// False: only nodes change, the object stays as it is.
  bool object_changed = true;
  bool by_status_update = false;
  /// A deletion leaves things behind that it owns: they are collected later. One that has only begun waits for them.
  bool leaves_garbage = false;

  /// Of a workflow's status, for `nodes` and the journal.
  std::vector<cluster::WorkflowStatusUpdate::Node> nodes{};
  doc::Value status_fields{};  ///< null: none
  Time at{};

  /// What keeping the event of it costs, as bytes of JSON; the writer fills it in.
  std::size_t bytes = 0;
  /// `after` as it was written, of what packs well, unless a later change of the same batch has replaced it.
  cluster::ObjectJson text{};

  std::string_view workflow_uid() const { return (after ? after : before)->uid(); }
};

/// Removes a bounded number of rows of what a deleted object owned.
struct Purge {
  std::string uid;
  bool finished = false;  ///< the writer's answer: nothing is left
};

/// What is written together or not at all.
struct Write {
  std::vector<Change> changes;
  std::optional<Purge> purge;
  /// uids of workflows that go from the archive, those without an object.
  std::vector<std::string> unarchived{};
  /// Called on the executor's thread once the write is on disk or has failed.
  std::move_only_function<void(const Status& outcome, const std::optional<Purge>& purge)> answer;

  std::size_t rows() const {
    std::size_t sum = 1 + unarchived.size();
    for (const Change& change : changes) sum += 1 + change.nodes.size();
    return sum;
  }
};

/// One transaction.
struct Batch {
  std::vector<Write> writes;
  std::uint64_t last_ticket = 0;   ///< counts writes
  std::uint64_t last_version = 0;  ///< the highest of its changes
  Status outcome;

  /// Puts a younger batch behind this one.
  void append(Batch younger) {
    if (younger.writes.empty()) return;
    std::ranges::move(younger.writes, std::back_inserter(writes));
    last_ticket = younger.last_ticket;
    last_version = std::max(last_version, younger.last_version);
  }
};

}  // namespace tiphys::store
