#include "schema/kubernetes.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/check.h"
#include "base/embedded.h"

namespace tiphys::schema {

TIPHYS_EMBED(tiphys_kubernetes_schemas, TIPHYS_KUBERNETES_SCHEMAS)

namespace {

/// Where the types of an API group are.
constexpr std::array<std::pair<std::string_view, std::string_view>, 16> kPackages{{
    {"v1", "io.k8s.api.core.v1"},
    {"apps/v1", "io.k8s.api.apps.v1"},
    {"batch/v1", "io.k8s.api.batch.v1"},
    {"autoscaling/v1", "io.k8s.api.autoscaling.v1"},
    {"coordination.k8s.io/v1", "io.k8s.api.coordination.v1"},
    {"discovery.k8s.io/v1", "io.k8s.api.discovery.v1"},
    {"events.k8s.io/v1", "io.k8s.api.events.v1"},
    {"networking.k8s.io/v1", "io.k8s.api.networking.v1"},
    {"policy/v1", "io.k8s.api.policy.v1"},
    {"rbac.authorization.k8s.io/v1", "io.k8s.api.rbac.v1"},
    {"scheduling.k8s.io/v1", "io.k8s.api.scheduling.v1"},
    {"storage.k8s.io/v1", "io.k8s.api.storage.v1"},
    {"apiextensions.k8s.io/v1", "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1"},
    {"authentication.k8s.io/v1", "io.k8s.api.authentication.v1"},
    {"authorization.k8s.io/v1", "io.k8s.api.authorization.v1"},
    {"meta.k8s.io/v1", "io.k8s.apimachinery.pkg.apis.meta.v1"},
}};
constexpr std::string_view kMeta = "io.k8s.apimachinery.pkg.apis.meta.v1";

}  // namespace

const doc::Object& kubernetes_schemas() {
  static const doc::Value parsed = [] {
    auto value = doc::parse_json(tiphys_kubernetes_schemas());
    TIPHYS_CHECK(value && value->is_object(), "the schemas are built in");
    return std::move(*value);
  }();
  return parsed.get_object();
}

const Types& kubernetes_types() {
  static const Types& types = [] -> const Types& {
    static Types made;
    const Status added = made.add(kubernetes_schemas());
    TIPHYS_CHECK(added, "the schemas are built in");
    return made;
  }();
  return types;
}

std::string kubernetes_type_name(std::string_view api_version, std::string_view kind) {
  for (const auto& [version, package] : kPackages) {
    if (version == api_version) return fmt::format("{}.{}", package, kind);
  }
  return "";
}

const Type* kubernetes_type(std::string_view api_version, std::string_view kind) {
  const Type* found = kubernetes_types().find(kubernetes_type_name(api_version, kind));
  // Status, DeleteOptions and their like belong to every group.
  return found || api_version != "v1" ? found : kubernetes_types().find(fmt::format("{}.{}", kMeta, kind));
}

}  // namespace tiphys::schema
