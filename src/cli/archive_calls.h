// What the commands ask of a plane's archive, in this process or by its server: Argo's ArchivedWorkflowService.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/session.h"

namespace tiphys::cli {

/// How the argument of a command is meant.
enum class Identifier {
  kByItsForm,  ///< what has the form of a UID is one
  kName,
  kUid,
};

class ArchiveCalls {
 public:
  explicit ArchiveCalls(Session& session) : session_(session) {}

  /// `method` is one of ArchivedWorkflowService.
  Result<doc::Value> ask(std::string_view method, doc::Object request);

  struct Which {
    std::string ns{}, labels{}, fields{}, name{};
    std::int64_t chunk_size = 0;  ///< asked for at once; 0: as the server likes
  };
  /// All of them, in the order of `list`.
  Result<std::vector<cluster::Object>> list(const Which& which);

  /// The UID of what is meant. kNotFound; kFailedPrecondition names those that have the same name.
  Result<std::string> find(const std::string& ns, const std::string& identifier, Identifier kind);

 private:
  Session& session_;
};

}  // namespace tiphys::cli
