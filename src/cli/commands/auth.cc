// tiphys auth token.
#include <fmt/format.h>

#include "base/file.h"
#include "base/strings.h"
#include "cli/commands/common.h"
#include "cli/terminal.h"
#include "store/data_dir.h"

namespace tiphys::cli {
namespace {

/// The token of the data directory's plane.
Result<std::string> own_token(const SessionOptions& session) {
  TIPHYS_TRY(const std::string data_dir, store::DataDir::locate(session.data_dir));
  auto kept = read_whole_file(data_dir + "/token");
  if (!kept && kept.error().code == Code::kNotFound) {
    return fail(Code::kNotFound,
                fmt::format("{} has no token yet: start a plane with `tiphys up`, or set ARGO_TOKEN", data_dir));
  }
  if (!kept) return kept;
  return std::string(trim(*kept));
}

/// What a client sends as its header Authorization.
Result<std::string> authorization(const SessionOptions& session) {
  std::string token = session.given_token();
  if (token.starts_with("Basic ")) return token;
  if (!token.empty()) return "Bearer " + token;
  TIPHYS_TRY(const PlaceKind kind, session.kind());
  if (kind != PlaceKind::kKubernetes) {
    TIPHYS_TRY(token, own_token(session));
    return "Bearer " + token;
  }
  TIPHYS_TRY(const kube::Access access, kubernetes_access(session));
  Loop loop;
  TIPHYS_TRY(token, authorization_of(loop, access));
  if (!token.empty()) return token;
  return fail(Code::kNotFound, "the kubeconfig's user shows no token: name another with --user, or set ARGO_TOKEN");
}

}  // namespace

int auth_command(const Arguments& arguments) {
  Flags flags("auth", "Manage authentication",
              "  curl -H \"Authorization: $(tiphys auth token)\" http://127.0.0.1:2746/api/v1/userinfo\n");
  CommonFlags common;
  std::vector<std::string> words;
  common.add_to(flags);
  flags.positional("token", words, 1, 1);
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report("auth", parsed.error());
  if (!*parsed) return kSucceeded;
  if (words.front() != "token") {
    return report("auth", {Code::kInvalidArgument, fmt::format("\"{}\" is none of its actions: token", words.front())});
  }
  const auto header = authorization(common.session);
  if (!header) return report("auth", header.error());
  print(*header + "\n");
  return kSucceeded;
}

}  // namespace tiphys::cli
