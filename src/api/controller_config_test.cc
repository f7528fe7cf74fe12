#include "api/controller_config.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tiphys::api {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr std::string_view kPlain = R"(parallelism: 10
namespaceParallelism: 4
initialDelay: 5s
podGCDeleteDelayDuration: 1m
resourceRateLimit: {limit: 2.5, burst: 25}
retentionPolicy: {completed: 10, failed: 3, errored: 2}
nodeEvents: {enabled: false, sendAsPod: true}
workflowEvents: {enabled: false}
metricsConfig: {enabled: false, port: 8080, temporality: Delta}
images: {}
persistence:
  archive: true
  archiveTTL: 10d
  archiveLabelSelector: {matchLabels: {keep: "yes"}}
  nodeStatusOffLoad: true
mainContainer: {resources: {limits: {cpu: 1}}}
workflowDefaults:
  metadata: {labels: {a: b}}
  spec: {ttlStrategy: {secondsAfterSuccess: 5}}
)";

constexpr std::string_view kAllInOne = R"(apiVersion: v1
kind: ConfigMap
metadata: {name: workflow-controller-configmap}
data:
  config: |
    parallelism: 10
    workflowDefaults:
      spec: {parallelism: 2}
)";

constexpr std::string_view kFlat = R"(apiVersion: v1
kind: Secret
---
apiVersion: v1
kind: ConfigMap
metadata: {name: workflow-controller-configmap}
data:
  parallelism: "10"
  namespaceParallelism: ""
  nodeEvents: |
    enabled: false
  workflowDefaults: |
    spec:
      parallelism: 2
)";

TEST(ControllerConfig, IsReadFromAFileOfItsOwn) {
  const auto read = read_controller_config(kPlain, "c.yaml");
  ASSERT_TRUE(read) << read.error().message;
  const ControllerConfig& config = read->config;
  EXPECT_EQ(config.parallelism, 10);
  EXPECT_EQ(config.namespace_parallelism, 4);
  EXPECT_EQ(config.initial_delay, seconds(5));
  EXPECT_EQ(config.pod_gc_delay, seconds(60));
  ASSERT_TRUE(config.pod_rate);
  EXPECT_EQ(config.pod_rate->limit, 2.5);
  EXPECT_EQ(config.pod_rate->burst, 25);
  ASSERT_TRUE(config.retention);
  EXPECT_EQ(config.retention->completed, 10);
  EXPECT_EQ(config.retention->failed, 3);
  EXPECT_EQ(config.retention->errored, 2);
  EXPECT_FALSE(config.node_events.enabled);
  EXPECT_TRUE(config.node_events.send_as_pod);
  EXPECT_FALSE(config.workflow_events.enabled);
  EXPECT_FALSE(config.metrics.enabled);
  EXPECT_TRUE(config.metrics.delta);
  EXPECT_EQ(doc::find_string(*config.workflow_defaults, "metadata", "labels", "a"), "b");
  EXPECT_NE(doc::find(*config.main_container, "resources", "limits"), nullptr);
  EXPECT_TRUE(config.persistence.archive);
  EXPECT_EQ(config.persistence.ttl, std::chrono::hours(240));
  EXPECT_EQ(doc::find_string(*config.persistence.label_selector, "matchLabels", "keep"), "yes");
  EXPECT_THAT(read->unheard, ElementsAre("metricsConfig.port", "images", "persistence.nodeStatusOffLoad"));
}

