#include "base/private_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/random.h"
#include "base/strings.h"
#include "base/unique_fd.h"

namespace tiphys {

Status write_private_file(const std::string& path, std::string_view content) {
  const std::string draft = fmt::format("{}.{}", path, getpid());
  const std::string folder = std::filesystem::path(path).parent_path();
  if (!folder.empty() && ::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail_errno("make " + folder, errno);
  }
  {
    const UniqueFd file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file) return fail_errno("write " + draft, errno);
    if (::write(file.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size()) ||
        ::fsync(file.get()) != 0) {
      return fail_errno("write " + draft, errno);
    }
  }
  if (::rename(draft.c_str(), path.c_str()) != 0) return fail_errno("rename " + draft, errno);
  const UniqueFd parent(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!parent || ::fsync(parent.get()) != 0) return fail_errno("sync " + folder, errno);
  return {};
}

Result<std::string> ensure_private_file(const std::string& path, const std::function<Result<std::string>()>& make) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  if (!text.view().empty()) return text.str();
  TIPHYS_TRY(std::string made, make());
  TIPHYS_CHECK_OK(write_private_file(path, made));
  return made;
}

Result<std::string> ensure_token(const std::string& path) {
  TIPHYS_TRY(const std::string text, ensure_private_file(path, []() -> Result<std::string> {
               SystemRandom random;
               return fmt::format("{:016x}{:016x}{:016x}{:016x}\n", random.next(), random.next(), random.next(),
                                  random.next());
             }));
  return std::string(trim(text));
}

}  // namespace tiphys
