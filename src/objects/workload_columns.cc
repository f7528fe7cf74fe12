#include <fmt/format.h>

#include <array>

#include "cluster/rare_resources.h"
#include "objects/columns.h"
#include "objects/human_duration.h"

namespace tiphys::objects {
namespace {

using doc::Value;

std::int64_t number(const Value& object, std::string_view part, std::string_view member) {
  const Value* found = doc::find(object, part, member);
  return found && found->is_int64() ? found->get_int64() : 0;
}

Value wanted(const Value& object, Time) {
  return Value(number(object, "spec", "replicas"));
}
Value present(const Value& object, Time) {
  return Value(number(object, "status", "replicas"));
}
Value ready(const Value& object, Time) {
  return Value(number(object, "status", "readyReplicas"));
}
Value ready_of_wanted(const Value& object, Time) {
  return Value(fmt::format("{}/{}", number(object, "status", "readyReplicas"), number(object, "spec", "replicas")));
}
Value updated(const Value& object, Time) {
  return Value(number(object, "status", "updatedReplicas"));
}
Value available(const Value& object, Time) {
  return Value(number(object, "status", "availableReplicas"));
}

constexpr std::array kDeploymentColumns{
    kNameColumn,
    Column{"Ready", "string", 0, "How many of its pods are ready.", ready_of_wanted},
    Column{"Up-to-date", "string", 0, "How many have its newest template.", updated},
    Column{"Available", "string", 0, "How many have been ready for long enough.", available},
    kAgeColumn,
    kContainersColumn,
    kImagesColumn,
    kSelectorColumn};

constexpr std::array kReplicaSetColumns{kNameColumn,
                                        Column{"Desired", "integer", 0, "How many pods it should have.", wanted},
                                        Column{"Current", "integer", 0, "How many it has.", present},
                                        Column{"Ready", "integer", 0, "How many of them are ready.", ready},
                                        kAgeColumn,
                                        kContainersColumn,
                                        kImagesColumn,
                                        kSelectorColumn};

Value map_selector(const Value& object, Time) {
  return label_map_cell(doc::find(object, "spec", "selector"));
}
constexpr std::array kReplicationControllerColumns{
    kNameColumn,
    Column{"Desired", "integer", 0, "How many pods it should have.", wanted},
    Column{"Current", "integer", 0, "How many it has.", present},
    Column{"Ready", "integer", 0, "How many of them are ready.", ready},
    kAgeColumn,
    kContainersColumn,
    kImagesColumn,
    Column{"Selector", "string", 1, "The labels of its pods.", map_selector}};

// DaemonSets

Value daemons_wanted(const Value& object, Time) {
  return Value(number(object, "status", "desiredNumberScheduled"));
}
Value daemons_present(const Value& object, Time) {
  return Value(number(object, "status", "currentNumberScheduled"));
}
Value daemons_ready(const Value& object, Time) {
  return Value(number(object, "status", "numberReady"));
}
Value daemons_updated(const Value& object, Time) {
  return Value(number(object, "status", "updatedNumberScheduled"));
}
Value daemons_available(const Value& object, Time) {
  return Value(number(object, "status", "numberAvailable"));
}
Value node_selector(const Value& object, Time) {
  return label_map_cell(doc::find(object, "spec", "template", "spec", "nodeSelector"));
}
constexpr std::array kDaemonSetColumns{
    kNameColumn,
    Column{"Desired", "integer", 0, "How many nodes should have a pod of it.", daemons_wanted},
    Column{"Current", "integer", 0, "How many of them have one.", daemons_present},
    Column{"Ready", "integer", 0, "On how many it is ready.", daemons_ready},
    Column{"Up-to-date", "integer", 0, "On how many it has the newest template.", daemons_updated},
    Column{"Available", "integer", 0, "On how many it has been ready for long enough.", daemons_available},
    Column{"Node Selector", "string", 0, "The labels of nodes that have a pod of it.", node_selector},
    kAgeColumn,
    kContainersColumn,
    kImagesColumn,
    kSelectorColumn};

constexpr std::array kStatefulSetColumns{
    kNameColumn, Column{"Ready", "string", 0, "How many of its pods are ready.", ready_of_wanted}, kAgeColumn,
    kContainersColumn, kImagesColumn};

Value revision_number(const Value& revision, Time) {
  const Value* found = doc::find(revision, "revision");
  return found ? *found : Value(0);
}
Value controller(const Value& revision, Time) {
  const Value* owners = doc::find(revision, "metadata", "ownerReferences");
  if (!owners || !owners->is_array() || owners->get_array().empty()) return Value("<none>");
  const Value& owner = owners->get_array()[0];
  const auto group = doc::find_string(owner, "apiVersion");
  std::string kind(doc::find_string(owner, "kind"));
  for (char& c : kind) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return Value(fmt::format("{}.{}/{}", kind, group.substr(0, group.find('/')), doc::find_string(owner, "name")));
}
constexpr std::array kRevisionColumns{kNameColumn,
                                      Column{"Controller", "string", 0, "Whose template it is.", controller},
                                      Column{"Revision", "string", 0, "Its number.", revision_number}, kAgeColumn};

// CronJobs

const Value& job_of(const Value& cron) {
  static const Value kNothing = doc::Object();
  const Value* found = doc::find(cron, "spec", "jobTemplate");
  return found ? *found : kNothing;
}
Value cron_schedule(const Value& cron, Time) {
  return Value(doc::find_string(cron, "spec", "schedule"));
}
Value cron_zone(const Value& cron, Time) {
  const auto zone = doc::find_string(cron, "spec", "timeZone");
  return Value(zone.empty() ? "<none>" : zone);
}
Value cron_suspend(const Value& cron, Time) {
  const Value* found = doc::find(cron, "spec", "suspend");
  return Value(!found || !found->is_bool() ? "<unset>" : found->get_bool() ? "True" : "False");
}
Value cron_active(const Value& cron, Time) {
  const Value* found = doc::find(cron, "status", "active");
  return Value(found && found->is_array() ? std::ssize(found->get_array()) : 0);
}
Value cron_last(const Value& cron, Time now) {
  const auto last = parse_rfc3339(doc::find_string(cron, "status", "lastScheduleTime"));
  return Value(last ? human_duration(now - *last) : "<none>");
}
Value cron_names(const Value& cron, Time now) {
  return container_names_cell(job_of(cron), now);
}
Value cron_images(const Value& cron, Time now) {
  return container_images_cell(job_of(cron), now);
}
Value cron_selector(const Value& cron, Time now) {
  return label_selector_cell(job_of(cron), now);
}

constexpr std::array kCronJobColumns{
    kNameColumn,
    Column{"Schedule", "string", 0, "When its jobs begin.", cron_schedule},
    Column{"Timezone", "string", 0, "Whose clock it goes by.", cron_zone},
    Column{"Suspend", "string", 0, "Whether none begin.", cron_suspend},
    Column{"Active", "integer", 0, "How many of its jobs run.", cron_active},
    Column{"Last Schedule", "string", 0, "Time since the last one was due.", cron_last},
    kAgeColumn,
    Column{"Containers", "string", 1, "The names of its containers.", cron_names},
    Column{"Images", "string", 1, "The images of its containers.", cron_images},
    Column{"Selector", "string", 1, "The labels of its pods.", cron_selector}};

}  // namespace

std::span<const Column> workload_columns(const cluster::Resource& resource) {
  if (&resource == &cluster::kDeployments) return kDeploymentColumns;
  if (&resource == &cluster::kReplicaSets) return kReplicaSetColumns;
  if (&resource == &cluster::kReplicationControllers) return kReplicationControllerColumns;
  if (&resource == &cluster::kDaemonSets) return kDaemonSetColumns;
  if (&resource == &cluster::kCronJobs) return kCronJobColumns;
  if (&resource == &cluster::kStatefulSets) return kStatefulSetColumns;
  if (&resource == &cluster::kControllerRevisions) return kRevisionColumns;
  return {};
}

}  // namespace tiphys::objects
