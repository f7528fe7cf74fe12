#include "artifact/variables.h"

#include <cstdlib>

namespace tiphys::artifact {

std::string variable(const char* name, std::string otherwise) {
  const char* value = std::getenv(name);
  return value && *value ? value : std::move(otherwise);
}

}  // namespace tiphys::artifact
