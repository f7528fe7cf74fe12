// SyncService.
#include <fmt/format.h>

#include "argo/sync_limits.h"
#include "argo/work.h"

namespace tiphys::argo {
namespace {

/// SyncConfigType, by name or by number.
Result<bool> is_in_database(const doc::Value& type) {
  if (type.is_null()) return false;
  const std::string text = doc::scalar_text(type);
  if (text == "CONFIGMAP" || text == "0") return false;
  if (text == "DATABASE" || text == "1") return true;
  return fail(Code::kInvalidArgument, fmt::format("unsupported sync config type: {}", text));
}

Result<SyncLimit> limit_of(const Work& work, bool with_limit) {
  TIPHYS_TRY(const bool in_database, is_in_database(work.member("type")));
  SyncLimit limit{.ns = work.text("namespace"), .key = work.text("key")};
  if (limit.key.empty()) return fail(Code::kInvalidArgument, "key: it is missing");
  if (!in_database) limit.config_map = work.text("cmName");
  if (!in_database && limit.config_map.empty()) {
    return fail(Code::kInvalidArgument, "cmName: the ConfigMap's name is missing");
  }
  if (!with_limit) return limit;
  const doc::Value& value = work.member("limit");
  limit.limit = value.is_int64() ? value.get_int64() : 0;
  if (limit.limit <= 0) return fail(Code::kInvalidArgument, "limit must be greater than zero");
  return limit;
}

using Operation = void (*)(cluster::Cluster&, const SyncLimit&, cluster::Done<std::int64_t>);

void answer_with_limit(const WorkPtr& work, Operation operation, bool with_limit) {
  auto limit = limit_of(*work, with_limit);
  if (!limit) return work->refuse(limit.error());
  operation(work->cluster(), *limit, work->then<std::int64_t>([work, limit = *limit](std::int64_t now) {
    doc::Object answer{{"namespace", limit.ns}, {"key", limit.key}, {"limit", now}};
    // As Go writes an enumeration.
    if (limit.in_database()) answer["type"] = 1;
    if (!limit.in_database()) answer["cmName"] = limit.config_map;
    work->reply(answer);
  }));
}

void remove(const WorkPtr& work) {
  auto limit = limit_of(*work, false);
  if (!limit) return work->refuse(limit.error());
  delete_limit(work->cluster(), *limit, work->then<void>([work] { work->reply(doc::Object{}); }));
}

}  // namespace

const Methods& sync_methods() {
  static const Methods kMethods{
      {"CreateSyncLimit", [](const WorkPtr& work) { answer_with_limit(work, create_limit, true); }},
      {"GetSyncLimit", [](const WorkPtr& work) { answer_with_limit(work, get_limit, false); }},
      {"UpdateSyncLimit", [](const WorkPtr& work) { answer_with_limit(work, update_limit, true); }},
      {"DeleteSyncLimit", remove}};
  return kMethods;
}

}  // namespace tiphys::argo
