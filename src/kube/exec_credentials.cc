#include "kube/exec_credentials.h"

#include <fmt/format.h>

#include <optional>
#include <stop_token>

#include "base/encoding.h"
#include "base/host_program.h"
#include "base/workers.h"
#include "doc/yaml.h"

namespace tiphys::kube {
namespace {

HostProgram program_of(const ExecPlugin& plugin, const Access& access) {
  HostProgram program{.arguments = {plugin.command}, .own_errors = true};
  program.arguments.insert(program.arguments.end(), plugin.arguments.begin(), plugin.arguments.end());
  program.environment = plugin.environment;
  program.environment.emplace_back("KUBERNETES_EXEC_INFO", exec_info(plugin, access));
  for (const auto& [name, value] : program.environment) program.without.push_back(name + "=");
  return program;
}

class ExecCredentials final : public Credentials {
 public:
  ExecCredentials(Executor& executor, const Access& access, Identity base)
      : executor_(executor),
        plugin_(*access.user.exec),
        program_(program_of(plugin_, access)),
        base_(std::move(base)) {}
  /// Nobody waits for a plugin that does not end.
  ~ExecCredentials() override { stop_.request_stop(); }

  void obtain(Done done) override {
    const bool fresh = known_ && (known_->expires == Time{} || executor_.now() <= known_->expires);
    if (fresh) return done(known_->identity);
    waiting_.push_back(std::move(done));
    if (waiting_.size() > 1) return;
    workers_.run([program = program_, stop = stop_.get_token()] { return run_program(program, stop); },
                 [this](Result<std::string> printed) { take(std::move(printed)); });
  }

  bool refused(const Identity& identity) override {
    if (known_ && known_->identity == identity) known_.reset();
    return true;
  }

 private:
  void take(Result<std::string> printed) {
    Result<ExecCredential> credential =
        printed ? read_exec_credential(*printed, plugin_) : std::unexpected(std::move(printed).error());
    Result<Identity> identity;
    if (credential) {
      if (credential->identity.certificate.empty()) {
        credential->identity.certificate = base_.certificate;
        credential->identity.key = base_.key;
      }
      identity = credential->identity;
      known_ = std::move(*credential);
    } else {
      std::string message = fmt::format("the exec plugin {}: {}", plugin_.command, credential.error().message);
      const bool missing = credential.error().code == Code::kFailedPrecondition;
      if (missing && !plugin_.install_hint.empty()) message += "\n" + plugin_.install_hint;
      identity = fail(Code::kUnauthenticated, std::move(message));
    }
    for (Done& done : std::exchange(waiting_, {})) done(identity);
  }

  Executor& executor_;
  ExecPlugin plugin_;
  HostProgram program_;
  Identity base_;
  std::optional<ExecCredential> known_;
  std::vector<Done> waiting_;
  std::stop_source stop_;
  Workers workers_{executor_, 1};
};

}  // namespace

std::string exec_info(const ExecPlugin& plugin, const Access& access) {
  doc::Object spec;
  if (plugin.provide_cluster_info) {
    doc::Object& cluster = spec["cluster"].emplace_object();
    cluster["server"] = access.server;
    if (!access.tls_server_name.empty()) cluster["tls-server-name"] = access.tls_server_name;
    if (access.insecure) cluster["insecure-skip-tls-verify"] = true;
    if (!access.ca.empty()) cluster["certificate-authority-data"] = encode_base64(access.ca);
    if (!access.proxy_url.empty()) cluster["proxy-url"] = access.proxy_url;
    if (Result<doc::Value> config = doc::parse_json(plugin.cluster_config); config) cluster["config"] = *config;
  }
  spec["interactive"] = false;
  return doc::to_json(
      doc::Object{{"kind", "ExecCredential"}, {"apiVersion", plugin.api_version}, {"spec", std::move(spec)}});
}

Result<ExecCredential> read_exec_credential(std::string_view text, const ExecPlugin& plugin) {
  TIPHYS_TRY(const std::vector<doc::Document> documents, doc::parse_yaml(text, "its output"));
  if (documents.empty()) return fail(Code::kInvalidArgument, "it has printed nothing");
  const doc::Value& root = documents.front().root;
  const std::string_view version = doc::find_string(root, "apiVersion");
  if (doc::find_string(root, "kind") != "ExecCredential" || version != plugin.api_version) {
    return fail(Code::kInvalidArgument, fmt::format("it is configured for {} ExecCredential and has printed {} {}",
                                                    plugin.api_version, version, doc::find_string(root, "kind")));
  }
  if (!doc::find(root, "status")) return fail(Code::kInvalidArgument, "what it has printed has no status");
  ExecCredential credential;
  const std::string_view token = doc::find_string(root, "status", "token");
  credential.identity.certificate = doc::find_string(root, "status", "clientCertificateData");
  credential.identity.key = doc::find_string(root, "status", "clientKeyData");
  if (token.empty() && credential.identity.certificate.empty() && credential.identity.key.empty()) {
    return fail(Code::kInvalidArgument, "it has printed no token and no certificate");
  }
  if (credential.identity.certificate.empty() != credential.identity.key.empty()) {
    return fail(Code::kInvalidArgument, "it has printed only one of certificate and key");
  }
  if (!token.empty()) credential.identity.authorization = fmt::format("Bearer {}", token);
  if (const std::string_view expires = doc::find_string(root, "status", "expirationTimestamp"); !expires.empty()) {
    TIPHYS_TRY(credential.expires, parse_rfc3339(expires));
  }
  return credential;
}

std::unique_ptr<Credentials> make_exec_credentials(Executor& executor, const Access& access, Identity base) {
  return std::make_unique<ExecCredentials>(executor, access, std::move(base));
}

}  // namespace tiphys::kube
