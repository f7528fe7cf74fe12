// The embedded plane of one data directory, composed in this process: store, supervisor, node agent, controllers, and
// the socket on which other processes of the same user reach it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/controller_config.h"
#include "argo/artifact_files.h"
#include "argo/call.h"
#include "base/executor.h"
#include "cluster/cluster.h"
#include "server/auth_mode.h"
#include "server/server_account.h"

namespace boost::asio {
class io_context;
}

namespace tiphys::cli {

struct PlaneOptions {
  std::string data_dir;
  std::string command;  ///< how to call this process to a person who wants the directory: "tiphys up"
  /// "process", "container" or "" (container when an engine answers; pods fail with the three ways to go on when none
  /// does).
  std::string runtime;
  /// The engine's socket; "" discovers it (DOCKER_HOST, CONTAINER_HOST, the usual places).
  std::string engine;
  bool offline = false;  ///< never pull an image
  /// Only read: no supervisor, agent or controllers; what runs stays as it is.
  bool read_only = false;
  /// Listen on this port too, beside the unix socket in the data directory; 0 takes a free one.
  std::optional<unsigned short> port;
  /// Of the port: another than a loopback address needs a certificate.
  std::string address = "127.0.0.1";
  /// Files of PEM; "": the plane makes its own, which holds for this machine alone.
  std::string tls_certificate, tls_key;
  bool secure = true;              ///< TLS is spoken on the port, beside plain text where nobody else can listen
  std::string audit_path;          ///< a file that tells of all requests; "" for none
  server::AuthModes auth_modes{};  ///< of the port
  std::string server_namespace = "default";  ///< of what single sign-on needs: Secrets, accounts with rules
  /// Whose rights callers have without any of their own; nullopt: the owner's.
  std::optional<server::ServerAccount::Name> server_account{};
  bool delegates_rules = false;  ///< accounts of other namespaces may have rules of single sign-on for requests there
  std::uint64_t rate_limit = 0;  ///< of Argo's API: requests of an address in a second; 0: any number
  std::string ui_dir;            ///< the built files of a web UI of Argo's server; "" for none
  std::string base_path = "/";   ///< at which a proxy shows this server to browsers (server/base_path.h)
  /// Folders of this host that steps of the process runtime see read-only beside the system's own (a virtual
  /// environment).
  std::vector<std::string> host_paths;
  /// Folders of this host whose programs steps of the process runtime find first.
  std::vector<std::string> program_paths;
  std::string warm_python;  ///< of steps that do not say it themselves: see cluster::kWarmPythonAnnotation
  api::ControllerConfig config{};
};

class EmbeddedPlane {
 public:
  /// Takes the data directory for this process. kFailedPrecondition when another one holds it: the message names it.
  static Result<std::unique_ptr<EmbeddedPlane>> open(boost::asio::io_context& context, PlaneOptions options);
  virtual ~EmbeddedPlane() = default;

  virtual Executor& executor() = 0;
  virtual cluster::Cluster& cluster() = 0;
  /// Argo's API over the plane, of which its owner may use all.
  virtual argo::Services& services() = 0;
  /// The same for artifacts.
  virtual argo::ArtifactFiles& artifacts() = 0;
  /// Where an artifact of this key lies on this host.
  virtual std::string artifact_path(std::string_view key) = 0;
  /// The loopback port that is listened on; 0 when there is none.
  virtual unsigned short port() const = 0;
};

}  // namespace tiphys::cli
