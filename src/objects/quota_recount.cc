#include "objects/quota_recount.h"

#include <vector>

#include "base/log.h"
#include "objects/quota_usage.h"

namespace tiphys::objects {
namespace {

constexpr std::size_t kPage = 256;
constexpr Duration kAgainAfter = std::chrono::seconds(1);

bool counts_ended_pods(const ResourceList& hard) {
  return hard.contains("count/pods");
}

}  // namespace

/// Of one namespace.
struct QuotaRecount::Count {
  explicit Count(std::string of) : ns(std::move(of)) {}
  std::string ns;
  std::vector<std::string> quotas{};  ///< still to be counted; the last one is under way
  cluster::Object quota{};            ///< as it was before anything was counted
  ResourceList hard{}, used{};
  std::vector<const cluster::Resource*> resources{};  ///< still to be listed; the last one is under way
};

void QuotaRecount::mark(const std::string& ns) {
  marked_.insert(ns);
  if (busy_) return;
  busy_ = true;
  executor_.post([this, alive = std::weak_ptr(alive_)] {
    if (!alive.expired()) begin();
  });
}

void QuotaRecount::begin() {
  if (marked_.empty()) {
    busy_ = false;
    return;
  }
  auto count = std::make_shared<Count>(marked_.extract(marked_.begin()).value());
  if (const auto quotas = store_.snapshot(cluster::kResourceQuotas)) {
    for (const cluster::Object& quota : *quotas) {
      if (doc::find_string(*quota, "metadata", "namespace") == count->ns)
        count->quotas.emplace_back(doc::find_string(*quota, "metadata", "name"));
    }
  }
  next_quota(count);
}

void QuotaRecount::next_quota(const std::shared_ptr<Count>& count) {
  if (count->quotas.empty()) return begin();
  const auto quota = store_.newest({&cluster::kResourceQuotas, count->ns, count->quotas.back()});
  if (!quota || !*quota) {
    count->quotas.pop_back();
    return next_quota(count);
  }
  count->quota = *quota;
  count->hard = read_resources(doc::find(**quota, "spec", "hard"));
  count->used.clear();
  const auto resources = counted_resources(count->hard);
  count->resources.assign(resources.begin(), resources.end());
  for (const cluster::Resource* resource : resources) {
    for (const std::string& name : counted(*resource, count->hard)) count->used[name];
  }
  next_resource(count);
}

void QuotaRecount::next_resource(const std::shared_ptr<Count>& count) {
  if (count->resources.empty()) return write(count);
  next_page(count, "");
}

/// A list waits for writes that were accepted before it, so nothing is missed that a quota has been charged for: who is
/// charged later changes the quota's version.
void QuotaRecount::next_page(const std::shared_ptr<Count>& count, std::string token) {
  const cluster::Resource& resource = *count->resources.back();
  cluster::ListOptions options;
  options.ns = count->ns;
  options.limit = kPage;
  options.continue_token = std::move(token);
  if (&resource == &cluster::kPods && !counts_ended_pods(count->hard)) {
    if (auto live = cluster::Selector::parse("status.phase!=Succeeded,status.phase!=Failed")) options.fields = *live;
  }
  store_.list(resource, std::move(options),
              [this, alive = std::weak_ptr(alive_), count, &resource](const Result<cluster::List>& page) {
                if (alive.expired()) return;
                if (!page) return later(count, page.error());
                for (const cluster::Object& object : page->items) {
                  if (!in_scopes(*count->quota, resource, *object)) continue;
                  for (const auto& [name, amount] : usage_of(resource, *object)) {
                    if (const auto limited = count->used.find(name); limited != count->used.end())
                      limited->second += amount;
                  }
                }
                if (!page->continue_token.empty()) return next_page(count, page->continue_token);
                count->resources.pop_back();
                next_resource(count);
              });
}

void QuotaRecount::write(const std::shared_ptr<Count>& count) {
  const auto version = [](const doc::Value& quota) { return doc::find_string(quota, "metadata", "resourceVersion"); };
  store_.modify(
      {&cluster::kResourceQuotas, count->ns, count->quotas.back()},
      [&](const cluster::Object& newest) -> Result<doc::Value> {
        if (!newest) return fail(Code::kNotFound, "the quota is gone");
        if (version(*newest) != version(*count->quota)) return fail(Code::kAborted, "the quota has changed");
        doc::Value next = *newest;
        next.get_object()["status"] = doc::Object{{"hard", written(count->hard)}, {"used", written(count->used)}};
        return next;
      },
      {},
      [this, alive = std::weak_ptr(alive_), count](const Result<cluster::Object>& answer) {
        if (alive.expired()) return;
        if (!answer && answer.error().code == Code::kAborted) return next_quota(count);
        if (!answer && answer.error().code != Code::kNotFound) return later(count, answer.error());
        count->quotas.pop_back();
        next_quota(count);
      });
}

void QuotaRecount::later(const std::shared_ptr<Count>& count, const Error& why) {
  log::warn("what the quotas of {} have in use cannot be counted and will be again: {}", count->ns, why.message);
  executor_.schedule(executor_.now() + kAgainAfter, [this, alive = std::weak_ptr(alive_), ns = count->ns] {
    if (!alive.expired()) mark(ns);
  });
  begin();
}

}  // namespace tiphys::objects
