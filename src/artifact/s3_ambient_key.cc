// The key that Amazon's programs find on this machine.
#include <fmt/format.h>

#include <fstream>

#include "artifact/s3_client.h"
#include "artifact/variables.h"
#include "base/strings.h"

namespace tiphys::artifact {
Result<AwsKey> ambient_aws_key() {
  AwsKey key{variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"), variable("AWS_SESSION_TOKEN")};
  if (!key.id.empty() && !key.secret.empty()) return key;
  const std::string path = variable("AWS_SHARED_CREDENTIALS_FILE", variable("HOME") + "/.aws/credentials");
  const std::string profile = "[" + variable("AWS_PROFILE", "default") + "]";
  key = {};
  std::ifstream file(path);
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    const std::string_view text = trim(line);
    if (text.starts_with('[')) inside = text == profile;
    const auto equals = text.find('=');
    if (!inside || equals == text.npos) continue;
    const std::string_view name = trim(text.substr(0, equals)), value = trim(text.substr(equals + 1));
    if (name == "aws_access_key_id") key.id = value;
    if (name == "aws_secret_access_key") key.secret = value;
    if (name == "aws_session_token") key.session_token = value;
  }
  if (!key.id.empty() && !key.secret.empty()) return key;
  return fail(Code::kFailedPrecondition,
              fmt::format("there is no key for the store: name Secrets in accessKeySecret and secretKeySecret, or set "
                          "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write {} of {}",
                          profile, path));
}

}  // namespace tiphys::artifact
