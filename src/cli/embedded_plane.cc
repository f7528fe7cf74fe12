#include "cli/embedded_plane.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <fstream>
#include <thread>

#include "argo/artifact_files.h"
#include "argo/plane_services.h"
#include "artifact/stores.h"
#include "base/asio_executor.h"
#include "base/log.h"
#include "base/private_file.h"
#include "base/random.h"
#include "cli/plane_telemetry.h"
#include "cli/pod_api_access.h"
#include "controllers/artifact_gc_controller.h"
#include "controllers/controller_metrics.h"
#include "controllers/cron_workflow_controller.h"
#include "controllers/default_accounts.h"
#include "controllers/expiry_controller.h"
#include "controllers/namespaces/namespace_controller.h"
#include "controllers/services/endpoints_controller.h"
#include "controllers/services/kubernetes_service.h"
#include "controllers/workflow_controller.h"
#include "controllers/workloads/workload_controllers.h"
#include "expr/go_time.h"
#include "jose/key.h"
#include "node/agent/agent.h"
#include "node/agent/node_object.h"
#include "node/agent/plugin_servers.h"
#include "node/container/container_runtime.h"
#include "node/process/process_runtime.h"
#include "node/services/service_relay.h"
#include "node/supervisor/supervisor.h"
#include "objects/admission.h"
#include "objects/custom_kinds.h"
#include "objects/quota_rules.h"
#include "objects/rbac.h"
#include "persist/database_archive.h"
#include "server/certificate.h"
#include "server/kubeconfig.h"
#include "server/server.h"
#include "server/sso/sign_on.h"
#include "server/ui_files.h"
#include "server/version.h"
#include "store/data_dir.h"
#include "store/store.h"

namespace tiphys::cli {
namespace {

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

double memory_bytes() {
  return static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGE_SIZE));
}

/// What clients need to judge manifests, and to put files where a workflow finds them, as the controller will.
doc::Value config_page(const api::ControllerConfig& config) {
  doc::Object known;
  if (config.workflow_defaults) known["workflowDefaults"] = *config.workflow_defaults;
  // Secrets are named in it, and no more.
  if (config.artifact_repository) known["artifactRepository"] = *config.artifact_repository;
  return doc::Object{{"workflowController", std::move(known)}};
}

std::vector<node::PluginDriver> plugin_drivers(const api::ControllerConfig& config) {
  std::vector<node::PluginDriver> drivers;
  for (const auto& each : config.artifact_drivers) {
    node::PluginDriver& driver = drivers.emplace_back(each.name, each.image, each.command);
    if (each.connection_timeout_seconds > 0) {
      driver.connection_timeout = std::chrono::seconds(each.connection_timeout_seconds);
    }
  }
  return drivers;
}

/// Which workflows the archive keeps; nothing: none.
Result<std::optional<cluster::Selector>> archived_by(const api::PersistenceConfig& config) {
  if (!config.archive) return std::nullopt;
  if (!config.label_selector) return cluster::Selector();
  auto selector = cluster::Selector::from_label_selector(*config.label_selector);
  if (!selector) return std::unexpected(selector.error().in("persistence.archiveLabelSelector"));
  return std::move(*selector);
}

class Plane final : public EmbeddedPlane {
 public:
  Plane(boost::asio::io_context& context, PlaneOptions options, store::DataDir data_dir)
      : context_(context),
        options_(std::move(options)),
        data_dir_(std::move(data_dir)),
        executor_(make_asio_executor(context)),
        repository_(artifact::make_folder_repository(data_dir_.artifacts())),
        stores_(*repository_, artifact::StoresOptions::of_environment()) {}
  /// Nobody waits for a store that does not answer.
  ~Plane() override {
    if (telemetry_) telemetry_->close();
    stores_.stop();
  }

