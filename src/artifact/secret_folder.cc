#include "artifact/secret_folder.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "artifact/file_tree.h"
#include "base/log.h"
#include "base/unique_fd.h"

namespace tiphys::artifact {

SecretFolder::~SecretFolder() {
  if (path_.empty()) return;
  if (const Status removed = remove_tree(path_); !removed) log::warn("{}", removed.error().message);
}

Result<std::string> SecretFolder::path_of(std::string_view name) {
  if (path_.empty()) {
    std::string made = (std::filesystem::temp_directory_path() / "tiphys-secret-XXXXXX").string();
    if (!::mkdtemp(made.data())) return fail_errno(made, errno);
    path_ = made;
  }
  return (path_ + "/").append(name);
}

Result<std::string> SecretFolder::write(std::string_view name, std::string_view text, mode_t mode) {
  TIPHYS_TRY(std::string path, path_of(name));
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return fail_errno(path, errno);
  }
  return path;
}

}  // namespace tiphys::artifact
