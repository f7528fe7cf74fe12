#include "base/shared_library.h"

#include <dlfcn.h>
#include <fmt/format.h>

namespace tiphys {

Result<SharedLibrary> SharedLibrary::load(std::initializer_list<const char*> names, std::string_view does,
                                          std::string_view package) {
  for (const char* name : names) {
    if (void* const handle = ::dlopen(name, RTLD_NOW | RTLD_LOCAL)) return SharedLibrary(handle);
  }
  return fail(Code::kFailedPrecondition,
              fmt::format("{}, which {}, cannot be loaded: install {}", *names.begin(), does, package));
}

void* SharedLibrary::symbol(const char* name) const {
  return ::dlsym(handle_, name);
}

}  // namespace tiphys
