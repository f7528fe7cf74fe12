// What requests say of how an S3 store encrypts objects.
#pragma once

#include <string>

#include "base/error.h"
#include "doc/value.h"
#include "web/http_client.h"

namespace tiphys::artifact {

class S3Encryption {
 public:
  /// `options` are encryptionOptions, or null; `password` that of serverSideCustomerKeySecret.
  static Result<S3Encryption> of(const doc::Value* options, std::string bucket, std::string password);

  /// Of requests that begin an object.
  web::Headers of_new(const std::string& key) const;
  /// Of requests that read one or add to it.
  web::Headers of_known(const std::string& key) const;

 private:
  std::string bucket_;
  std::string password_;  ///< "": the store has the keys
  web::Headers by_store_;
};

}  // namespace tiphys::artifact