  /// `supervisor` is connected unless the plane only reads.
  Status compose(UniqueFd supervisor) {
    const api::PersistenceConfig& persistence = options_.config.persistence;
    TIPHYS_TRY(auto archived, archived_by(persistence));
    const bool archived_elsewhere = archived && persistence.database;
    TIPHYS_TRY(store_, store::Store::open({.path = data_dir_.database(),
                                           .secrets_key = data_dir_.secrets_key(),
                                           .executor = *executor_,
                                           .random = random_,
                                           .archive = std::move(archived),
                                           .archived_elsewhere = archived_elsewhere,
                                           .archive_ttl = archived_elsewhere ? Duration() : persistence.ttl}));
    if (archived_elsewhere) {
      database_archive_ =
          std::make_unique<persist::DatabaseArchive>(*executor_, *store_, options_.config, options_.server_namespace);
    }
    if (supervisor) {
      process_ =
          std::make_unique<node::ProcessRuntime>(context_, *executor_, std::move(supervisor),
                                                 node::ProcessRuntimeOptions{.data_dir = data_dir_.path(),
                                                                             .host_paths = options_.host_paths,
                                                                             .program_paths = options_.program_paths,
                                                                             .warm_python = options_.warm_python});
    }
    container_ = node::make_container_runtime(*executor_, {.engine = options_.engine,
                                                           .state_dir = data_dir_.path() + "/engine",
                                                           .offline = options_.offline,
                                                           .network = {},
                                                           .services = &network_});
    http_ = web::make_http_client(*executor_, web::this_environment());
    node::AgentOptions agent{.pods_dir = data_dir_.pods(),
                             .claims_dir = data_dir_.claims(),
                             .node_name = host_name(),
                             .runtimes = {container_.get()},
                             .cpus = static_cast<double>(std::max(1U, std::thread::hardware_concurrency())),
                             .memory_bytes = memory_bytes(),
                             .http = http_.get(),
                             .relay = &relay_,
                             .api = options_.port ? &api_access_ : nullptr};
    if (process_)
      agent.runtimes.insert(options_.runtime == "process" ? agent.runtimes.begin() : agent.runtimes.end(),
                            process_.get());
    plugins_ = std::make_unique<node::PluginServers>(
        *executor_,
        node::PluginServersOptions{
            .dir = data_dir_.plugins(), .runtimes = agent.runtimes, .drivers = plugin_drivers(options_.config)});
    stores_.use_plugins(*plugins_);
    agent_ = std::make_unique<node::Agent>(context_, *executor_, *store_, stores_, std::move(agent));
    store_->set_log_reader([this](const cluster::Object& pod, cluster::LogOptions options, cluster::LogSink sink) {
      return agent_->read_log(pod, std::move(options), std::move(sink));
    });
    if (options_.read_only) {
      make_api();
      return {};
    }
    TIPHYS_TRY(admission_, objects::Admission::start(*executor_, *store_, data_dir_.path()));
    const auto metrics = std::make_shared<controllers::ControllerMetrics>();
    metrics->version(server::argo_version());
    telemetry_ = PlaneTelemetry::make(
        *executor_, random_, metrics, [this] { return controller_->collect_metrics(); }, options_.config.metrics.delta);
    controller_ = std::make_unique<controllers::WorkflowController>(
        *executor_, *store_, random_,
        controllers::WorkflowControllerOptions{.ns = "",
                                               .config = options_.config,
                                               .http = http_.get(),
                                               .stores = &stores_,
                                               .metrics = metrics,
                                               .spans = telemetry_ ? telemetry_->spans() : nullptr});
    controller_->start();
    crons_ = std::make_unique<controllers::CronWorkflowController>(
        *executor_, *store_, random_,
        controllers::CronWorkflowControllerOptions{.ns = "",
                                                   .local = expr::host_zone(),
                                                   .workflow_defaults = options_.config.workflow_defaults,
                                                   .metrics = metrics});
    crons_->start();
    expiry_ = std::make_unique<controllers::ExpiryController>(
        *executor_, *store_, controllers::ExpiryControllerOptions{.ns = "", .retention = options_.config.retention});
    expiry_->start();
    artifact_gc_ = std::make_unique<controllers::ArtifactGcController>(*executor_, *store_, stores_);
    artifact_gc_->start();
    workloads_ = std::make_unique<controllers::workloads::WorkloadControllers>(*executor_, *store_, expr::host_zone());
    workloads_->start();
    namespaces_ = std::make_shared<controllers::NamespaceController>(*executor_, *store_);
    if (database_archive_) database_archive_->start();
    namespaces_->start(options_.port
                           ? std::vector<std::string>{"default", "kube-system", "kube-public", "kube-node-lease"}
                           : std::vector<std::string>());
    endpoints_ = std::make_shared<controllers::EndpointsController>(*executor_, *store_);
    endpoints_->start();
    TIPHYS_CHECK_OK(serve());
    // Pods that begin are told where the API is.
    if (kubernetes_) {
      kubernetes_->start([this] { agent_->start(); });
    } else {
      agent_->start();
    }
    return {};
  }

