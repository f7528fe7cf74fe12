#include "controllers/expiry.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace tiphys::controllers {
namespace {

/// The status has the end by the second; the original waits for another.
constexpr Duration kGrace = std::chrono::seconds(2);
/// Beyond this a time of deletion would leave the clock's range.
constexpr std::int64_t kLongestSeconds = std::int64_t{100} * 366 * 24 * 3600;

std::optional<Duration> seconds(const doc::Value& strategy, std::string_view name) {
  const doc::Value* value = doc::find(strategy, name);
  if (!value || !value->is_int64()) return std::nullopt;
  return std::chrono::seconds(std::clamp(value->get_int64(), -kLongestSeconds, kLongestSeconds));
}

const doc::Value* strategy_of(const doc::Value& workflow) {
  const doc::Value* own = doc::find(workflow, "spec", "ttlStrategy");
  if (own && own->is_object()) return own;
  const doc::Value* stored = doc::find(workflow, "status", "storedWorkflowTemplateSpec", "ttlStrategy");
  return stored && stored->is_object() ? stored : nullptr;
}

}  // namespace

std::optional<Duration> time_to_live(const doc::Value& workflow, std::string_view phase) {
  const doc::Value* strategy = strategy_of(workflow);
  if (!strategy) return std::nullopt;
  std::optional<Duration> kept;
  if (phase == "Failed" || phase == "Error") kept = seconds(*strategy, "secondsAfterFailure");
  if (phase == "Succeeded") kept = seconds(*strategy, "secondsAfterSuccess");
  return kept ? kept : seconds(*strategy, "secondsAfterCompletion");
}

doc::Value ttl_strategies(const doc::Value& workflow) {
  const doc::Value* strategy = strategy_of(workflow);
  if (!strategy) return doc::Object();
  return {{"spec", doc::Object{{"ttlStrategy", *strategy}}}};
}

std::optional<Time> pod_expiry(const doc::Value& pod) {
  const std::string_view text = doc::find_string(pod, "metadata", "labels", kExpiresLabel);
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || std::abs(seconds) > kLongestSeconds) {
    return std::nullopt;
  }
  return Time(std::chrono::seconds(seconds));
}

std::optional<Time> expiry(const doc::Value& workflow) {
  const auto kept = time_to_live(workflow, doc::find_string(workflow, "status", "phase"));
  const auto finished = parse_rfc3339(doc::find_string(workflow, "status", "finishedAt"));
  if (!kept || !finished) return std::nullopt;
  return *finished + *kept + kGrace;
}

}  // namespace tiphys::controllers
