#include "argo/webhooks.h"

#include <fmt/format.h>

#include <algorithm>

#include "artifact/digest.h"
#include "base/encoding.h"
#include "base/secret.h"
#include "doc/yaml.h"

namespace tiphys::argo {
namespace {

struct Client {
  std::string type, secret;
};

/// How a kind of host signs: the header that tells what happened, and the one with the signature.
struct Signing {
  std::string_view type, event, signature;
  /// The signature is that of the body; else the secret itself.
  bool of_body;
};

constexpr Signing kSignings[] = {
    {"github", "x-github-event", "x-hub-signature-256", true},
    {"gitlab", "x-gitlab-event", "x-gitlab-token", false},
    {"bitbucket", "x-event-key", "x-hook-uuid", false},
    {"bitbucketserver", "x-event-key", "x-hub-signature", true},
};

std::string_view header(const std::vector<ExtraHeader>& headers, std::string_view name) {
  const auto found = std::ranges::find(headers, name, &ExtraHeader::name);
  return found == headers.end() ? std::string_view() : std::string_view(found->value);
}

Result<Client> read_client(std::string_view account, std::string_view base64) {
  const auto where = [&](Error error) {
    return std::unexpected(error.in(fmt::format("Secret {}: {}", kWebhookClients, account)));
  };
  const auto text = decode_base64(base64);
  if (!text) return where(text.error());
  const auto documents = doc::parse_yaml(*text, "");
  // Its message would show a part of the secret.
  if (!documents || documents->size() != 1) return where({Code::kInvalidArgument, "it is no YAML"});
  const doc::Value& root = documents->front().root;
  return Client{std::string(doc::find_string(root, "type")), std::string(doc::find_string(root, "secret"))};
}

bool has_signed(const Client& client, const Signing& signing, const std::vector<ExtraHeader>& headers,
                std::string_view body) {
  if (header(headers, signing.event).empty() || body.empty()) return false;
  std::string_view given = header(headers, signing.signature);
  if (!signing.of_body) return same_secret(given, client.secret);
  constexpr std::string_view kKind = "sha256=";
  if (given.starts_with(kKind)) given.remove_prefix(kKind.size());
  return !client.secret.empty() && same_secret(given, encode_hex(artifact::hmac_sha256(client.secret, body)));
}

}  // namespace

Result<std::string> webhook_account(const doc::Value& secret, const std::vector<ExtraHeader>& headers,
                                    std::string_view body) {
  const doc::Value* data = doc::find(secret, "data");
  if (!data || !data->is_object()) return "";
  for (const auto& [account, value] : data->get_object()) {
    TIPHYS_TRY(const Client client, read_client(account, doc::scalar_text(value)));
    const auto signing = std::ranges::find(kSignings, client.type, &Signing::type);
    if (signing == std::end(kSignings)) {
      return fail(Code::kInvalidArgument,
                  fmt::format("Secret {}: {}: type \"{}\" is none of github, gitlab, bitbucket, bitbucketserver",
                              kWebhookClients, std::string_view(account), client.type));
    }
    if (has_signed(client, *signing, headers, body)) return std::string(account);
  }
  return "";
}

}  // namespace tiphys::argo