  Executor& executor() override { return *executor_; }
  cluster::Cluster& cluster() override { return *store_; }
  argo::Services& services() override { return *services_; }
  argo::ArtifactFiles& artifacts() override { return *artifacts_; }
  std::string artifact_path(std::string_view key) override { return repository_->local_path(key); }
  unsigned short port() const override { return server_ ? server_->port() : 0; }

 private:
  Status serve() {
    server::ServerOptions options;
    server::Certificate certificate;
    options.unix_path = data_dir_.api_socket();
    options.audit_path = options_.audit_path;
    options.rate_limit = options_.rate_limit;
    if (options_.port) {
      options.tcp_address = fmt::format("{}:{}", options_.address, *options_.port);
      options.announce_path = data_dir_.path() + "/server.json";
      TIPHYS_TRY(certificate, certificate_of(options_));
      if (options_.secure) {
        TIPHYS_TRY(options.tls, server::make_tls_context(certificate));
      }
      TIPHYS_TRY(options.pods_tls, prepare_for_pods(certificate));
      TIPHYS_TRY(options.token, ensure_token(data_dir_.token()));
    }
    if (!options_.ui_dir.empty()) {
      TIPHYS_TRY(options.ui, server::UiFiles::open(options_.ui_dir, options_.base_path));
    }
    options.config = std::make_shared<const doc::Value>(config_page(options_.config));
    if (options_.config.metrics.enabled) options.metrics = [this] { return controller_->metrics(); };
    options.sessions = [this](const cluster::Object& pod, cluster::SessionOptions asked, auto done) {
      agent_->open_session(pod, std::move(asked), std::move(done));
    };
    if (options_.port) {
      TIPHYS_CHECK_OK(prepare_for_clients(options));
      TIPHYS_TRY(options.auth, prepare_for_people());
    }
    TIPHYS_TRY(custom_kinds_, objects::CustomKinds::start(*executor_, *store_, kinds_));
    make_api();
    options.argo = services_.get();
    options.artifacts = artifacts_.get();
    TIPHYS_TRY(server_, server::Server::start(context_, *executor_, *api_, std::move(options)));
    if (port() == 0) return {};
    show_machine();
    show_api();
    // Kubernetes' clients give their token to nobody without TLS.
    const std::string address = options_.secure ? fmt::format("{}:{}", reachable_host(), port())
                                                : fmt::format("127.0.0.1:{}", server_->pods_port());
    return write_private_file(data_dir_.kubeconfig(),
                              server::kubeconfig(address, certificate.authority, server_->token()));
  }

  /// Who only reads asks it of the archive.
  void make_api() {
    api_ = std::make_unique<objects::ObjectApi>(objects::ObjectApiParts{.executor = *executor_,
                                                                        .store = *store_,
                                                                        .kinds = kinds_,
                                                                        .authorizer = rbac_.get(),
                                                                        .tokens = tokens_.get(),
                                                                        .admission = admission_.get()});
    services_ = argo::make_services({.executor = *executor_,
                                     .api = api_.get(),
                                     .random = random_,
                                     .archive = &archive(),
                                     .workflow_defaults = options_.config.workflow_defaults,
                                     .artifact_repository = options_.config.artifact_repository,
                                     .links = options_.config.links,
                                     .columns = options_.config.columns,
                                     .nav_color = options_.config.nav_color,
                                     .version = server::argo_version()});
    artifacts_ =
        std::make_unique<argo::ArtifactFiles>(argo::ArtifactPlane{.executor = *executor_,
                                                                  .api = *api_,
                                                                  .archive = archive(),
                                                                  .stores = stores_,
                                                                  .random = random_,
                                                                  .folder = data_dir_.transfers(),
                                                                  .repository = options_.config.artifact_repository});
  }

