#include "api/fields.h"

namespace tiphys::api {
namespace {

constexpr Shape kEmptyDirVolumeSource = kubernetes("EmptyDirVolumeSource");
constexpr Shape kHostPathVolumeSource = kubernetes("HostPathVolumeSource");
constexpr Shape kConfigMapVolumeSource = kubernetes("ConfigMapVolumeSource");
constexpr Shape kSecretVolumeSource = kubernetes("SecretVolumeSource");
constexpr Shape kPersistentVolumeClaimVolumeSource = kubernetes("PersistentVolumeClaimVolumeSource");
constexpr Shape kConfigMapProjection = kubernetes("ConfigMapProjection");
constexpr Shape kSecretProjection = kubernetes("SecretProjection");
constexpr Shape kDownwardAPIProjection = kubernetes("DownwardAPIProjection");
constexpr Shape kServiceAccountToken = kubernetes("ServiceAccountTokenProjection");
constexpr Shape kTrustBundle = kubernetes("ClusterTrustBundleProjection");
constexpr Shape kPodCertificate = kubernetes("PodCertificateProjection");
constexpr Shape kDownwardAPIVolumeSource = kubernetes("DownwardAPIVolumeSource");
constexpr Shape kEphemeralVolumeSource = kubernetes("EphemeralVolumeSource");
constexpr Shape kCSIVolumeSource = kubernetes("CSIVolumeSource");
constexpr Shape kImageVolumeSource = kubernetes("ImageVolumeSource");
constexpr Shape kNFSVolumeSource = kubernetes("NFSVolumeSource");
constexpr Shape kISCSIVolumeSource = kubernetes("ISCSIVolumeSource");
constexpr Shape kFCVolumeSource = kubernetes("FCVolumeSource");
constexpr Shape kRBDVolumeSource = kubernetes("RBDVolumeSource");
constexpr Shape kCephFSVolumeSource = kubernetes("CephFSVolumeSource");
constexpr Shape kCinderVolumeSource = kubernetes("CinderVolumeSource");
constexpr Shape kGlusterfsVolumeSource = kubernetes("GlusterfsVolumeSource");
constexpr Shape kGitRepoVolumeSource = kubernetes("GitRepoVolumeSource");
constexpr Shape kFlexVolumeSource = kubernetes("FlexVolumeSource");
constexpr Shape kFlockerVolumeSource = kubernetes("FlockerVolumeSource");
constexpr Shape kAzureFileVolumeSource = kubernetes("AzureFileVolumeSource");
constexpr Shape kAzureDiskVolumeSource = kubernetes("AzureDiskVolumeSource");
constexpr Shape kVsphereVirtualDiskVolumeSource = kubernetes("VsphereVirtualDiskVolumeSource");
constexpr Shape kQuobyteVolumeSource = kubernetes("QuobyteVolumeSource");
constexpr Shape kPhotonPersistentDiskVolumeSource = kubernetes("PhotonPersistentDiskVolumeSource");
constexpr Shape kPortworxVolumeSource = kubernetes("PortworxVolumeSource");
constexpr Shape kScaleIOVolumeSource = kubernetes("ScaleIOVolumeSource");
constexpr Shape kStorageOSVolumeSource = kubernetes("StorageOSVolumeSource");
constexpr Shape kGCEPersistentDiskVolumeSource = kubernetes("GCEPersistentDiskVolumeSource");
constexpr Shape kAWSElasticBlockStoreVolumeSource = kubernetes("AWSElasticBlockStoreVolumeSource");

constexpr Field<Unread> kProjectionFields[] = {
    {"configMap", Handling::kRead, nullptr, "The keys of a ConfigMap.", &kConfigMapProjection,
     "AgentTest.ProjectedVolumesAreOneFolder"},
    {"secret", Handling::kRead, nullptr, "The keys of a Secret.", &kSecretProjection,
     "AgentTest.ProjectedVolumesAreOneFolder"},
    {"downwardAPI", Handling::kRead, nullptr, "Fields of the pod.", &kDownwardAPIProjection,
     "AgentTest.ProjectedVolumesAreOneFolder"},
    {"serviceAccountToken", Handling::kCarry, nullptr, "A token of the pod's account.", &kServiceAccountToken,
     "test_projected_tokens_are_for_whom_they_say", "Only `tiphys up` gives any, as it alone has an API for others."},
    {"clusterTrustBundle", Handling::kCluster, nullptr, "Certificates that the cluster trusts.", &kTrustBundle},
    {"podCertificate", Handling::kCluster, nullptr, "A certificate for the pod.", &kPodCertificate},
};
constexpr FieldTable kProjectionTable("VolumeProjection", kProjectionFields);

void check_projections(const Place& place, Unread&) {
  if (!expect_array(place)) return;
  const doc::Array& array = place.value().get_array();
  for (std::size_t i = 0; i < array.size(); ++i) check_object(place.element(i, array[i]), kProjectionFields);
}

constexpr Field<Unread> kProjectedFields[] = {
    {"sources", Handling::kRead, check_projections, "What the folder holds.",
     &kObject<kProjectionTable, Shape::Around::kList>, "AgentTest.ProjectedVolumesAreOneFolder"},
    {"defaultMode", Handling::kRead, check_as<std::int64_t>, "The files' permissions; 0644 without a word.", &kInteger,
     "AgentTest.ProjectedVolumesAreOneFolder"},
};
constexpr FieldTable kProjectedTable("ProjectedVolumeSource", kProjectedFields);

void check_projected(const Place& place, Unread&) {
  check_object(place, kProjectedFields);
}

constexpr Field<Unread> kVolumeFields[] = {
    {"name", Handling::kRead, check_as<std::string>, "How volumeMounts call it.", &kString},
    {"emptyDir", Handling::kRead, nullptr, "An empty folder for the pod's life.", &kEmptyDirVolumeSource,
     "AgentTest.VolumesBecomeMounts"},
    {"hostPath", Handling::kRead, nullptr, "A file or folder of the host.", &kHostPathVolumeSource,
     "AgentTest.VolumesBecomeMounts"},
    {"configMap", Handling::kRead, nullptr, "The keys of a ConfigMap as files.", &kConfigMapVolumeSource,
     "AgentTest.VolumesBecomeMounts"},
    {"secret", Handling::kRead, nullptr, "The keys of a Secret as files.", &kSecretVolumeSource,
     "AgentTest.VolumesBecomeMounts"},
    {"persistentVolumeClaim", Handling::kRead, nullptr, "Storage that was claimed.",
     &kPersistentVolumeClaimVolumeSource, "AgentTest.ClaimsAreFoldersThatOutliveThePod",
     "A claim that does not exist fails the pod; in a cluster it waits for one."},
    {"projected", Handling::kRead, check_projected, "ConfigMaps, Secrets and fields of the pod in one folder.",
     &kObject<kProjectedTable>, "AgentTest.ProjectedVolumesAreOneFolder"},
    {"downwardAPI", Handling::kRead, nullptr, "Fields of the pod as files.", &kDownwardAPIVolumeSource,
     "AgentTest.ProjectedVolumesAreOneFolder"},
    {"ephemeral", Handling::kRead, nullptr, "Storage claimed for the pod's life.", &kEphemeralVolumeSource,
     "AgentTest.ClaimsAreFoldersThatOutliveThePod", "An empty folder, without a claim."},
    {"csi", Handling::kCluster, nullptr, "By a storage driver.", &kCSIVolumeSource},
    {"image", Handling::kCluster, nullptr, "The files of an image.", &kImageVolumeSource},
    {"nfs", Handling::kCluster, nullptr, "A folder of an NFS server.", &kNFSVolumeSource},
    {"iscsi", Handling::kCluster, nullptr, "An iSCSI disk.", &kISCSIVolumeSource},
    {"fc", Handling::kCluster, nullptr, "A Fibre Channel disk.", &kFCVolumeSource},
    {"rbd", Handling::kCluster, nullptr, "A Ceph disk.", &kRBDVolumeSource},
    {"cephfs", Handling::kCluster, nullptr, "A folder of Ceph.", &kCephFSVolumeSource},
    {"cinder", Handling::kCluster, nullptr, "An OpenStack disk.", &kCinderVolumeSource},
    {"glusterfs", Handling::kCluster, nullptr, "A folder of Gluster.", &kGlusterfsVolumeSource},
    {"gitRepo", Handling::kCluster, nullptr, "A git repository.", &kGitRepoVolumeSource},
    {"flexVolume", Handling::kCluster, nullptr, "By an old storage driver.", &kFlexVolumeSource},
    {"flocker", Handling::kCluster, nullptr, "By Flocker.", &kFlockerVolumeSource},
    {"azureFile", Handling::kCluster, nullptr, "A folder in Azure.", &kAzureFileVolumeSource},
    {"azureDisk", Handling::kCluster, nullptr, "A disk of Azure.", &kAzureDiskVolumeSource},
    {"vsphereVolume", Handling::kCluster, nullptr, "A disk of vSphere.", &kVsphereVirtualDiskVolumeSource},
    {"quobyte", Handling::kCluster, nullptr, "A folder of Quobyte.", &kQuobyteVolumeSource},
    {"photonPersistentDisk", Handling::kCluster, nullptr, "A disk of Photon.", &kPhotonPersistentDiskVolumeSource},
    {"portworxVolume", Handling::kCluster, nullptr, "A disk of Portworx.", &kPortworxVolumeSource},
    {"scaleIO", Handling::kCluster, nullptr, "A disk of ScaleIO.", &kScaleIOVolumeSource},
    {"storageos", Handling::kCluster, nullptr, "A disk of StorageOS.", &kStorageOSVolumeSource},
    {"gcePersistentDisk", Handling::kCluster, nullptr, "A disk of Google's cloud.", &kGCEPersistentDiskVolumeSource},
    {"awsElasticBlockStore", Handling::kCluster, nullptr, "A disk of Amazon's cloud.",
     &kAWSElasticBlockStoreVolumeSource},
};

}  // namespace

constexpr FieldTable kVolumeTable("Volume", kVolumeFields);

void check_volumes(const Place& place) {
  if (!expect_array(place)) return;
  const doc::Array& array = place.value().get_array();
  for (std::size_t i = 0; i < array.size(); ++i) check_object(place.element(i, array[i]), kVolumeFields);
}

}  // namespace tiphys::api
