#include "server/version.h"

#include <fmt/format.h>

#include "argo/version.h"

#ifndef TIPHYS_VERSION
#error "the build defines TIPHYS_VERSION for this file"
#endif

namespace tiphys::server {

std::string_view version() {
  return "v" TIPHYS_VERSION;
}

std::string kubernetes_version() {
  return fmt::format("v1.34.4+tiphys.{}", version().substr(1));
}

doc::Object argo_version() {
  // Its clients want all of them.
  return {{"version", fmt::format("{}+tiphys.{}", argo::kVersion, version().substr(1))},
          {"buildDate", ""},
          {"gitCommit", ""},
          {"gitTag", version()},
          {"gitTreeState", ""},
          {"goVersion", ""},
          {"compiler", compiler()},
          {"platform", platform()}};
}

std::string_view platform() {
#if defined(__x86_64__)
  return "linux/amd64";
#elif defined(__aarch64__)
  return "linux/arm64";
#else
  return "linux/unknown";
#endif
}

std::string compiler() {
#if defined(__clang__)
  return fmt::format("clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
  return fmt::format("gcc {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
}

std::string version_json() {
  // Clients take these for the version of the Kubernetes API that is spoken.
  return doc::to_json(doc::Object{{"major", "1"},
                                  {"minor", "34"},
                                  {"gitVersion", kubernetes_version()},
                                  {"version", version()},
                                  {"gitCommit", ""},
                                  {"gitTag", version()},
                                  {"gitTreeState", ""},
                                  {"buildDate", ""},
                                  {"goVersion", ""},
                                  {"compiler", compiler()},
                                  {"platform", platform()}});
}

}  // namespace tiphys::server