  store::Archive& archive() {
    if (database_archive_) return database_archive_->archive();
    return *store_;
  }

  Result<server::Certificate> certificate_of(const PlaneOptions& options) {
    if (!options.tls_certificate.empty()) return server::read_certificate(options.tls_certificate, options.tls_key);
    return own_certificate();
  }
  Result<server::Certificate> own_certificate() {
    return server::ensure_certificate(data_dir_.tls(), service_address(), executor_->now());
  }
  std::string service_address() const { return admission_->service_address("default", "kubernetes"); }

  /// What pods trust is the plane's own: where the port shows another certificate, or none, they have one of theirs.
  Result<std::shared_ptr<boost::asio::ssl::context>> prepare_for_pods(const server::Certificate& shown) {
    const bool is_own = options_.tls_certificate.empty();
    TIPHYS_TRY(const server::Certificate own, is_own ? shown : own_certificate());
    api_access_.set_authority(own.authority);
    if (options_.secure && is_own && is_on_localhost()) return nullptr;
    return server::make_tls_context(own);
  }
  bool is_on_localhost() const {
    return options_.address == "127.0.0.1" || options_.address == "0.0.0.0" || options_.address == "localhost";
  }
  std::string reachable_host() const {
    const bool any = options_.address == "0.0.0.0" || options_.address == "::";
    if (any) return host_name();
    return options_.address.contains(':') ? fmt::format("[{}]", options_.address) : options_.address;
  }

  /// Other than the owner's own commands there are clients only where a port is listened on.
  Status prepare_for_clients(server::ServerOptions& options) {
    TIPHYS_TRY(const std::string key, ensure_private_file(data_dir_.signing_key(), jose::make_ec_key));
    TIPHYS_TRY(tokens_, objects::ServiceTokens::make(key));
    options.tokens = tokens_.get();
    TIPHYS_TRY(rbac_, objects::Rbac::start(*executor_, *store_));
    api_access_.set_judges(*tokens_, *rbac_, *executor_);
    auto found_everywhere = objects::bootstrap_policy();
    for (doc::Value& each : objects::system_priority_classes()) {
      found_everywhere.emplace_back(&cluster::kPriorityClasses, std::move(each));
    }
    for (auto& [resource, object] : found_everywhere) {
      const cluster::Key key_of{resource, "", std::string(doc::find_string(object, "metadata", "name"))};
      if (store_->has(key_of)) continue;
      store_->create(*resource, std::move(object), [](const Result<cluster::Object>& created) {
        if (!created && created.error().code != Code::kAlreadyExists) {
          log::error("what each plane has cannot be written: {}", created.error().message);
        }
      });
    }
    return {};
  }

  /// Who of Argo's clients brings no token.
  Result<server::Authentication> prepare_for_people() {
    server_account_.emplace(*store_, options_.server_account);
    server::Authentication auth{.modes = options_.auth_modes, .server_account = &*server_account_};
    if (!auth.modes.sso) return auth;
    sign_on_http_ = web::make_http_client(*executor_, web::this_environment());
    const api::SsoConfig& config = options_.config.sso;
    TIPHYS_TRY(sign_on_,
               server::SignOn::start(*executor_, *store_, *sign_on_http_, *server_account_,
                                     {.config = config,
                                      .base_path = options_.base_path,
                                      .ns = options_.server_namespace,
                                      .secure = options_.secure || config.redirect_url.starts_with("https://"),
                                      .delegates = options_.delegates_rules}));
    auth.sign_on = sign_on_.get();
    return auth;
  }

  /// Where pods reach the API: at the port that clients take without a word, if this process may listen there.
  void show_api() {
    constexpr std::uint16_t kHttps = 443;
    const auto address = node::parse_ipv4(service_address());
    const bool https = address && node::listen_at({*address, kHttps});
    kubernetes_ = std::make_shared<controllers::KubernetesService>(
        *executor_, *store_,
        controllers::KubernetesServiceOptions{.address = service_address(),
                                              .port = https ? kHttps : server_->pods_port(),
                                              .target_port = server_->pods_port()});
  }

