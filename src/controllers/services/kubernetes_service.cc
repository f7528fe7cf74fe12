#include "controllers/services/kubernetes_service.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/log.h"

namespace tiphys::controllers {
namespace {

constexpr std::string_view kNamespace = "default", kName = "kubernetes";

doc::Object metadata(doc::Object labels) {
  return {{"name", kName}, {"namespace", kNamespace}, {"labels", std::move(labels)}};
}

doc::Value service(const KubernetesServiceOptions& options) {
  const doc::Object port{
      {"name", "https"}, {"port", options.port}, {"protocol", "TCP"}, {"targetPort", options.target_port}};
  return {{"metadata", metadata({{"component", "apiserver"}, {"provider", "kubernetes"}})},
          {"spec",
           {{"clusterIP", options.address},
            {"clusterIPs", doc::Array{options.address}},
            {"internalTrafficPolicy", "Cluster"},
            {"ipFamilies", doc::Array{"IPv4"}},
            {"ipFamilyPolicy", "SingleStack"},
            {"ports", doc::Array{port}},
            {"sessionAffinity", "None"},
            {"type", "ClusterIP"}}}};
}

doc::Array ports(const KubernetesServiceOptions& options) {
  return {doc::Object{{"name", "https"}, {"port", options.target_port}, {"protocol", "TCP"}}};
}

doc::Value endpoints(const KubernetesServiceOptions& options) {
  return {{"metadata", metadata({{"endpointslice.kubernetes.io/skip-mirror", "true"}})},
          {"subsets", doc::Array{doc::Object{{"addresses", doc::Array{doc::Object{{"ip", "127.0.0.1"}}}},
                                             {"ports", ports(options)}}}}};
}

doc::Value slice(const KubernetesServiceOptions& options) {
  return {{"metadata", metadata({{"kubernetes.io/service-name", kName}})},
          {"addressType", "IPv4"},
          {"endpoints", doc::Array{doc::Object{{"addresses", doc::Array{"127.0.0.1"}},
                                               {"conditions", doc::Object{{"ready", true}}}}}},
          {"ports", ports(options)}};
}

/// All but the metadata.
bool says(const doc::Value& object, const doc::Value& wanted) {
  for (const auto& [member, value] : wanted.get_object()) {
    if (member == "metadata") continue;
    const doc::Value* found = doc::find(object, member);
    if (!found || *found != value) return false;
  }
  return true;
}

/// Whoever was there first is seen by the watch.
bool was_raced(const Error& error) {
  return error.code == Code::kAlreadyExists || error.code == Code::kAborted || error.code == Code::kNotFound;
}

}  // namespace

KubernetesService::KubernetesService(Executor& executor, cluster::Cluster& cluster, KubernetesServiceOptions options)
    : executor_(executor),
      cluster_(cluster),
      parts_{Part{&cluster::kServices, service(options)}, Part{&cluster::kEndpoints, endpoints(options)},
             Part{&cluster::kEndpointSlices, slice(options)}} {}

void KubernetesService::start(Executor::Task ready) {
  ready_ = std::move(ready);
  for (Part& part : parts_) follow(part);
}

void KubernetesService::follow(Part& part) {
  auto this_one = cluster::Selector::parse("metadata.name=kubernetes");
  TIPHYS_CHECK(this_one, "the field's name makes a selector");
  part.seen = false;
  cluster::WatchSink sink;
  sink.on_event = [this, &part](const cluster::WatchEvent& event) { on_event(part, event); };
  sink.on_end = [this, &part](const Error& error) {
    log::warn("the API's own service is followed anew: {}", error.message);
    executor_.post([&part, weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->follow(part);
    });
  };
  part.watch =
      cluster_.watch(*part.resource, {.ns = std::string(kNamespace), .fields = std::move(*this_one)}, std::move(sink));
}

void KubernetesService::on_event(Part& part, const cluster::WatchEvent& event) {
  if (event.type == cluster::WatchEvent::Type::kSynced) {
    if (!part.seen) create(part);
    return;
  }
  if (event.type == cluster::WatchEvent::Type::kDeleted) return create(part);
  part.seen = true;
  if (says(*event.object, part.wanted)) return settle(part);
  doc::Value next = *event.object;
  for (const auto& [member, value] : part.wanted.get_object()) {
    if (member != "metadata") next.get_object()[member] = value;
  }
  cluster_.update({part.resource, std::string(kNamespace), std::string(kName)}, std::move(next), written(part));
}

void KubernetesService::create(Part& part) {
  cluster_.create(*part.resource, part.wanted, written(part));
}

cluster::Done<cluster::Object> KubernetesService::written(Part& part) {
  return [&part, weak = weak_from_this()](const Result<cluster::Object>& written) {
    if (written || was_raced(written.error())) return;
    log::error("pods cannot be told where the API is: {}", written.error().message);
    if (const auto self = weak.lock()) self->settle(part);
  };
}

void KubernetesService::settle(Part& part) {
  part.settled = true;
  const bool all = std::ranges::all_of(parts_, [](const Part& one) { return one.settled; });
  if (all && ready_) std::exchange(ready_, nullptr)();
}

}  // namespace tiphys::controllers
