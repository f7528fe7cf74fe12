#include "base/secret.h"

namespace tiphys {

bool same_secret(std::string_view given, std::string_view expected) {
  // The length of the expected secret is no secret.
  unsigned char difference = given.size() == expected.size() ? 0 : 1;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const char other = given.empty() ? '\0' : given[i % given.size()];
    difference = static_cast<unsigned char>(difference | (other ^ expected[i]));
  }
  return difference == 0 && !expected.empty();
}

}  // namespace tiphys
