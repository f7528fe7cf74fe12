// tiphys up: the plane as a server.
#include <fmt/format.h>

#include <csignal>

#include "cli/commands/common.h"
#include "cli/hand_over.h"
#include "cli/terminal.h"
#include "server/version.h"
#include "store/data_dir.h"

namespace tiphys::cli {
namespace {

constexpr std::int64_t kDefaultPort = 2746;

Status serve(const CommonFlags& common, std::int64_t port) {
  if (port < 0 || port > 65535) return fail(Code::kInvalidArgument, fmt::format("--port: {} is no port", port));
  TIPHYS_TRY(const std::string data_dir, store::DataDir::locate(common.session.data_dir));
  PlaneOptions options;
  options.data_dir = data_dir;
  options.command = "tiphys up";
  options.runtime = common.session.runtime;
  options.engine = common.session.engine;
  options.offline = common.session.offline;
  options.host_paths = common.session.host_paths;
  TIPHYS_TRY(options.config, common.session.config.read());
  options.port = static_cast<unsigned short>(port);
  Loop loop;
  bool leave = false;
  loop.on_signals({SIGINT, SIGTERM}, [&](int) { leave = true; });
  TIPHYS_TRY(auto plane, take_or_find_plane(loop, options));
  if (!plane) {
    TIPHYS_TRY(plane, EmbeddedPlane::open(loop.context(), options));  // its error names the process that holds it
  }
  print(
      fmt::format("tiphys {0} is up, with its data in {1}\n"
                  "  Kubernetes API  https://127.0.0.1:{2} (http too; on this machine alone)\n"
                  "  kubectl         export KUBECONFIG={1}/kubeconfig\n"
                  "  Python          kubernetes.config.load_kube_config(\"{1}/kubeconfig\")\n"
                  "  this program    tiphys submit FILE, tiphys list, ... as ever; Ctrl-C ends it\n",
                  server::version(), data_dir, plane->port()));
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
  flags.number("--port", port, "PORT", "The port on 127.0.0.1 (default 2746); 0 takes a free one");
  add_plane_flags(flags, common.session);
  flags.text("--data-dir", common.session.data_dir, "DIR",
             "The plane's directory (default: $TIPHYS_DATA_DIR, else ~/.local/share/tiphys)");
  std::vector<std::string> none;
  flags.positional("", none, 0, 0);
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report("up", parsed.error());
  if (!*parsed) return kSucceeded;
  const Status served = serve(common, port.value_or(kDefaultPort));
  return served ? kSucceeded : report("up", served.error());
}

}  // namespace tiphys::cli