TEST(ControllerConfig, TellsWhereTheArchiveIs) {
  constexpr std::string_view kPostgres = R"(instanceID: blue
persistence:
  archive: true
  clusterName: west
  skipMigration: true
  connectionTimeoutSeconds: 7
  connectionPool: {maxIdleConns: 3, maxOpenConns: 5, connMaxLifetime: 30s}
  postgresql:
    host: db
    port: 5433
    database: argo
    tableName: argo_workflows
    userNameSecret: {name: a, key: b}
    passwordSecret: {name: c, key: d}
    ssl: true
    sslMode: require
)";
  const auto read = read_controller_config(kPostgres, "c.yaml");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_THAT(read->unheard, IsEmpty());
  EXPECT_EQ(read->config.instance_id, "blue");
  const PersistenceConfig& persistence = read->config.persistence;
  EXPECT_EQ(persistence.cluster_name, "west");
  EXPECT_TRUE(persistence.skip_migration);
  EXPECT_EQ(persistence.connection_timeout_seconds, 7);
  EXPECT_EQ(persistence.pool.max_idle * 10 + persistence.pool.max_open, 35);
  EXPECT_EQ(persistence.pool.max_lifetime, seconds(30));
  ASSERT_TRUE(persistence.database);
  const PersistenceConfig::Database& postgres = *persistence.database;
  EXPECT_EQ(postgres.kind, PersistenceConfig::Database::Kind::kPostgreSql);
  EXPECT_EQ(fmt::format("{} {} {} {}", postgres.host, postgres.port, postgres.database, postgres.table_name),
            "db 5433 argo argo_workflows");
  EXPECT_EQ(postgres.user_name.name + postgres.user_name.key + postgres.password.name + postgres.password.key, "abcd");
  EXPECT_TRUE(postgres.ssl);
  EXPECT_EQ(postgres.ssl_mode, "require");

  const auto mysql = read_controller_config(
      "persistence: {mysql: {host: h, database: d, tableName: t, userNameSecret: {name: a, key: b}, passwordSecret: "
      "{name: c, key: d}, options: {tls: skip-verify}}}",
      "c.yaml");
  ASSERT_TRUE(mysql) << mysql.error().message;
  EXPECT_EQ(mysql->config.persistence.database->kind, PersistenceConfig::Database::Kind::kMySql);
  EXPECT_EQ(mysql->config.persistence.database->options.at("tls"), "skip-verify");
  EXPECT_EQ(mysql->config.persistence.cluster_name, "default");
  EXPECT_EQ(mysql->config.persistence.connection_timeout_seconds, 5);
}

TEST(ControllerConfig, TellsHowPeopleSignIn) {
  const auto read = read_controller_config(R"(sso:
  issuer: https://id.example.com
  issuerAlias: https://other.example.com
  clientId: {name: a, key: b}
  clientSecret: {name: c, key: d, optional: false}
  redirectUrl: https://plane/oauth2/callback
  rbac: {enabled: true}
  scopes: [groups]
  sessionExpiry: 240h
  customGroupClaimName: roles
  userInfoPath: /userinfo
  insecureSkipVerify: true
  filterGroupsRegex: ["^a", "b$"]
  rootCA: PEM
)",
                                           "c.yaml");
  ASSERT_TRUE(read) << read.error().message;
  const SsoConfig& sso = read->config.sso;
  EXPECT_EQ(sso.issuer + " " + sso.issuer_alias + " " + sso.redirect_url,
            "https://id.example.com https://other.example.com https://plane/oauth2/callback");
  EXPECT_EQ(sso.client_id.name + sso.client_id.key + sso.client_secret.name + sso.client_secret.key, "abcd");
  EXPECT_EQ(sso.custom_group_claim_name + sso.user_info_path + sso.root_ca, "roles/userinfoPEM");
  EXPECT_TRUE(sso.rbac.enabled && sso.insecure_skip_verify);
  EXPECT_EQ(sso.session_expiry, std::chrono::hours(240));
  EXPECT_THAT(sso.scopes, ElementsAre("groups"));
  EXPECT_THAT(sso.filter_groups_regex, ElementsAre("^a", "b$"));
  const auto plain = read_controller_config("sso: {sessionExpiry: 0s}", "c.yaml");
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_EQ(plain->config.sso.session_expiry, std::chrono::hours(10));
  EXPECT_FALSE(plain->config.sso.rbac.enabled);
}

