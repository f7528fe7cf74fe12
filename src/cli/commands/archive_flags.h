// What the commands of `tiphys archive` share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/archive_calls.h"
#include "cli/commands/common.h"

namespace tiphys::cli {

struct ArchiveFlags {
  CommonFlags common;
  std::vector<std::string> names;
  std::string output, labels;
  std::optional<std::int64_t> chunk_size;
  bool by_name = false, by_uid = false;

  void add_identifier(Flags& flags) {
    flags.flag("--name", by_name, "What is given are names");
    flags.flag("--uid", by_uid, "What is given are UIDs");
  }
  Status check() const {
    if (!by_name || !by_uid) return {};
    return fail(Code::kInvalidArgument, "--name and --uid exclude each other");
  }
  Result<std::string> find(ArchiveCalls& archive, const std::string& identifier) const {
    const Identifier kind = by_uid ? Identifier::kUid : by_name ? Identifier::kName : Identifier::kByItsForm;
    return archive.find(common.chosen_namespace(), identifier, kind);
  }
};

/// As `archive get` prints a workflow.
void print_archived(const doc::Value& workflow, const std::string& output, Time now);

int archive_retry_command(const Arguments& arguments);
int archive_resubmit_command(const Arguments& arguments);

}  // namespace tiphys::cli
