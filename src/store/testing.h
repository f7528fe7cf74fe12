// Stores for tests: the real one on memory or a file of its own, driven by virtual time. It is the fake of every layer
// that needs a Cluster.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <string>

namespace tiphys::store {

/// A directory that goes with its owner.
class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tiphys-XXXXXX").native();
    const char* made = ::mkdtemp(pattern.data());
    path_ = made ? made : "";
  }
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace tiphys::store
