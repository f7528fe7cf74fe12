// Unix sockets at paths of any length: the kernel takes 107 bytes.
#pragma once

#include <string>

#include "base/error.h"
#include "base/unique_fd.h"

namespace tiphys {

/// A path that the kernel takes as a socket's address, for as long as this lives.
struct SocketPath {
  std::string text;
  UniqueFd directory;

  static Result<SocketPath> of(const std::string& path);
};

}  // namespace tiphys
