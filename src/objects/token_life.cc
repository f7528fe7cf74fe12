#include "objects/token_life.h"

#include <algorithm>

namespace tiphys::objects {
namespace {

bool is_there(store::Store& store, const cluster::Key& key, std::string_view uid) {
  const auto found = store.newest(key);
  return found && *found && doc::find_string(**found, "metadata", "uid") == uid;
}

}  // namespace

bool is_bound_to_what_exists(const ServiceToken& token, store::Store& store) {
  return is_there(store, {&cluster::kServiceAccounts, token.ns, token.name}, token.uid) &&
         (token.pod_uid.empty() || is_there(store, {&cluster::kPods, token.ns, token.pod_name}, token.pod_uid));
}

std::vector<std::string> common_audiences(const ServiceToken& token, std::span<const std::string> wanted) {
  static const std::string kOwn(kTokenIssuer);
  if (wanted.empty()) wanted = std::span(&kOwn, 1);
  std::vector<std::string> common;
  std::ranges::copy_if(wanted, std::back_inserter(common), [&](const std::string& one) {
    return std::ranges::find(token.audiences, one) != token.audiences.end();
  });
  return common;
}

}  // namespace tiphys::objects
