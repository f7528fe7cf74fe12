// Keys for Amazon's stores that no Secret gives: what Amazon's programs find on this machine, and roles.
#pragma once

#include <stop_token>
#include <string>

#include "artifact/attempts.h"
#include "artifact/aws_signature.h"
#include "web/environment.h"

namespace tiphys::artifact {

class AwsIdentity {
 public:
  /// `region` is where roles are asked for; "": AWS_REGION, AWS_DEFAULT_REGION, us-east-1.
  AwsIdentity(std::string region, const web::Environment& environment, std::stop_token stop);

  /// In this order: the profile AWS_PROFILE when it is set; AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; the role
  /// AWS_ROLE_ARN by the token in AWS_WEB_IDENTITY_TOKEN_FILE; the profile "default"; the container's key
  /// (AWS_CONTAINER_CREDENTIALS_...); the machine's.
  Attempt ambient(AwsKey& key) const;
  /// The role's key, for who has that one.
  Attempt assume_role(const std::string& arn, AwsKey& key) const;

 private:
  Attempt by_web_identity(const std::string& token_file, AwsKey& key) const;
  Attempt of_container(const std::string& url, AwsKey& key) const;
  Attempt of_machine(AwsKey& key) const;
  Attempt ask_sts(const Query& form, const AwsKey* signer, AwsKey& key) const;
  Attempt ask(web::HttpRequest request, std::string_view what, std::string& body) const;

  const std::string region_;
  const web::Environment& environment_;
  const std::stop_token stop_;
};

}  // namespace tiphys::artifact
