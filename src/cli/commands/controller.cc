// tiphys controller: runs the workflows of a Kubernetes cluster.
#include <fmt/format.h>

#include <csignal>

#include "base/random.h"
#include "cli/commands/common.h"
#include "cli/config_file.h"
#include "cli/loop.h"
#include "cli/plane_telemetry.h"
#include "cli/terminal.h"
#include "controllers/controller_metrics.h"
#include "controllers/cron_workflow_controller.h"
#include "controllers/expiry_controller.h"
#include "controllers/workflow_controller.h"
#include "expr/go_time.h"
#include "kube/cluster.h"
#include "server/version.h"
#include "web/http_client.h"

namespace tiphys::cli {
namespace {

struct ControllerFlags {
  kube::KubeconfigChoice kubeconfig;
  std::string ns;
  ConfigFile config;
};

/// What works on a cluster. The last one goes first.
class ClusterControllers {
 public:
  ClusterControllers(Executor& executor, kube::KubeCluster& cluster, Random& random, const std::string& ns,
                     const api::ControllerConfig& config)
      : http_(web::make_http_client(executor, web::this_environment())),
        metrics_(std::make_shared<controllers::ControllerMetrics>()),
        telemetry_(PlaneTelemetry::make(
            executor, random, metrics_, [this] { return workflows_.collect_metrics(); }, config.metrics.delta)),
        workflows_(executor, cluster, random,
                   {.ns = ns,
                    .config = config,
                    .http = http_.get(),
                    .metrics = metrics_,
                    .spans = telemetry_ ? telemetry_->spans() : nullptr}),
        crons_(
            executor, cluster, random,
            {.ns = ns, .local = expr::host_zone(), .workflow_defaults = config.workflow_defaults, .metrics = metrics_}),
        expiry_(executor, cluster, {.ns = ns, .retention = config.retention}) {
    metrics_->version(server::argo_version());
  }
  ~ClusterControllers() {
    if (telemetry_) telemetry_->close();
  }
  ClusterControllers(const ClusterControllers&) = delete;
  ClusterControllers& operator=(const ClusterControllers&) = delete;

  void start(std::move_only_function<void()> on_ready) {
    workflows_.start(std::move(on_ready));
    crons_.start();
    expiry_.start();
  }

 private:
  std::unique_ptr<web::HttpClient> http_;
  std::shared_ptr<controllers::ControllerMetrics> metrics_;
  std::unique_ptr<PlaneTelemetry> telemetry_;  ///< null: nothing is sent
  controllers::WorkflowController workflows_;
  controllers::CronWorkflowController crons_;
  controllers::ExpiryController expiry_;
};

Status control(const ControllerFlags& flags) {
  TIPHYS_TRY(const kube::Access access, kube::find_access(flags.kubeconfig, kube::Surroundings::of_environment()));
  TIPHYS_TRY(const api::ControllerConfig config, flags.config.read());
  Loop loop;
  bool leave = false;
  loop.on_signals({SIGINT, SIGTERM}, [&](int) { leave = true; });
  SystemRandom random;
  TIPHYS_TRY(const auto cluster, kube::make_kube_cluster(loop.context(), loop.executor(), random, access));
  std::optional<Result<std::string>> version;
  cluster->server_version([&](Result<std::string> answer) { version = std::move(answer); });
  loop.run_until([&] { return version || leave; });
  if (leave) return {};
  if (!*version) return std::unexpected(version->error().in("the cluster cannot be used"));
  ClusterControllers controllers(loop.executor(), *cluster, random, flags.ns, config);
  controllers.start([&] {
    print(fmt::format("tiphys {} runs the workflows of {} at {} (Kubernetes {})\n", server::version(),
                      flags.ns.empty() ? "all namespaces" : "namespace " + flags.ns, access.server, **version));
  });
  loop.run_until([&] { return leave; });
  print("tiphys has stopped. Pods that run go on; the next `tiphys controller` takes them up.\n");
  return {};
}

}  // namespace

int controller_command(const Arguments& arguments) {
  Flags flags("controller", "Run the workflows of a Kubernetes cluster, until Ctrl-C",
              "  tiphys controller\n  tiphys controller --kubeconfig ~/.kube/test -n argo\n");
  ControllerFlags options;
  flags.text("--kubeconfig", options.kubeconfig.file, "FILE",
             "Where the cluster is (default: $KUBECONFIG, else ~/.kube/config, else the pod's own account)");
  flags.text("--context", options.kubeconfig.context, "NAME", "A context of the kubeconfig (default: the current one)");
  flags.text("-n,--namespace", options.ns, "NAMESPACE", "Only the workflows of this namespace (default: of all)");
  flags.text("--config", options.config.path, "FILE", "The configuration of Argo's workflow controller");
  std::vector<std::string> none;
  flags.positional("", none, 0, 0);
  const auto parsed = flags.parse(arguments);
  if (!parsed) return report("controller", parsed.error());
  if (!*parsed) return kSucceeded;
  const Status ran = control(options);
  return ran ? kSucceeded : report("controller", ran.error());
}

}  // namespace tiphys::cli
