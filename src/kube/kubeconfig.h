// Where a cluster is and who asks, from kubeconfig files, as kubectl reads them (k8s.io/client-go/tools/clientcmd).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace tiphys::kube {

/// A program that tells credentials: client.authentication.k8s.io.
struct ExecPlugin {
  std::string api_version;
  std::string command;
  std::vector<std::string> arguments;
  std::vector<std::pair<std::string, std::string>> environment;
  std::string install_hint;
  bool provide_cluster_info = false;
  std::string cluster_config;  ///< JSON: what the cluster's entry has for exec plugins; "" for none
};

/// Certificates and keys are PEM, read from their files.
struct User {
  std::string token;
  std::string token_file;  ///< read again as it changes
  std::string certificate, key;
  std::string username, password;
  std::optional<ExecPlugin> exec;
};

/// Whom a user acts as: the headers Impersonate-User, -Group and -Uid.
struct ActsAs {
  std::string name, uid;
  std::vector<std::string> groups;
};

struct Access {
  std::string server = "http://localhost:8080";  ///< a URL
  std::string ca;                                ///< PEM; "": what the system trusts
  bool insecure = false;                         ///< any certificate is taken
  std::string tls_server_name;                   ///< whom the certificate is to name; "": the host of `server`
  std::string proxy_url;
  User user;
  ActsAs acts_as;
  std::chrono::seconds request_timeout{0};  ///< of one request, without a byte of its answer; 0: the client's own
  std::string ns = "default";
  std::string context;  ///< the context's name, "" within a cluster
};

/// What the command line says.
struct KubeconfigChoice {
  std::string file;     ///< --kubeconfig; "": $KUBECONFIG, else ~/.kube/config
  std::string context;  ///< "": the current one
  /// In place of what the context names; "": that.
  std::string cluster{}, user{};
};

/// The variables of the environment and the files of a pod that matter here.
struct Surroundings {
  std::string kubeconfig;  ///< KUBECONFIG: files, separated by colons
  std::string home;
  std::string service_host, service_port;  ///< KUBERNETES_SERVICE_HOST and _PORT: set within a cluster
  std::string account = "/var/run/secrets/kubernetes.io/serviceaccount";

  static Surroundings of_environment();
};

/// Files are merged: of entries with the same name the first counts, and files of $KUBECONFIG that do not exist are
/// left out. Without any entry it is the configuration within a cluster, where there is one. Errors name file, line and
/// field.
Result<Access> find_access(const KubeconfigChoice& choice, const Surroundings& surroundings);

}  // namespace tiphys::kube
