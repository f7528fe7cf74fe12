#include "jose/signed_token.h"

#include <cmath>

#include "base/encoding.h"
#include "base/strings.h"
#include "jose/algorithm.h"

namespace tiphys::jose {

Result<SignedToken> parse_signed_token(std::string_view text) {
  const auto no_token = [] { return fail(Code::kInvalidArgument, "it is no signed JSON web token"); };
  const auto parts = split(text, '.');
  if (parts.size() != 3) return no_token();
  const auto header = decode_base64url(parts[0]), payload = decode_base64url(parts[1]);
  auto signature = decode_base64url(parts[2]);
  if (!header || !payload || !signature) return no_token();
  const auto head = doc::parse_json(*header);
  auto claims = doc::parse_json(*payload);
  if (!head || !claims || !head->is_object() || !claims->is_object()) return no_token();
  if (doc::find(*head, "crit")) return fail(Code::kInvalidArgument, "it has critical headers, of which none is known");
  return SignedToken{.algorithm = std::string(doc::find_string(*head, "alg")),
                     .key_id = std::string(doc::find_string(*head, "kid")),
                     .claims = std::move(*claims),
                     .covered = std::string(text.substr(0, parts[0].size() + 1 + parts[1].size())),
                     .signature = std::move(*signature)};
}

Result<std::string> write_signed_token(const doc::Object& claims, const Key& key) {
  std::string text = encode_base64url(R"({"alg":"ES256","typ":"JWT"})") + "." + encode_base64url(doc::to_json(claims));
  TIPHYS_TRY(const std::string signature, sign_es256(key, text));
  return text + "." + encode_base64url(signature);
}

Time time_of(const doc::Value& claims, std::string_view name) {
  /// Beyond, nanoseconds do not fit; it is some 290 years after 1970.
  constexpr double kMostSeconds = 9e9;
  const doc::Value* found = doc::find(claims, name);
  if (!found || !found->is_number()) return {};
  const double seconds = std::floor(found->to_number<double>());
  if (!(seconds > 0)) return {};
  return Time(std::chrono::seconds(static_cast<std::int64_t>(std::min(seconds, kMostSeconds))));
}

std::int64_t numeric_date(Time at) {
  return std::chrono::floor<std::chrono::seconds>(at.time_since_epoch()).count();
}

}  // namespace tiphys::jose
