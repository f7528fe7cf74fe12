#include "schema/descriptions.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "schema/kubernetes.h"

namespace tiphys::schema {
namespace {

const doc::Object* properties_of(std::string_view type) {
  const doc::Value* schema = kubernetes_schemas().if_contains(type);
  const doc::Value* properties = schema ? doc::find(*schema, "properties") : nullptr;
  return properties ? properties->if_object() : nullptr;
}

TEST(Descriptions, AreOfFieldsThatThereAre) {
  std::ifstream file(TIPHYS_DESCRIPTIONS_FILE);
  std::string type, line;
  std::size_t lines = 0;
  for (; std::getline(file, line); ++lines) {
    const bool is_field = line.starts_with("  ");
    const std::string name = line.substr(is_field ? 2 : 0, line.find(": ") - (is_field ? 2 : 0));
    if (!is_field) {
      const std::string last = name.substr(0, name.rfind('.'));
      const std::string package = last == "meta.v1"    ? "io.k8s.apimachinery.pkg.apis.meta.v1"
                                  : last == "resource" ? "io.k8s.apimachinery.pkg.api.resource"
                                  : last == "intstr"   ? "io.k8s.apimachinery.pkg.util.intstr"
                                  : last == "apiextensions.v1"
                                      ? "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1"
                                      : "io.k8s.api." + last;
      type = package + name.substr(name.rfind('.'));
      EXPECT_TRUE(kubernetes_schemas().contains(type)) << line;
      EXPECT_EQ(describe(type), line.substr(line.find(": ") + 2));
    } else {
      const doc::Object* properties = properties_of(type);
      EXPECT_TRUE(properties && properties->contains(name)) << type << ": " << line;
      EXPECT_EQ(describe(type, name), line.substr(line.find(": ") + 2));
    }
    EXPECT_TRUE(line.ends_with('.')) << line;
  }
  EXPECT_GT(lines, 500U);
}

TEST(Descriptions, AreThereForAllOfWhatIsUsedMost) {
  for (const char* type : {"core.v1.Pod",
                           "core.v1.Container",
                           "core.v1.ConfigMap",
                           "core.v1.Secret",
                           "core.v1.Service",
                           "core.v1.PersistentVolumeClaim",
                           "core.v1.Event",
                           "apps.v1.Deployment",
                           "apps.v1.DeploymentSpec",
                           "apps.v1.StatefulSetSpec",
                           "apps.v1.DaemonSetSpec",
                           "core.v1.ReplicationControllerSpec",
                           "batch.v1.Job",
                           "batch.v1.JobSpec",
                           "batch.v1.CronJobSpec",
                           "rbac.v1.Role",
                           "rbac.v1.PolicyRule",
                           "rbac.v1.RoleBinding",
                           "policy.v1.PodDisruptionBudgetSpec",
                           "events.v1.Event"}) {
    const std::string name = std::string("io.k8s.api.") + type;
    ASSERT_TRUE(properties_of(name)) << type;
    for (const auto& [field, schema] : *properties_of(name)) {
      EXPECT_NE(describe(name, field), "") << type << "." << std::string_view(field);
    }
  }
  EXPECT_EQ(describe("io.k8s.api.core.v1.Pod", "nonsense"), "");
  EXPECT_EQ(describe("nonsense"), "");
}

}  // namespace
}  // namespace tiphys::schema
