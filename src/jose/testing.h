// Keys that make tokens for tests, good ones and others.
#pragma once

#include <string>
#include <string_view>

#include "doc/value.h"
#include "jose/key.h"

namespace tiphys::jose {

class TestKey {
 public:
  /// A new one that signs by this algorithm: "PS256".
  explicit TestKey(std::string_view algorithm, std::string id = "");

  /// Its public half; `algorithm` and use are told when they are wanted.
  doc::Object web_key(bool tells_algorithm = true) const;
  std::string sign(const doc::Value& claims) const;
  /// With a header of its own.
  std::string sign(const doc::Object& header, const doc::Value& claims) const;
  std::string signature(std::string_view text) const;
  const std::string& id() const { return id_; }
  /// The public half as PEM.
  std::string public_pem() const;

 private:
  std::string algorithm_, id_;
  std::shared_ptr<EVP_PKEY> key_;
};

/// {"keys": [...]}
doc::Object web_key_set(const std::vector<const TestKey*>& keys);

/// A token whose signature is an HMAC by SHA-256.
std::string sign_hs256(std::string_view secret, const doc::Value& claims, std::string_view key_id);

}  // namespace tiphys::jose
