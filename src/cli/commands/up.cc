// tiphys up: the plane as a server.
#include <fmt/format.h>

#include <boost/asio/ip/address.hpp>
#include <csignal>
#include <cstdlib>

#include "base/spare_memory.h"
#include "cli/commands/common.h"
#include "cli/hand_over.h"
#include "cli/terminal.h"
#include "server/base_path.h"
#include "server/version.h"
#include "store/data_dir.h"

namespace tiphys::cli {
namespace {

constexpr std::int64_t kDefaultPort = 2746;
constexpr std::string_view kLoopback = "127.0.0.1";

/// Where it listens, and with what.
struct Listening {
  std::int64_t port = kDefaultPort;
  std::string address = std::string(kLoopback), certificate, key, audit_path, ui_dir, base_href;
  std::optional<std::int64_t> rate_limit;
  std::vector<std::string> auth_modes;
  std::string server_namespace = "default", server_account;
  bool secure = true;
  bool no_port = false;    ///< the data directory's socket alone
  bool until_eof = false;  ///< ends with standard input, too
};

Status check(const Listening& listening) {
  const auto& [port, address, certificate, key, audit_path, ui_dir, base_href, rate_limit, auth_modes, server_namespace,
               server_account, secure, no_port, until_eof] = listening;
  if (port < 0 || port > 65535) return fail(Code::kInvalidArgument, fmt::format("--port: {} is no port", port));
  if (rate_limit.value_or(0) < 0)
    return fail(Code::kInvalidArgument, "--api-rate-limit: a number of requests, or 0 for any");
  if (certificate.empty() != key.empty()) {
    return fail(Code::kInvalidArgument, "--tls-certificate and --tls-key belong together");
  }
  if (!secure && !certificate.empty()) {
    return fail(Code::kInvalidArgument, "--tls-certificate is of no use with --secure=false: leave one out");
  }
  if (no_port && !ui_dir.empty()) {
    return fail(Code::kInvalidArgument, "--ui-dir needs a port: leave --no-port out");
  }
  boost::system::error_code wrong;  // the server says what
  const auto read = boost::asio::ip::make_address(address, wrong);
  if (!wrong && !read.is_loopback() && certificate.empty()) {
    return fail(Code::kInvalidArgument,
                fmt::format("--address: {} can be reached from other machines: give --tls-certificate and --tls-key, "
                            "made for the name under which they know this one",
                            address));
  }
  return {};
}

/// "NAME", in the server's own namespace, or "NAMESPACE/NAME".
Result<server::ServerAccount::Name> read_account(const Listening& listening) {
  const std::string& text = listening.server_account;
  const auto slash = text.find('/');
  const bool bare = slash == std::string::npos;
  server::ServerAccount::Name name{.ns = bare ? listening.server_namespace : text.substr(0, slash),
                                   .name = bare ? text : text.substr(slash + 1)};
  if (!name.ns.empty() && !name.name.empty() && !name.name.contains('/')) return name;
  return fail(Code::kInvalidArgument, fmt::format("--server-account: \"{}\" is no [NAMESPACE/]NAME", text));
}

/// Who clients of Argo's API are.
Status read_callers(const Listening& listening, PlaneOptions& options) {
  auto modes = server::AuthModes::parse(listening.auth_modes);
  if (!modes) return std::unexpected(modes.error().in("--auth-mode"));
  options.auth_modes = *modes;
  options.server_namespace = listening.server_namespace;
  const char* delegates = std::getenv("SSO_DELEGATE_RBAC_TO_NAMESPACE");
  options.delegates_rules = delegates && std::string_view(delegates) == "true";
  if (listening.server_account.empty()) return {};
  if (!modes->server && !modes->sso) {
    return fail(Code::kInvalidArgument, "--server-account is of use with --auth-mode server or sso alone");
  }
  TIPHYS_TRY(options.server_account, read_account(listening));
  return {};
}

std::string_view reach(const Listening& listening) {
  if (listening.address != kLoopback) return "from other machines too";
  return listening.secure ? "http too; on this machine alone" : "on this machine alone";
}

std::string where_ui_is(const Listening& listening, unsigned short port) {
  if (listening.ui_dir.empty()) return "";
  // A certificate of the plane's own is none that browsers know.
  return fmt::format("  web UI          {}://{}:{}, with what `tiphys auth token` prints\n",
                     listening.certificate.empty() ? "http" : "https", listening.address, port);
}

/// What there differs from a cluster, where each pod has a network of its own.
std::string_view network_of_steps(const PlaneOptions& options) {
  if (options.runtime != "process") return "";
  return "  steps           commands of this machine, with its network: 127.0.0.1 and its ports are those of all\n";
}

/// What to do with it.
std::string welcome(const Listening& listening, const PlaneOptions& options, const std::string& data_dir,
                    unsigned short port) {
  return fmt::format(
      "tiphys {0} is up, with its data in {1}\n"
      "  {5}://{3}:{2} ({4})\n"
      "  kubectl         eval \"$(tiphys env)\", or export KUBECONFIG={1}/kubeconfig\n"
      "  Python          kubernetes.config.load_kube_config(\"{1}/kubeconfig\")\n"
      "{6}{7}"
      "  this program    tiphys submit FILE, tiphys list, ... as ever; Ctrl-C ends it\n",
      server::version(), data_dir, port, listening.address, reach(listening),
      listening.secure ? "Kubernetes API  https" : "Argo's API      http", where_ui_is(listening, port),
      network_of_steps(options));
}

Status serve(const CommonFlags& common, const Listening& listening) {
  TIPHYS_CHECK_OK(check(listening));
  TIPHYS_CHECK_OK(check_plane_flags(common.session));
  return_large_memory();
  TIPHYS_TRY(const std::string data_dir, store::DataDir::locate(common.session.data_dir));
  PlaneOptions options;
  options.data_dir = data_dir;
  options.command = "tiphys up";
  options.runtime = common.session.runtime;
  options.engine = common.session.engine;
  options.offline = common.session.offline;
  options.host_paths = common.session.host_paths;
  TIPHYS_TRY(options.config, common.session.config.read());
  options.program_paths = common.session.program_paths;
  options.warm_python = common.session.warm_python;
  if (!listening.no_port) options.port = static_cast<unsigned short>(listening.port);
  options.address = listening.address;
  options.tls_certificate = listening.certificate;
  options.tls_key = listening.key;
  options.audit_path = listening.audit_path;
  options.ui_dir = listening.ui_dir;
  TIPHYS_TRY(options.base_path, server::base_path(listening.base_href));
  options.secure = listening.secure;
  TIPHYS_CHECK_OK(read_callers(listening, options));
  options.rate_limit = static_cast<std::uint64_t>(listening.rate_limit.value_or(0));
  Loop loop;
  bool leave = false;
  loop.on_signals({SIGINT, SIGTERM}, [&](int) { leave = true; });
  if (listening.until_eof) loop.on_input_end([&] { leave = true; });
  TIPHYS_TRY(auto plane, take_or_find_plane(loop, options));
  if (!plane) {
    TIPHYS_TRY(plane, EmbeddedPlane::open(loop.context(), options));  // its error names the process that holds it
  }
  print(listening.no_port ? fmt::format("tiphys {} is up, with its data in {}\n{}", server::version(), data_dir,
                                        network_of_steps(options))
                          : welcome(listening, options, data_dir, plane->port()));
  loop.run_until([&] { return leave; });
  print("tiphys is down. Steps that run go on; the next `tiphys up` adopts them.\n");
  return {};
}

}  // namespace

int up_command(const Arguments& arguments) {
  Flags flags("up", "Run the plane as a server on this machine, until Ctrl-C",
              "  tiphys up\n  tiphys up --port 2747 --runtime process\n");
  CommonFlags common;
  std::optional<std::int64_t> port;
  flags.number("-p,--port", port, "PORT", "The port to listen on (default 2746); 0 takes a free one");
  Listening listening;
  flags.text("--address", listening.address, "ADDRESS",
             "The address to listen on (default 127.0.0.1); one that other machines reach, such as 0.0.0.0, needs TLS");
  flags.text("--tls-certificate", listening.certificate, "FILE",
             "The certificates to show, as PEM (default: one of the plane's own, for this machine)");
  flags.text("--tls-key", listening.key, "FILE", "The private key of --tls-certificate, as PEM");
  flags.flag("-e,--secure", listening.secure,
             "Speak TLS on the port, beside plain text on this machine (the default); --secure=false: plain text "
             "alone, but for "
             "Kubernetes' clients, which get a port of their own");
  flags.flag("--no-port", listening.no_port,
             "Listen on no port: the other commands of this user reach it all the same");
  flags.flag("--until-eof", listening.until_eof, "End with standard input, for programs that start it");
  flags.text("--ui-dir", listening.ui_dir, "DIR",
             "Show browsers this web UI of Argo's server, built (the folder with index.html)");
  flags.text("--base-href", listening.base_href, "PATH",
             "The path at which a proxy shows the web UI and the pages to sign in (default: $ARGO_BASE_HREF, else /)");
  flags.text(
      "--audit-log", listening.audit_path, "FILE",
      "Tell of each request who asked for what, as lines of JSON (audit.k8s.io/v1); at 100 MiB FILE becomes FILE.1");
  flags.number("--api-rate-limit", listening.rate_limit, "N",
               "Requests of Argo's API that an address may make in a second (default 0: any number)");
  flags.list("--auth-mode", listening.auth_modes, "MODE",
             "How clients of Argo's API show who they are: client (by a token, the default), server (not at all), sso "
             "(by signing in at the provider that --config names); may be given several times");
  flags.text(
      "--server-account", listening.server_account, "[NAMESPACE/]NAME",
      "The service account whose rights they have in the mode server, and in sso where no rules say it (default: "
      "the owner of the plane, where no other machine can reach the port)");
  flags.text("-n,--namespace", listening.server_namespace, "NAMESPACE",
             "Where the Secrets of sso are, and the service accounts with its rules (default: default)");
  add_plane_flags(flags, common.session);
  flags.text("--data-dir", common.session.data_dir, "DIR",
             "The plane's directory (default: $TIPHYS_DATA_DIR, else ~/.local/share/tiphys)");
  std::vector<std::string> none;
  flags.positional("", none, 0, 0);
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report("up", parsed.error());
  if (!*parsed) return kSucceeded;
  if (listening.no_port && port)
    return report("up", {Code::kInvalidArgument, "--port and --no-port exclude each other"});
  listening.port = port.value_or(kDefaultPort);
  const char* base_href = std::getenv("ARGO_BASE_HREF");
  if (listening.base_href.empty() && base_href) listening.base_href = base_href;
  const Status served = serve(common, listening);
  return served ? kSucceeded : report("up", served.error());
}

}  // namespace tiphys::cli
