#include "artifact/variables.h"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace tiphys::artifact {

std::string variable(const char* name, std::string otherwise) {
  const char* value = std::getenv(name);
  return value && *value ? value : std::move(otherwise);
}

Result<std::string> text_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file && text << file.rdbuf()) return text.str();
  return fail_errno(path, errno);
}

}  // namespace tiphys::artifact
