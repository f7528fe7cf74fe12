// Secrets for programs of this host that take them from files.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/error.h"

namespace tiphys::artifact {

/// A folder of one's own, made when it is needed, removed with it.
class SecretFolder {
 public:
  SecretFolder() = default;
  ~SecretFolder();
  SecretFolder(const SecretFolder&) = delete;
  SecretFolder& operator=(const SecretFolder&) = delete;

  /// The path of a file in it with this text.
  Result<std::string> write(std::string_view name, std::string_view text, mode_t mode = 0600);
  /// The path of one that somebody else writes.
  Result<std::string> path_of(std::string_view name);

 private:
  std::string path_;
};

}  // namespace tiphys::artifact
