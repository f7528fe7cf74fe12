// Stores of objects that artifacts lie in, field by field.
#include "api/artifact_checks.h"

namespace tiphys::api {
namespace {

// ---- s3 ----

constexpr std::string_view kAddressingStyles[] = {"", "path", "virtual-hosted"};

constexpr Field<Unread> kEncryptionFields[] = {
    {"enableEncryption", Handling::kRead, check_as<bool>,
     "Objects are encrypted, by the store's own key without others.", &kBoolean, "test_s3_buckets_are_made"},
    {"kmsKeyId", Handling::kRead, check_as<std::string>, "The key of AWS KMS to encrypt with.", &kString,
     "test_s3_buckets_are_made"},
    {"kmsEncryptionContext", Handling::kRead, check_as<std::string>, "JSON that KMS is told along with it.", &kString,
     "", "It is sent as S3 documents it: in base64 once, not as JSON text in it."},
    {"serverSideCustomerKeySecret", Handling::kRead, check_secret,
     "A key of a Secret: a password, from which the key of each object is made. Without kmsKeyId, and with TLS.",
     &kSecretKey, "test_s3_customer_keys"},
};
constexpr FieldTable kEncryptionTable("S3EncryptionOptions", kEncryptionFields);

constexpr Field<Unread> kCreateBucketFields[] = {
    {"objectLocking", Handling::kRead, check_as<bool>, "Objects in it can be locked.", &kBoolean},
};
constexpr FieldTable kCreateBucketTable("CreateS3BucketOptions", kCreateBucketFields);

constexpr Field<Unread> kS3Fields[] = {
    {"key", Handling::kRead, check_as<std::string>,
     "Where in the bucket: a file, or a folder of all the keys below it. Alone, or without endpoint or bucket: where "
     "in "
     "the workflow's repository.",
     &kString, "test_s3_artifacts"},
    {"endpoint", Handling::kRead, check_as<std::string>, "Host and port of the store.", &kString, "test_s3_artifacts"},
    {"bucket", Handling::kRead, check_as<std::string>, "The bucket.", &kString, "test_s3_artifacts"},
    {"region", Handling::kRead, check_as<std::string>, "The bucket's region; the store is asked when it is absent.",
     &kString, "test_s3_buckets_are_made"},
    {"insecure", Handling::kRead, check_as<bool>, "Without TLS.", &kBoolean, "test_s3_artifacts"},
    {"accessKeySecret", Handling::kRead, check_secret,
     "A key of a Secret: the access key. Without one the key that Amazon's programs find in the environment, in "
     "~/.aws/credentials, at the container or the machine.",
     &kSecretKey, "test_s3_keys_of_the_environment", "Profiles that name a role, a program or SSO are not known."},
    {"secretKeySecret", Handling::kRead, check_secret, "A key of a Secret: the secret key.", &kSecretKey,
     "test_s3_artifacts"},
    {"sessionTokenSecret", Handling::kRead, check_secret, "A key of a Secret: the session's token.", &kSecretKey,
     "AwsSignature.SignsTheSessionsToken"},
    {"roleARN", Handling::kRead, check_as<std::string>,
     "The role to take on, for who has the key that Amazon's programs find. Not with accessKeySecret.", &kString,
     "test_s3_roles"},
    {"useSDKCreds", Handling::kRead, check_as<bool>, "The key that Amazon's programs find, as without accessKeySecret.",
     &kBoolean, "test_s3_keys_of_the_environment"},
    {"createBucketIfNotPresent", Handling::kRead, check_below<kCreateBucketFields>,
     "Makes the bucket when it is missing; for outputs.", &kObject<kCreateBucketTable>, "test_s3_buckets_are_made"},
    {"encryptionOptions", Handling::kRead, check_below<kEncryptionFields>, "How the store encrypts.",
     &kObject<kEncryptionTable>, "test_s3_buckets_are_made"},
    {"caSecret", Handling::kRead, check_secret, "A key of a Secret: the only certificates to trust.", &kSecretKey,
     "test_s3_over_tls"},
    {"addressingStyle", Handling::kRead, check_choice<kAddressingStyles>,
     "Whether the bucket is in the host's name or in the path; without a word in the name at Amazon, Google and "
     "Alibaba, "
     "else in the path.",
     &kChoice<kAddressingStyles>, "S3Client.AddressesTheBucketAsMinioDoes"},
};

// ---- gcs ----

constexpr Field<Unread> kGcsFields[] = {
    {"bucket", Handling::kRead, check_as<std::string>, "The bucket.", &kString, "test_gcs_artifacts"},
    {"key", Handling::kRead, check_as<std::string>,
     "Where in the bucket: a file, or a folder of all the keys below it.", &kString, "test_gcs_artifacts",
     "Without a file of that name it is the keys below it, \"KEY/...\", not all that begin with it."},
    {"serviceAccountKeySecret", Handling::kRead, check_secret,
     "A key of a Secret: the JSON of a service account's key. Without one the credentials that Google's programs find.",
     &kSecretKey, "test_gcs_identities", "External accounts (workload identity federation) are not known."},
};

// ---- oss ----

constexpr Field<Unread> kLifecycleFields[] = {
    {"markInfrequentAccessAfterDays", Handling::kRead, check_as<std::int32_t>,
     "After so many days objects move to the store for infrequent access; not after markDeletionAfterDays.", &kInteger,
     "test_oss_buckets"},
    {"markDeletionAfterDays", Handling::kRead, check_as<std::int32_t>, "After so many days objects are deleted.",
     &kInteger, "test_oss_buckets"},
};
constexpr FieldTable kLifecycleTable("OSSLifecycleRule", kLifecycleFields);

constexpr Field<Unread> kOssFields[] = {
    {"endpoint", Handling::kRead, check_as<std::string>,
     "Host of the store, or its URL; without \"https://\" it is asked without TLS.", &kString, "test_oss_artifacts"},
    {"bucket", Handling::kRead, check_as<std::string>, "The bucket.", &kString, "test_oss_artifacts"},
    {"key", Handling::kRead, check_as<std::string>,
     "Where in the bucket: a file, or a folder of all the keys below it.", &kString, "test_oss_artifacts",
     "A data template lists files without folders, and below \"KEY/\" only."},
    {"accessKeySecret", Handling::kRead, check_secret, "A key of a Secret: the access key.", &kSecretKey,
     "test_oss_artifacts"},
    {"secretKeySecret", Handling::kRead, check_secret, "A key of a Secret: the secret key.", &kSecretKey,
     "test_oss_artifacts"},
    {"securityToken", Handling::kRead, check_as<std::string>, "The token of a session.", &kString,
     "test_oss_identities"},
    {"useSDKCreds", Handling::kRead, check_as<bool>,
     "The key that Alibaba's programs find: in the environment, by an OIDC token, of `aliyun configure`, at a URL.",
     &kBoolean, "test_oss_identities", "Roles of machines at Alibaba are not asked for."},
    {"createBucketIfNotPresent", Handling::kRead, check_as<bool>, "Makes the bucket when it is missing; for outputs.",
     &kBoolean, "test_oss_buckets"},
    {"lifecycleRule", Handling::kRead, check_below<kLifecycleFields>,
     "What becomes of the objects of the key with time, in place of all rules that the bucket has; for outputs.",
     &kObject<kLifecycleTable>, "test_oss_buckets"},
};

// ---- azure ----

constexpr Field<Unread> kAzureFields[] = {
    {"blob", Handling::kRead, check_as<std::string>, "The blob's name: a file, or a folder of all the blobs below it.",
     &kString, "test_azure_artifacts"},
    {"endpoint", Handling::kRead, check_as<std::string>, "\"https://ACCOUNT.blob.core.windows.net\".", &kString,
     "test_azure_artifacts"},
    {"container", Handling::kRead, check_as<std::string>, "The container.", &kString, "test_azure_artifacts"},
    {"accountKeySecret", Handling::kRead, check_secret, "A key of a Secret: the account's key, or a token \"?sv=...\".",
     &kSecretKey, "test_azure_artifacts"},
    {"useSDKCreds", Handling::kRead, check_as<bool>,
     "Credentials as Azure's programs find them: a client's, a workload's, a machine's, those of `az login`.",
     &kBoolean, "test_azure_identities", "Certificates of clients, Arc, Service Fabric and `azd` are not known."},
};

}  // namespace

constexpr FieldTable kS3Table("S3Artifact", kS3Fields);
constexpr FieldTable kGcsTable("GCSArtifact", kGcsFields);
constexpr FieldTable kOssTable("OSSArtifact", kOssFields);
constexpr FieldTable kAzureTable("AzureArtifact", kAzureFields);

void check_s3(const Place& place) {
  check_object(place, kS3Fields);
}

void check_gcs(const Place& place) {
  check_object(place, kGcsFields);
}

void check_oss(const Place& place) {
  check_object(place, kOssFields);
}

void check_azure(const Place& place) {
  check_object(place, kAzureFields);
}

}  // namespace tiphys::api
