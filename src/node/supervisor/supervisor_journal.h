// The file in which a supervisor keeps which steps it has started and how they ended.
//
// Records are appended; each has its length and a checksum, so that a torn end is found and cut off. Room for the end
// of every started step is set aside on the disk beforehand.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"
#include "node/supervisor/supervisor_protocol.h"

namespace tiphys::node {

struct JournalStep {
  Time started_at{};
  std::optional<StepOutcome> outcome;  ///< none: it runs
  std::uint64_t recorded_bytes = 0;    ///< what its records take in the file
};

class SupervisorJournal {
 public:
  /// Opens `name` in the folder, made when missing. Steps that an earlier supervisor left running get an outcome that
  /// says why nothing is known of their end: another boot id is a restart of the machine. `boot_id` as in
  /// /proc/sys/kernel/random/boot_id.
  static Result<SupervisorJournal> open(int folder, std::string name, const std::string& boot_id, Time now);

  /// All steps that are not forgotten, by id.
  const std::map<std::string, JournalStep, std::less<>>& steps() const { return steps_; }
  const JournalStep* find(std::string_view id) const;

  /// In the kernel at the return, on disk after sync(). kResourceExhausted or what the disk says when there is no room.
  Status started(const std::string& id, Time at);
  /// Room was set aside by started(), so only a broken disk fails here; find() knows the outcome nevertheless. Long
  /// messages are cut.
  Status ended(const std::string& id, StepOutcome outcome);
  /// Without an answer: at worst the step is told of again after a restart.
  void forgotten(const std::string& id);

  /// All records so far are on disk afterwards. Rewrites the file when most of it is forgotten.
  Status sync();
  bool is_mostly_forgotten() const;

 private:
  SupervisorJournal() = default;
  Status append(std::string_view payload);
  Status reserve(std::uint64_t end);
  Status read_file();
  bool apply(std::string_view payload);
  Status end_vanished(const std::string& boot_id, Time now);
  Status rewrite();

  int folder_ = -1;
  std::string name_;
  std::string boot_id_;  ///< of the last boot that the file knows
  UniqueFd file_;
  std::uint64_t end_ = 0;
  std::uint64_t reserved_ = 0;
  std::size_t running_ = 0;
  std::uint64_t forgotten_bytes_ = 0;
  bool dirty_ = false;
  bool new_name_ = false;  ///< the folder's entry is not on disk yet
  std::map<std::string, JournalStep, std::less<>> steps_;
};

}  // namespace tiphys::node
