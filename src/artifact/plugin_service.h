// The calls of Argo's ArtifactService (pkg/apiclient/artifact/artifact.proto) that places need.
#pragma once

#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "artifact/plugin_servers.h"
#include "base/error.h"
#include "doc/value.h"

namespace tiphys::artifact {

/// Blocking. Errors read as the original's driver words them: "plugin NAME load failed: REASON".
class PluginService {
 public:
  /// `place` is a PluginArtifact; `artifact` what else its artifact says, or null.
  PluginService(const PluginServer& server, const doc::Value& place, const doc::Value* artifact, std::stop_token stop);

  /// Paths are the plugin's.
  Status load(std::string_view path);
  Status save(std::string_view path);
  Status remove();
  Result<std::vector<std::string>> list();

 private:
  Result<std::string> call(std::string_view method, std::string_view message);
  Status succeed(std::string_view method, std::string_view what, std::string_view message);
  std::unexpected<Error> failed(std::string_view what, const Error& error) const;

  const std::string socket_;
  const std::string name_;
  const std::string artifact_;  ///< as the wire has it
  const std::stop_token stop_;
};

}  // namespace tiphys::artifact
