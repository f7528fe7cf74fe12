#include "kube/kubeconfig.h"

#include <fmt/format.h>

#include <cstdlib>

#include "base/file.h"
#include "base/log.h"
#include "base/strings.h"
#include "kube/kubeconfig_file.h"

namespace tiphys::kube {
namespace {

using Files = std::vector<KubeconfigFile>;

/// What an entry of `clusters`, `users` or `contexts` holds under its kind, and that it is there.
struct Named {
  Entry entry;
  std::optional<Entry> content;
};

/// The first entry of this name; an error for a name that one file has twice.
Result<std::optional<Named>> find_named(const Files& files, std::string_view list, std::string_view kind,
                                        std::string_view name) {
  for (const KubeconfigFile& file : files) {
    std::optional<Named> found;
    TIPHYS_TRY(const std::vector<Entry> entries, file.root().entries(list));
    for (const Entry& entry : entries) {
      TIPHYS_TRY(const std::string own_name, entry.text("name"));
      if (own_name != name) continue;
      if (found) return entry.refuse("name", fmt::format("there is another {} \"{}\" in this file", kind, name));
      TIPHYS_TRY(std::optional<Entry> content, entry.entry(kind));
      found = Named{entry, std::move(content)};
    }
    if (found) return found;
  }
  return std::nullopt;
}

std::string names_of(const Files& files) {
  std::vector<std::string> names;
  for (const KubeconfigFile& file : files) names.push_back(file.path);
  return join(names, ", ");
}

/// What is configured for exec plugins in a cluster's entry.
Result<std::string> exec_config_of(const Entry& cluster) {
  TIPHYS_TRY(const std::vector<Entry> extensions, cluster.entries("extensions"));
  for (const Entry& each : extensions) {
    TIPHYS_TRY(const std::string name, each.text("name"));
    const doc::Value* config = doc::find(each.value(), "extension");
    if (name == "client.authentication.k8s.io/exec" && config) return doc::to_json(*config);
  }
  return std::string();
}

Status read_cluster(const Entry& cluster, Access& access) {
  TIPHYS_TRY(access.server, cluster.text("server"));
  if (access.server.empty()) return cluster.refuse("", "it has no \"server\"");
  TIPHYS_TRY(access.insecure, cluster.flag("insecure-skip-tls-verify"));
  TIPHYS_TRY(access.ca, cluster.data("certificate-authority-data", "certificate-authority"));
  if (access.insecure && !access.ca.empty()) {
    return cluster.refuse("insecure-skip-tls-verify", "a certificate authority is given, too: only one of both counts");
  }
  TIPHYS_TRY(access.tls_server_name, cluster.text("tls-server-name"));
  TIPHYS_TRY(access.proxy_url, cluster.text("proxy-url"));
  return {};
}

Result<ExecPlugin> read_exec(const Entry& exec) {
  ExecPlugin plugin;
  TIPHYS_TRY(plugin.api_version, exec.text("apiVersion"));
  if (plugin.api_version != "client.authentication.k8s.io/v1" &&
      plugin.api_version != "client.authentication.k8s.io/v1beta1") {
    return exec.refuse("apiVersion",
                       "it must be client.authentication.k8s.io/v1 or client.authentication.k8s.io/v1beta1");
  }
  TIPHYS_TRY(plugin.command, exec.text("command"));
  if (plugin.command.empty()) return exec.refuse("command", "it is needed: the program that tells credentials");
  // As client-go: with a slash it is a path from the file's folder, else it is looked up in PATH.
  if (plugin.command.find('/') != std::string::npos) {
    TIPHYS_TRY(plugin.command, exec.path("command"));
  }
  TIPHYS_TRY(plugin.arguments, exec.texts("args"));
  TIPHYS_TRY(const std::vector<Entry> variables, exec.entries("env"));
  for (const Entry& variable : variables) {
    TIPHYS_TRY(std::string name, variable.text("name"));
    TIPHYS_TRY(std::string value, variable.text("value"));
    if (name.empty()) return variable.refuse("name", "it is needed");
    plugin.environment.emplace_back(std::move(name), std::move(value));
  }
  TIPHYS_TRY(plugin.install_hint, exec.text("installHint"));
  TIPHYS_TRY(plugin.provide_cluster_info, exec.flag("provideClusterInfo"));
  TIPHYS_TRY(const std::string mode, exec.text("interactiveMode"));
  if (mode == "Always") return exec.refuse("interactiveMode", "nobody is there to talk to a plugin that always asks");
  if (mode.empty() && plugin.api_version.ends_with("/v1")) {
    return exec.refuse("interactiveMode", "it must be Never, IfAvailable or Always");
  }
  if (!mode.empty() && mode != "Never" && mode != "IfAvailable") {
    return exec.refuse("interactiveMode", fmt::format("it must be Never, IfAvailable or Always, not {}", mode));
  }
  return plugin;
}

Result<User> read_user(const Entry& entry) {
  User user;
  if (entry.has("auth-provider")) {
    return entry.refuse("auth-provider",
                        "kubectl has no such providers any more; use the exec plugin of your cluster's provider");
  }
  for (const std::string_view field : {"as", "as-uid", "as-groups", "as-user-extra"}) {
    if (entry.has(field)) return entry.refuse(field, "acting as somebody else is not supported");
  }
  TIPHYS_TRY(user.token, entry.text("token"));
  TIPHYS_TRY(user.token_file, entry.path("tokenFile"));
  TIPHYS_TRY(user.certificate, entry.data("client-certificate-data", "client-certificate"));
  TIPHYS_TRY(user.key, entry.data("client-key-data", "client-key"));
  if (!user.certificate.empty() && user.key.empty()) {
    return entry.refuse("", "a client certificate needs its key: client-key or client-key-data");
  }
  TIPHYS_TRY(user.username, entry.text("username"));
  TIPHYS_TRY(user.password, entry.text("password"));
  const bool basic = !user.username.empty() || !user.password.empty();
  if (basic && !user.token.empty())
    return entry.refuse("token", "there is a username, too: only one of both is allowed");
  TIPHYS_TRY(const std::optional<Entry> exec, entry.entry("exec"));
  if (exec) {
    TIPHYS_TRY(user.exec, read_exec(*exec));
  }
  return user;
}

Result<std::string> current_context(const Files& files) {
  for (const KubeconfigFile& file : files) {
    TIPHYS_TRY(std::string name, file.root().text("current-context"));
    if (!name.empty()) return name;
  }
  return std::string();
}

/// The entry that a context names, or `wanted` in its place.
Result<Named> find_part(const Files& files, const Entry& context, std::string_view list, std::string_view kind,
                        const std::string& wanted) {
  TIPHYS_TRY(std::string name, context.text(kind));
  if (!wanted.empty()) name = wanted;
  if (name.empty()) return context.refuse(kind, "it is needed");
  TIPHYS_TRY(std::optional<Named> found, find_named(files, list, kind, name));
  if (!found) return context.refuse(kind, fmt::format("there is no {} \"{}\"", kind, name));
  return std::move(*found);
}

Result<Access> access_of(const Files& files, const KubeconfigChoice& choice) {
  Access access;
  TIPHYS_TRY(access.context, current_context(files));
  if (!choice.context.empty()) access.context = choice.context;
  if (access.context.empty()) {
    return fail(Code::kInvalidArgument,
                fmt::format("{}: current-context is not set: name a context with --context", names_of(files)));
  }
  TIPHYS_TRY(const std::optional<Named> named, find_named(files, "contexts", "context", access.context));
  if (!named) {
    return fail(Code::kInvalidArgument, fmt::format("{}: there is no context \"{}\"", names_of(files), access.context));
  }
  if (!named->content) return named->entry.refuse("context", "it is needed");
  const Entry& context = *named->content;
  TIPHYS_TRY(const Named cluster, find_part(files, context, "clusters", "cluster", choice.cluster));
  if (!cluster.content) return cluster.entry.refuse("cluster", "it is needed");
  TIPHYS_CHECK_OK(read_cluster(*cluster.content, access));
  TIPHYS_TRY(const Named user, find_part(files, context, "users", "user", choice.user));
  if (user.content) {
    TIPHYS_TRY(access.user, read_user(*user.content));
  }
  if (access.user.exec) {
    TIPHYS_TRY(access.user.exec->cluster_config, exec_config_of(*cluster.content));
  }
  TIPHYS_TRY(const std::string ns, context.text("namespace"));
  if (!ns.empty()) access.ns = ns;
  return access;
}

Result<Files> read_files(const KubeconfigChoice& choice, const Surroundings& surroundings) {
  Files files;
  if (!choice.file.empty()) {
    TIPHYS_TRY(KubeconfigFile file, KubeconfigFile::read(choice.file));
    files.push_back(std::move(file));
    return files;
  }
  std::string paths = surroundings.kubeconfig;
  if (paths.empty() && !surroundings.home.empty()) paths = surroundings.home + "/.kube/config";
  for (const std::string_view path : split(paths, ':')) {
    if (path.empty()) continue;
    Result<KubeconfigFile> file = KubeconfigFile::read(std::string(path));
    if (!file && file.error().code == Code::kNotFound) continue;
    if (!file) return std::unexpected(std::move(file).error());
    files.push_back(std::move(*file));
  }
  return files;
}

bool says_anything(const KubeconfigFile& file) {
  const Entry root = file.root();
  return root.has("clusters") || root.has("contexts") || root.has("users") || root.has("current-context");
}

Result<Access> access_within_cluster(const Surroundings& surroundings) {
  Access access;
  const bool ipv6 = surroundings.service_host.find(':') != std::string::npos;
  access.server = fmt::format(fmt::runtime(ipv6 ? "https://[{}]:{}" : "https://{}:{}"), surroundings.service_host,
                              surroundings.service_port);
  access.user.token_file = surroundings.account + "/token";
  const Result<std::string> token = read_whole_file(access.user.token_file);
  if (!token) return std::unexpected(token.error().in("the service account's token"));
  Result<std::string> ca = read_whole_file(surroundings.account + "/ca.crt");
  if (!ca) log::warn("the certificate authority of the cluster cannot be read: {}", ca.error().message);
  access.ca = std::move(ca).value_or("");
  const Result<std::string> ns = read_whole_file(surroundings.account + "/namespace");
  if (ns && !trim(*ns).empty()) access.ns = trim(*ns);
  return access;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

Surroundings Surroundings::of_environment() {
  return {.kubeconfig = variable("KUBECONFIG"),
          .home = variable("HOME"),
          .service_host = variable("KUBERNETES_SERVICE_HOST"),
          .service_port = variable("KUBERNETES_SERVICE_PORT")};
}

Result<Access> find_access(const KubeconfigChoice& choice, const Surroundings& surroundings) {
  TIPHYS_TRY(Files files, read_files(choice, surroundings));
  std::erase_if(files, [](const KubeconfigFile& file) { return !says_anything(file); });
  if (!files.empty()) return access_of(files, choice);
  if (!choice.file.empty()) {
    return fail(Code::kInvalidArgument, fmt::format("{} has no clusters, users and contexts", choice.file));
  }
  if (!surroundings.service_host.empty() && !surroundings.service_port.empty()) {
    return access_within_cluster(surroundings);
  }
  return fail(Code::kFailedPrecondition,
              "no cluster is configured: name a file with --kubeconfig or KUBECONFIG, or have ~/.kube/config");
}

}  // namespace tiphys::kube
