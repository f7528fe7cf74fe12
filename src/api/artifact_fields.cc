// The places of artifacts, field by field, but for stores of objects; when they are deleted. They stay documents, as
// their texts are substituted.
#include "api/artifact_checks.h"
#include "api/artifact_location.h"
#include "api/fields.h"

namespace tiphys::api {
namespace {

// ---- raw ----

constexpr Field<Unread> kRawFields[] = {
    {"data", Handling::kRead, check_as<std::string>, "The content itself.", &kString, "AgentTest.InputsAreStaged"},
};

// ---- http ----

constexpr Field<Unread> kArtifactHeaderFields[] = {
    {"name", Handling::kRead, check_as<std::string>, "Its name.", &kString},
    {"value", Handling::kRead, check_as<std::string>, "Its value.", &kString},
};
constexpr FieldTable kArtifactHeaderTable("Header", kArtifactHeaderFields);

constexpr Field<Unread> kBasicAuthFields[] = {
    {"usernameSecret", Handling::kRead, check_secret, "A key of a Secret: the user.", &kSecretKey,
     "test_http_identities"},
    {"passwordSecret", Handling::kRead, check_secret, "A key of a Secret: the password.", &kSecretKey,
     "test_http_identities"},
};
constexpr FieldTable kBasicAuthTable("BasicAuth", kBasicAuthFields);

constexpr Field<Unread> kClientCertFields[] = {
    {"clientCertSecret", Handling::kRead, check_secret, "A key of a Secret: the certificate, as PEM.", &kSecretKey,
     "test_http_client_certificates"},
    {"clientKeySecret", Handling::kRead, check_secret, "A key of a Secret: its private key, as PEM.", &kSecretKey,
     "test_http_client_certificates"},
};
constexpr FieldTable kClientCertTable("ClientCertAuth", kClientCertFields);

constexpr Field<Unread> kEndpointParamFields[] = {
    {"key", Handling::kRead, check_as<std::string>, "Its name.", &kString},
    {"value", Handling::kRead, check_as<std::string>, "Its value.", &kString},
};
constexpr FieldTable kEndpointParamTable("OAuth2EndpointParam", kEndpointParamFields);

constexpr Field<Unread> kOAuth2Fields[] = {
    {"clientIDSecret", Handling::kRead, check_secret, "A key of a Secret: the client.", &kSecretKey,
     "test_http_identities"},
    {"clientSecretSecret", Handling::kRead, check_secret, "A key of a Secret: the client's secret.", &kSecretKey,
     "test_http_identities"},
    {"tokenURLSecret", Handling::kRead, check_secret, "A key of a Secret: the URL that gives tokens.", &kSecretKey,
     "test_http_identities"},
    {"scopes", Handling::kRead, check_as<std::vector<std::string>>, "What the token is to be good for.", &kStrings,
     "test_http_identities"},
    {"endpointParams", Handling::kRead, check_each<kEndpointParamFields>, "What else the request for a token says.",
     &kObject<kEndpointParamTable, Shape::Around::kList>, "test_http_identities"},
};
constexpr FieldTable kOAuth2Table("OAuth2Auth", kOAuth2Fields);

constexpr Field<Unread> kHttpAuthFields[] = {
    {"basicAuth", Handling::kRead, check_below<kBasicAuthFields>, "By user and password.", &kObject<kBasicAuthTable>},
    {"clientCert", Handling::kRead, check_below<kClientCertFields>, "By a certificate.", &kObject<kClientCertTable>},
    {"oauth2", Handling::kRead, check_below<kOAuth2Fields>, "By a token for the client's own credentials.",
     &kObject<kOAuth2Table>},
};
constexpr FieldTable kHttpAuthTable("HTTPAuth", kHttpAuthFields);

constexpr Field<Unread> kHttpArtifactFields[] = {
    {"url", Handling::kRead, check_as<std::string>, "Read by GET, written by PUT.", &kString, "test_http_artifacts"},
    {"headers", Handling::kRead, check_each<kArtifactHeaderFields>, "Headers of the requests.",
     &kObject<kArtifactHeaderTable, Shape::Around::kList>, "test_http_artifacts"},
    {"auth", Handling::kRead, check_below<kHttpAuthFields>, "Who asks.", &kObject<kHttpAuthTable>},
    {"saveStreamViaFile", Handling::kCarry, nullptr, "No effect: what is sent is a file always.", &kBoolean},
};

// ---- artifactory ----

constexpr Field<Unread> kArtifactoryFields[] = {
    {"url", Handling::kRead, check_as<std::string>, "Read by GET, written by PUT.", &kString, "test_artifactory"},
    {"usernameSecret", Handling::kRead, check_secret, "A key of a Secret: the user.", &kSecretKey, "test_artifactory"},
    {"passwordSecret", Handling::kRead, check_secret, "A key of a Secret: the password.", &kSecretKey,
     "test_artifactory"},
};

// ---- git ----

void check_depth(const Place& place, Unread&) {
  std::int64_t depth = 0;
  read(place, depth);
  if (depth < 0) place.error(place.name() + " must not be negative");
}

constexpr Field<Unread> kGitFields[] = {
    {"repo", Handling::kRead, check_as<std::string>, "The repository, as `git clone` takes it.", &kString,
     "test_git_artifacts"},
    {"revision", Handling::kRead, check_as<std::string>, "The commit, tag or branch to check out.", &kString,
     "test_git_artifacts"},
    {"depth", Handling::kRead, check_depth, "So many commits of each branch; 0 or absent: all.", &kInteger,
     "test_git_artifacts"},
    {"fetch", Handling::kRead, check_as<std::vector<std::string>>,
     "Refspecs to fetch before the revision is looked for.", &kStrings, "test_git_artifacts"},
    {"usernameSecret", Handling::kRead, check_secret, "A key of a Secret: the user.", &kSecretKey,
     "test_git_over_http"},
    {"passwordSecret", Handling::kRead, check_secret, "A key of a Secret: the password.", &kSecretKey,
     "test_git_over_http"},
    {"sshPrivateKeySecret", Handling::kRead, check_secret, "A key of a Secret: the private key for ssh.", &kSecretKey,
     "test_git_over_ssh"},
    {"insecureIgnoreHostKey", Handling::kRead, check_as<bool>, "ssh takes any host for the right one.", &kBoolean,
     "test_git_over_ssh"},
    {"disableSubmodules", Handling::kRead, check_as<bool>, "Submodules stay empty.", &kBoolean, "test_git_artifacts"},
    {"singleBranch", Handling::kRead, check_as<bool>, "Only `branch` is fetched.", &kBoolean, "test_git_artifacts"},
    {"branch", Handling::kRead, check_as<std::string>, "The branch of singleBranch.", &kString, "test_git_artifacts"},
    {"insecureSkipTLS", Handling::kRead, check_as<bool>, "The server's certificate is not looked at.", &kBoolean},
};

// ---- hdfs ----

constexpr Field<Unread> kHdfsFields[] = {
    {"addresses", Handling::kRead, check_as<std::vector<std::string>>,
     "Hosts and ports of the name nodes; of several the one that is active is asked.", &kStrings,
     "test_hdfs_artifacts"},
    {"path", Handling::kRead, check_as<std::string>, "The file's path, from the root.", &kString, "test_hdfs_artifacts",
     "It may be a folder, too."},
    {"force", Handling::kRead, check_as<bool>, "An output takes the place of a file that is there.", &kBoolean,
     "test_hdfs_artifacts"},
    {"hdfsUser", Handling::kRead, check_as<std::string>, "Who asks, where Kerberos does not tell.", &kString,
     "test_hdfs_artifacts"},
    {"krbCCacheSecret", Handling::kRead, check_secret, "A key of a Secret: a cache of Kerberos' tickets.", &kSecretKey,
     "test_hdfs_over_kerberos"},
    {"krbKeytabSecret", Handling::kRead, check_secret, "A key of a Secret: the keytab to log in with, by kinit.",
     &kSecretKey, "test_hdfs_over_kerberos"},
    {"krbUsername", Handling::kRead, check_as<std::string>, "Who logs in with the keytab.", &kString,
     "test_hdfs_over_kerberos"},
    {"krbRealm", Handling::kRead, check_as<std::string>, "The realm of the keytab's user.", &kString,
     "test_hdfs_over_kerberos"},
    {"krbConfigConfigMap", Handling::kRead, check_secret, "A key of a ConfigMap: krb5.conf.", &kConfigMapKey,
     "test_hdfs_over_kerberos"},
    {"krbServicePrincipalName", Handling::kRead, check_as<std::string>,
     "The name nodes' principal: \"hdfs/_HOST\"; without a realm in krbRealm, or the default one.", &kString,
     "test_hdfs_over_kerberos"},
    {"dataTransferProtection", Handling::kRead, check_as<std::string>,
     "As the data nodes' dfs.data.transfer.protection: authentication, integrity or privacy.", &kString,
     "test_hdfs_over_kerberos"},
};

// ---- plugin ----

void check_timeout(const Place& place, Unread&) {
  std::int64_t seconds = 0;
  read(place, seconds);
  if (seconds < 0) place.error(place.name() + " must not be negative");
}

constexpr Field<Unread> kPluginFields[] = {
    {"name", Handling::kRead, check_as<std::string>,
     "The plugin, one of the configuration's artifactDrivers; a key without a name is one in the repository.", &kString,
     "test_plugin_artifacts"},
    {"key", Handling::kRead, check_as<std::string>, "Where it lies, for the plugin.", &kString,
     "test_plugin_artifacts"},
    {"configuration", Handling::kRead, check_as<std::string>, "A text that means something to the plugin.", &kString,
     "test_plugin_artifacts"},
    {"connectionTimeoutSeconds", Handling::kRead, check_timeout,
     "How long a plugin that runs may take to listen; 0 or absent: as artifactDrivers say, or 5.", &kInteger,
     "test_plugin_artifacts"},
};

constexpr Field<Unread> kArchiveLocationFields[] = {
    {"archiveLogs", Handling::kRead, check_as<bool>, "Keeps the logs of the containers as artifacts.", &kBoolean,
     "test_logs_are_archived"},
    {"s3", Handling::kRead, [](const Place& place, Unread&) { check_s3(place); }, "In an S3 store.", &kObject<kS3Table>,
     "test_archive_location"},
    {"git", Handling::kRead, check_below<kGitFields>, "Takes no outputs.", &kObject<kGitTable>, ""},
    {"http", Handling::kRead, check_below<kHttpArtifactFields>, "Below a URL.", &kObject<kHttpArtifactTable>, ""},
    {"artifactory", Handling::kRead, check_below<kArtifactoryFields>, "In Artifactory.", &kObject<kArtifactoryTable>,
     ""},
    {"raw", Handling::kRead, check_below<kRawFields>, "Takes no outputs.", &kObject<kRawTable>, ""},
    {"hdfs", Handling::kRead, check_below<kHdfsFields>, "In HDFS.", &kObject<kHdfsTable>, ""},
    {"oss", Handling::kRead, [](const Place& place, Unread&) { check_oss(place); }, "In Alibaba's store.",
     &kObject<kOssTable>, ""},
    {"gcs", Handling::kRead, [](const Place& place, Unread&) { check_gcs(place); }, "In Google's store.",
     &kObject<kGcsTable>, ""},
    {"azure", Handling::kRead, [](const Place& place, Unread&) { check_azure(place); }, "In Azure's store.",
     &kObject<kAzureTable>, ""},
    {"plugin", Handling::kRead, check_below<kPluginFields>, "By an artifact plugin.", &kObject<kPluginArtifactTable>,
     "test_logs_are_archived_by_a_plugin"},
};

// ---- garbage collection ----

constexpr std::string_view kGcStrategies[] = {"", "OnWorkflowCompletion", "OnWorkflowDeletion", "Never"};

constexpr Field<Unread> kArtifactGcFields[] = {
    {"strategy", Handling::kRead, check_choice<kGcStrategies>,
     "When it is deleted. Without one the workflow's counts, and without that it stays.", &kChoice<kGcStrategies>,
     "test_artifacts_go_with_their_workflow"},
    {"serviceAccountName", Handling::kCluster, nullptr, "Who deletes it.", &kString},
    {"podMetadata", Handling::kCluster, [](const Place& place, Unread&) { check_metadata(place); },
     "Labels and annotations of the pod that deletes it.", &kObject<kPodMetadataTable>},
};

constexpr Field<Unread> kWorkflowGcFields[] = {
    {"strategy", Handling::kRead, check_choice<kGcStrategies>, "When artifacts are deleted that do not say themselves.",
     &kChoice<kGcStrategies>, "test_artifacts_go_with_their_workflow"},
    {"forceFinalizerRemoval", Handling::kRead, check_as<bool>, "What could not be deleted does not keep the workflow.",
     &kBoolean, "test_what_cannot_be_deleted_keeps_the_workflow"},
    {"serviceAccountName", Handling::kCluster, nullptr, "Who deletes them.", &kString},
    {"podMetadata", Handling::kCluster, [](const Place& place, Unread&) { check_metadata(place); },
     "Labels and annotations of the pods that delete them.", &kObject<kPodMetadataTable>},
    {"podSpecPatch", Handling::kCluster, nullptr, "A patch of the pods that delete them.", &kString},
};

constexpr Field<Unread> kRepositoryRefFields[] = {
    {"configMap", Handling::kRead, check_as<std::string>, "The ConfigMap; artifact-repositories without a word.",
     &kString, "test_repositories_of_config_maps"},
    {"key", Handling::kRead, check_as<std::string>,
     "The key in it; without one the ConfigMap's annotation workflows.argoproj.io/default-artifact-repository tells.",
     &kString, "test_repositories_of_config_maps"},
};

}  // namespace

constexpr FieldTable kRawTable("RawArtifact", kRawFields);
constexpr FieldTable kHttpArtifactTable("HTTPArtifact", kHttpArtifactFields);
constexpr FieldTable kArtifactoryTable("ArtifactoryArtifact", kArtifactoryFields);
constexpr FieldTable kGitTable("GitArtifact", kGitFields);
constexpr FieldTable kHdfsTable("HDFSArtifact", kHdfsFields);
constexpr FieldTable kPluginArtifactTable("PluginArtifact", kPluginFields);
constexpr FieldTable kArchiveLocationTable("ArtifactLocation", kArchiveLocationFields);
constexpr FieldTable kArtifactGcTable("ArtifactGC", kArtifactGcFields);
constexpr FieldTable kWorkflowGcTable("WorkflowLevelArtifactGC", kWorkflowGcFields);
constexpr FieldTable kArtifactRepositoryRefTable("ArtifactRepositoryRef", kRepositoryRefFields);

void check_raw(const Place& place) {
  check_object(place, kRawFields);
}

void check_git(const Place& place) {
  check_object(place, kGitFields);
}

void check_hdfs(const Place& place) {
  check_object(place, kHdfsFields);
}

void check_plugin_artifact(const Place& place) {
  check_object(place, kPluginFields);
}

void check_http_artifact(const Place& place) {
  check_object(place, kHttpArtifactFields);
}

void check_artifactory(const Place& place) {
  check_object(place, kArtifactoryFields);
}

void check_archive_location(const Place& place) {
  check_object(place, kArchiveLocationFields);
  check_one_place(place);
}

void check_artifact_repository_ref(const Place& place) {
  check_object(place, kRepositoryRefFields);
}

void check_artifact_gc(const Place& place) {
  check_object(place, kArtifactGcFields);
}

void check_workflow_gc(const Place& place) {
  check_object(place, kWorkflowGcFields);
}

void check_one_place(const Place& place) {
  const doc::Object* object = place.value().if_object();
  if (!object) return;
  int places = 0;
  for (const std::string_view kind : location_kinds()) {
    const doc::Value* found = object->if_contains(kind);
    if (found && !found->is_null()) ++places;
  }
  if (places > 1) place.error(place.name() + ": at most one artifact location can be specified");
}

}  // namespace tiphys::api
