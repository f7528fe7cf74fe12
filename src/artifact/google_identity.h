// Who asks Google's servers: the key of a service account, or what Google's programs find on this machine.
#pragma once

#include <string>

#include "artifact/access_token.h"

namespace tiphys::artifact {

class GoogleIdentity {
 public:
  /// The JSON file of a service account's key.
  static Result<GoogleIdentity> of_key(std::string_view json);
  /// The file that GOOGLE_APPLICATION_CREDENTIALS names, else ~/.config/gcloud/application_default_credentials.json,
  /// else the machine's metadata server (GCE_METADATA_HOST).
  static Result<GoogleIdentity> ambient();

  /// A token that may read and write objects.
  Attempt renew(AccessToken& token, const web::Environment& environment, const std::stop_token& stop) const;
  /// "googleapis.com" without a word in the key.
  const std::string& domain() const { return domain_; }

 private:
  enum class Kind : std::uint8_t { kServiceAccount, kUser, kMachine };
  static Result<GoogleIdentity> of_json(std::string_view json);
  Attempt renew_by_machine(AccessToken& token, const std::stop_token& stop) const;
  /// What is sent to the URL for a token.
  Result<Query> form() const;

  Kind kind_ = Kind::kMachine;
  std::string domain_ = "googleapis.com";
  std::string token_url_;
  std::string email_, key_id_, private_key_;               ///< of a service account
  std::string client_id_, client_secret_, refresh_token_;  ///< of a user
};

}  // namespace tiphys::artifact