TEST(ControllerConfig, TellsWhatWorkflowsMaySet) {
  struct Row {
    std::string_view names;
    std::vector<std::string> expected;
  };
  for (const Row& row : {Row{"", {}}, Row{" podSpecPatch, volumes,", {"podSpecPatch", "volumes"}}}) {
    const auto read = read_override_allowlist(row.names);
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(*read, row.expected);
  }
  EXPECT_THAT(read_override_allowlist("volumes,PodSpecPatch").error().message,
              HasSubstr("\"PodSpecPatch\" is no field of spec"));
  for (const auto& [mode, by_reference] : {std::pair("Strict", true), {"Secure", true}, {"", false}}) {
    const auto read =
        read_controller_config(fmt::format("workflowRestrictions: {{templateReferencing: '{}'}}", mode), "c.yaml");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->config.restrictions.by_reference, by_reference);
  }
  EXPECT_THAT(read_controller_config("workflowRestrictions: {templateReferencing: strict}", "c.yaml").error().message,
              HasSubstr("c.yaml:1:45: "));
}

TEST(ControllerConfig, IsReadFromAConfigMap) {
  for (const std::string_view text : {kAllInOne, kFlat}) {
    const auto read = read_controller_config(text, "c.yaml");
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->config.parallelism, 10);
    EXPECT_EQ(doc::to_json(*read->config.workflow_defaults), R"({"spec":{"parallelism":2}})");
    EXPECT_EQ(read->config.node_events.enabled, text == kAllInOne);
    EXPECT_THAT(read->unheard, IsEmpty());
  }
}

TEST(ControllerConfig, NothingGivesTheDefaults) {
  for (const std::string_view text : {"", "{}", "kind: ConfigMap\n", "kind: ConfigMap\ndata: {config: ''}\n"}) {
    const auto read = read_controller_config(text, "c.yaml");
    ASSERT_TRUE(read) << text << read.error().message;
    EXPECT_EQ(read->config.parallelism, 0);
    EXPECT_EQ(read->config.pod_gc_delay, seconds(5));
    EXPECT_FALSE(read->config.retention);
    EXPECT_FALSE(read->config.persistence.archive);
    EXPECT_TRUE(read->config.node_events.enabled && read->config.workflow_events.enabled);
  }
}

