// Where the plane is that a command works on, by flags and environment: this program's and those of argo.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kube/kubeconfig.h"
#include "server/argo_client.h"

namespace tiphys::cli {

class Flags;
class Loop;

enum class PlaceKind {
  kDirectory,     ///< a data directory of this host, whoever runs its plane
  kTiphysServer,  ///< a plane of this program on another host: Kubernetes' API with all that is beside it
  kArgoServer,    ///< a server of Argo's API
  kKubernetes,    ///< a cluster, by a kubeconfig
};

struct Place {
  std::string data_dir;     ///< --data-dir; "" takes the usual place
  std::string server;       ///< --server HOST:PORT; "" takes TIPHYS_SERVER; https://... is a Kubernetes cluster's API
  std::string argo_server;  ///< --argo-server HOST:PORT; "" takes ARGO_SERVER
  std::string token;        ///< --token
  /// Only a plane of this program will do: what names another is an error as a flag, and nothing as a variable.
  bool ours = false;

  bool secure = true;  ///< argo's servers: TLS; ARGO_SECURE
  bool insecure_skip_verify = false;
  bool http1 = false;  ///< REST, in place of gRPC; ARGO_HTTP1
  std::string base_href;
  std::vector<std::string> headers;  ///< "NAME: VALUE"

  kube::KubeconfigChoice kubeconfig;
  std::string cluster, user;  ///< of the kubeconfig, in place of its context's
  std::string certificate_authority, client_certificate, client_key, tls_server_name, proxy_url, username, password;
  std::string as, as_uid, request_timeout;
  std::vector<std::string> as_groups;
  bool insecure_skip_tls_verify = false, disable_compression = false;

  Place();  ///< what the environment says of those that are no texts

  void add_to(Flags& flags);
  /// kInvalidArgument: flags that name a place that will not do.
  Result<PlaceKind> kind() const;
  /// `flag`, else ARGO_NAMESPACE, else the kubeconfig's where the place is none of this program's, else "default".
  std::string choose_namespace(const std::string& flag) const;
  /// The token that flag or environment give, without "Bearer "; "" when they give none.
  std::string given_token() const;
};

/// The flags of add_to and -n that have a value: they may stand before the command.
std::span<const std::string_view> place_flags_with_value();

/// Of kKubernetes.
Result<kube::Access> kubernetes_access(const Place& place);
/// What a client of this cluster shows as its header Authorization; "" for certificates.
Result<std::string> authorization_of(Loop& loop, const kube::Access& access);
/// Of kTiphysServer.
Result<http::Endpoint> tiphys_endpoint(const Place& place);
/// Of kArgoServer. Without a token it is the kubeconfig's, where there is one; runs its plugin for that.
Result<server::ArgoServer> argo_server(Loop& loop, const Place& place);

/// A variable of the environment, or "".
std::string environment(const char* name);

}  // namespace tiphys::cli
