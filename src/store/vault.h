// What the database does not show in clear text: the bodies of Secrets, sealed by AES-256-GCM with a key that lies in a
// file of its own, so that a copy of the database alone tells nothing.
//
// A sealed body is "sealed:v1:KEY:BYTES": which key it was, and nonce, text and tag in base64. It is bound to the uid
// of its object, so that none passes for another's.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "base/error.h"
#include "cluster/resource.h"

namespace tiphys::store {

/// Of any thread.
class Vault {
 public:
  /// The key is read when it is first needed, and made when there is none. "": nothing is sealed.
  explicit Vault(std::string key_path) : key_path_(std::move(key_path)) {}

  bool covers(const cluster::Resource& resource) const { return &resource == &cluster::kSecrets && !key_path_.empty(); }
  Result<std::string> seal(std::string_view body, std::string_view uid);

  static bool is_sealed(std::string_view body);
  /// kFailedPrecondition: its key is not there, or is another one. kDataLoss: it is damaged.
  Result<std::string> open(std::string_view body, std::string_view uid);

 private:
  struct Key {
    std::string bytes;  ///< empty: not read yet
    std::string id;     ///< of the key, to tell it from others
  };
  Result<Key> key(bool make);

  const std::string key_path_;
  std::mutex mutex_;
  Key key_;
};

}  // namespace tiphys::store
