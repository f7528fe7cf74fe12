// The plane's own repository in memory, and what an agent stores in it. It outlives every crash, as a disk does.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "artifact/repository.h"
#include "doc/value.h"

namespace tiphys::simulation {

class FakeArtifacts final : public artifact::Repository {
 public:
  /// Asked before a place is listed or an artifact removed; an error: the repository refuses it.
  std::function<Status(std::string_view key)> before_list, before_remove;

  void put(std::string key, std::string text) { files_[std::move(key)] = std::move(text); }
  /// A file, or a folder of files.
  bool has(std::string_view key) const;
  std::vector<std::string> keys() const;

  Status save(std::string_view key, const std::string& host_path) override;
  Status load(std::string_view key, const std::string& host_path) override;
  Result<std::vector<std::string>> list(std::string_view key) override;
  Status remove(std::string_view key) override;
  std::string local_path(std::string_view) const override { return ""; }

 private:
  std::vector<std::string> below(std::string_view key) const;

  std::map<std::string, std::string, std::less<>> files_;  ///< texts by key
};

/// Texts by their paths in an artifact: a file is {"": text}. Empty: the pod has not made it.
using ArtifactFiles = std::map<std::string, std::string>;

/// Stores what the pod is to give, by what its annotation asks for, and says of each what its node's outputs say.
/// `made` tells the files of an artifact by its name and path.
doc::Array store_artifacts(const doc::Value& pod, FakeArtifacts& artifacts,
                           const std::function<ArtifactFiles(std::string_view name, std::string_view path)>& made);

}  // namespace tiphys::simulation
