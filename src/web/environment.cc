#include "web/environment.h"

#include <cstdlib>
#include <initializer_list>

namespace tiphys::web {
namespace {

std::string first_of(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (const char* value = std::getenv(name); value && *value) return value;
  }
  return "";
}

}  // namespace

Environment this_environment() {
  return {.http_proxy = first_of({"HTTP_PROXY", "http_proxy"}),
          .https_proxy = first_of({"HTTPS_PROXY", "https_proxy"}),
          .no_proxy = first_of({"NO_PROXY", "no_proxy"}),
          .certificate_file = first_of({"SSL_CERT_FILE"}),
          .certificate_folder = first_of({"SSL_CERT_DIR"})};
}

}  // namespace tiphys::web