  /// What clients of Kubernetes expect to find: this machine, and a service account in each namespace.
  void show_machine() {
    accounts_ = std::make_unique<controllers::DefaultAccounts>(*executor_, *store_, api_access_.authority());
    accounts_->start();
    const node::NodeFacts facts{.name = host_name(),
                                .cpus = static_cast<double>(std::max(1U, std::thread::hardware_concurrency())),
                                .memory_bytes = memory_bytes(),
                                .version = server::kubernetes_version()};
    store_->modify(
        {&cluster::kNodes, "", facts.name},
        [made = node::node_object(facts, executor_->now())](const cluster::Object& newest) -> Result<doc::Value> {
          if (!newest) return made;
          doc::Value next = *newest;
          next.as_object()["status"] = made.at("status");
          return next;
        },
        {},
        [](const Result<cluster::Object>& written) {
          if (!written) log::error("this machine cannot be shown as a node: {}", written.error().message);
        });
    store_->modify(
        {&cluster::kLeases, node::kNodeLeases, facts.name},
        [lease = node::node_lease(facts, executor_->now())](const cluster::Object&) -> Result<doc::Value> {
          return lease;
        },
        {},
        [](const Result<cluster::Object>& written) {
          if (!written) log::error("that this machine lives cannot be shown: {}", written.error().message);
        });
  }

  // In the order in which they lean on each other: the last one goes first.
  boost::asio::io_context& context_;
  PlaneOptions options_;
  store::DataDir data_dir_;
  std::unique_ptr<Executor> executor_;
  SystemRandom random_;
  std::unique_ptr<artifact::Repository> repository_;
  artifact::Stores stores_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<persist::DatabaseArchive> database_archive_;
  node::ServiceRelay relay_;
  node::ServiceNetwork network_{relay_};
  std::unique_ptr<node::ProcessRuntime> process_;
  std::unique_ptr<node::Runtime> container_;
  std::unique_ptr<web::HttpClient> http_;
  std::unique_ptr<node::PluginServers> plugins_;
  PodApiAccess api_access_;
  std::unique_ptr<node::Agent> agent_;
  std::unique_ptr<PlaneTelemetry> telemetry_;  ///< null: nothing is sent
  std::unique_ptr<controllers::WorkflowController> controller_;
  std::unique_ptr<controllers::CronWorkflowController> crons_;
  std::unique_ptr<controllers::ExpiryController> expiry_;
  std::unique_ptr<controllers::ArtifactGcController> artifact_gc_;
  std::unique_ptr<controllers::workloads::WorkloadControllers> workloads_;
  std::shared_ptr<controllers::NamespaceController> namespaces_;
  std::shared_ptr<controllers::EndpointsController> endpoints_;
  objects::Kinds kinds_;
  std::unique_ptr<objects::CustomKinds> custom_kinds_;
  std::unique_ptr<objects::Admission> admission_;
  std::unique_ptr<objects::ServiceTokens> tokens_;
  std::unique_ptr<objects::Rbac> rbac_;
  std::unique_ptr<objects::ObjectApi> api_;
  std::unique_ptr<argo::Services> services_;
  std::unique_ptr<argo::ArtifactFiles> artifacts_;
  std::unique_ptr<controllers::DefaultAccounts> accounts_;
  std::optional<server::ServerAccount> server_account_;
  std::unique_ptr<web::HttpClient> sign_on_http_;  ///< of its own: templates' requests hold up nobody who signs in
  std::unique_ptr<server::SignOn> sign_on_;
  std::unique_ptr<server::Server> server_;
  std::shared_ptr<controllers::KubernetesService> kubernetes_;
};

}  // namespace

Result<std::unique_ptr<EmbeddedPlane>> EmbeddedPlane::open(boost::asio::io_context& context, PlaneOptions options) {
  TIPHYS_TRY(store::DataDir data_dir,
             store::DataDir::open({.path = options.data_dir, .command = options.command, .migrations = {}}));
  // First of all: the supervisor is a copy of this process, which is still small and has one thread.
  UniqueFd supervisor;
  if (!options.read_only) {
    TIPHYS_TRY(supervisor, node::ensure_supervisor(options.data_dir));
  }
  auto plane = std::make_unique<Plane>(context, std::move(options), std::move(data_dir));
  TIPHYS_CHECK_OK(plane->compose(std::move(supervisor)));
  return plane;
}

}  // namespace tiphys::cli
