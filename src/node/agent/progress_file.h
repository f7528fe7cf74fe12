// What a container tells of its progress: the last line of the file that ARGO_PROGRESS_FILE names, "N/M".
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/unique_fd.h"
#include "node/folder_notices.h"

namespace tiphys::node {

class ProgressFile {
 public:
  /// `folder` is where the container writes the file, which need not be there yet. `on_progress` gets each valid text
  /// that is another than the last, those that are there already too.
  static Result<std::unique_ptr<ProgressFile>> follow(FolderNotices& notices, UniqueFd folder,
                                                      std::function<void(std::string)> on_progress);

  /// Looks now, for what no notice has told of yet. What is no progress is left alone: half a line may be written.
  void read();

 private:
  ProgressFile(UniqueFd folder, std::function<void(std::string)> on_progress);

  UniqueFd folder_;
  std::function<void(std::string)> on_progress_;
  std::string last_;
  std::unique_ptr<FolderNotices::Following> following_;
};

}  // namespace tiphys::node