TEST(ControllerConfig, SaysWhereItIsWrong) {
  struct Row {
    std::string_view rule, text, begins, holds;
  };
  const Row rows[] = {
      {"a field that is none", "paralelism: 1\n", "c.yaml:1:1:", "did you mean \"parallelism\""},
      {"below", "retentionPolicy:\n  complete: 1\n", "c.yaml:2:3:", "did you mean \"completed\""},
      {"a number", "parallelism: many\n", "c.yaml:1:14:", "must be a whole number"},
      {"a negative one", "parallelism: -1\n", "c.yaml:1:14:", "must not be negative"},
      {"a duration", "initialDelay: 5\n", "c.yaml:1:15:", "must be a string"},
      {"a duration's form", "initialDelay: soon\n", "c.yaml:1:15:", "is no duration such as 30s"},
      {"a time in the archive", "persistence: {archiveTTL: ever}\n", "c.yaml:1:27:", "no time such as 10d or 12h"},
      {"parts of a day", "persistence: {archiveTTL: 1.5d}\n", "c.yaml:1:27:", "no time such as 10d or 12h"},
      {"a label selector", "persistence: {archiveLabelSelector: a=b}\n", "c.yaml:1:37:", "matchLabels"},
      {"a database without a host", "persistence: {postgresql: {database: d}}\n", "c.yaml:1:27:", "host is required"},
      {"a way of TLS", "persistence: {postgresql: {sslMode: yes please}}\n", "c.yaml:1:37:", "verify-full"},
      {"a table's name", "persistence: {postgresql: {tableName: 'a b'}}\n", "c.yaml:1:39:", "letters, digits and _"},
      {"two databases", "persistence: {mysql: {host: a}, postgresql: {host: b}}\n", "c.yaml:1:22:", "is required"},
      {"a rate", "resourceRateLimit: {limit: fast, burst: 1}\n", "c.yaml:1:28:", "number of pods a second"},
      {"a rate of none", "resourceRateLimit: {limit: 0, burst: 1}\n", "c.yaml:1:28:", "more than 0"},
      {"none at once", "resourceRateLimit: {limit: 1.5, burst: 0}\n", "c.yaml:1:40:", "at least 1"},
      {"half a rate", "resourceRateLimit: {limit: 1}\n", "c.yaml:1:20:", "burst is missing"},
      {"a driver of no name", "artifactDrivers: [{image: x}]\n", "c.yaml:1:19:", "artifactDrivers[0].name is required"},
      {"a driver's name", "artifactDrivers: [{name: a/b, image: x}]\n", "c.yaml:1:26:", "part of a container's name"},
      {"a driver that is nothing", "artifactDrivers: [{name: a}]\n", "c.yaml:1:19:", "needs an image, or a command"},
      {"two drivers of a name", "artifactDrivers: [{name: a, image: x}, {name: a, image: z}]\n",
       "c.yaml:1:40:", "there is a driver \"a\" already"},
      {"a driver's patience", "artifactDrivers: [{name: a, image: x, connectionTimeoutSeconds: -1}]\n",
       "c.yaml:1:65:", "must not be negative"},
      {"a repository of no kind", "artifactRepository: {git: {repo: x}}\n",
       "c.yaml:1:22:", "artifactRepository.git is none of archiveLogs, artifactory"},
      {"a field of sso", "sso: {isuer: a}\n", "c.yaml:1:7:", "did you mean \"issuer\""},
      {"a provider's URL", "sso: {issuer: id.example.com}\n", "c.yaml:1:15:", "must be a URL"},
      {"a session's time", "sso: {sessionExpiry: 10}\n", "c.yaml:1:22:", "must be a string"},
      {"a filter of groups", "sso: {filterGroupsRegex: ['(']}\n", "c.yaml:1:26:", "missing"},
      {"a field of the defaults' spec", "workflowDefaults: {spec: {entrypont: a}}\n", "c.yaml:1:27:", "entrypoint"},
      {"in a text, at the file's line", "kind: ConfigMap\ndata:\n  config: |\n    parallelism: 1\n    bad: 1\n",
       "c.yaml:5:5:", "bad"},
      {"in a text that is no block", "kind: ConfigMap\ndata:\n  parallelism: \"x\"\n",
       "c.yaml:3:16:", "must be a whole number"},
      {"in one of several texts", "kind: ConfigMap\ndata:\n  retentionPolicy: |\n\n    failed: a\n",
       "c.yaml:5:13:", "must be a whole number"},
      {"a text of none", "kind: ConfigMap\ndata:\n  ssso: |\n    a: 1\n", "c.yaml:3:3:", "did you mean \"sso\""},
      {"a text that is no YAML", "kind: ConfigMap\ndata:\n  config: |\n    a: [\n", "c.yaml:", ""},
      {"no text", "kind: ConfigMap\ndata: {parallelism: 1}\n", "c.yaml:2:", "data.parallelism must be a string"},
      {"config with others", "kind: ConfigMap\ndata: {config: '', links: ''}\n",
       "c.yaml:2:", "other keys beside config"},
      {"which document", "a: 1\n---\nb: 1\n", "c.yaml: none of its documents", ""},
  };
  for (const Row& row : rows) {
    const auto read = read_controller_config(row.text, "c.yaml");
    ASSERT_FALSE(read) << row.rule;
    EXPECT_EQ(read.error().code, Code::kInvalidArgument) << row.rule;
    EXPECT_THAT(read.error().message, StartsWith(std::string(row.begins))) << row.rule;
    EXPECT_THAT(read.error().message, HasSubstr(std::string(row.holds))) << row.rule;
  }
}

}  // namespace
}  // namespace tiphys::api
