// The logs of pods.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "server/exchange.h"
#include "server/streams.h"

namespace tiphys::server {
namespace {

using objects::Outcome;

constexpr std::int64_t kCentury = 100LL * 366 * 24 * 3600;

/// Calls `visit` with the name of each container, those that come first included.
template <typename Visit>
void each_container(const doc::Value& pod, Visit visit) {
  for (const char* list : {"initContainers", "containers", "ephemeralContainers"}) {
    const doc::Value* containers = doc::find(pod, "spec", list);
    if (!containers || !containers->is_array()) continue;
    for (const doc::Value& container : containers->get_array()) visit(doc::find_string(container, "name"));
  }
}

/// The container whose log is asked for when none is named: the only one, or main.
Outcome<std::string> only_container(const doc::Value& pod) {
  const doc::Value* containers = doc::find(pod, "spec", "containers");
  if (!containers || !containers->is_array() || containers->get_array().empty()) return std::string("main");
  const doc::Array& list = containers->get_array();
  for (const doc::Value& container : list) {
    const auto name = doc::find_string(container, "name");
    if (list.size() == 1 || name == "main") return std::string(name);
  }
  std::string names;
  each_container(pod, [&](std::string_view name) { names += (names.empty() ? "" : " ") + std::string(name); });
  return std::unexpected(
      objects::bad_request(fmt::format("a container name must be specified for pod {}, choose one of: [{}]",
                                       doc::find_string(pod, "metadata", "name"), names)));
}

/// Options as a query has them; a number that is not there is null.
struct LogNumbers {
  std::optional<std::int64_t> tail, bytes, seconds;
};

Outcome<LogNumbers> numbers_of(const Exchange& exchange) {
  LogNumbers numbers;
  const std::pair<std::string_view, std::optional<std::int64_t>*> wanted[] = {
      {"tailLines", &numbers.tail}, {"limitBytes", &numbers.bytes}, {"sinceSeconds", &numbers.seconds}};
  for (const auto& [name, number] : wanted) {
    if (exchange.query.value(name).empty()) continue;
    TIPHYS_TRY(*number, number_of<std::int64_t>(exchange, name, 0));
  }
  return numbers;
}

Outcome<void> check_options(const Exchange& exchange, std::string_view pod, const LogNumbers& numbers) {
  schema::FieldErrors errors;
  const auto positive = [&](const char* name, const std::optional<std::int64_t>& number) {
    if (number && *number < 1) errors.push_back(schema::invalid(name, doc::Value(*number), "must be greater than 0"));
  };
  if (numbers.tail && *numbers.tail < 0) {
    errors.push_back(schema::invalid("tailLines", doc::Value(*numbers.tail), "must be greater than or equal to 0"));
  }
  positive("limitBytes", numbers.bytes);
  if (numbers.seconds && !exchange.query.value("sinceTime").empty()) {
    errors.push_back(schema::forbidden("[]", "at most one of `sinceTime` or `sinceSeconds` may be specified"));
  } else {
    positive("sinceSeconds", numbers.seconds);
  }
  if (exchange.query.has("stream")) errors.push_back(schema::forbidden("stream", "may not be specified"));
  if (errors.empty()) return {};
  cluster::Resource options = cluster::kPods;
  options.kind = "PodLogOptions";
  return std::unexpected(objects::refuse_invalid(options, pod, errors));
}

Outcome<cluster::LogOptions> log_options(const Exchange& exchange, const LogNumbers& numbers) {
  const Target& query = exchange.query;
  cluster::LogOptions options;
  options.container = query.value("container");
  options.follow = query.flag("follow");
  options.timestamps = query.flag("timestamps");
  options.previous = query.flag("previous");
  options.tail = numbers.tail.value_or(-1);
  if (!query.value("sinceTime").empty()) {
    const auto since = parse_rfc3339(query.value("sinceTime"));
    if (!since) return std::unexpected(objects::bad_request(since.error().message));
    options.since = *since;
  } else if (numbers.seconds) {
    options.since = exchange.request.at - std::chrono::seconds(std::min(*numbers.seconds, kCentury));
  }
  return options;
}

}  // namespace

Outcome<void> check_container(const doc::Value& pod, std::string_view container) {
  bool known = false;
  each_container(pod, [&](std::string_view name) { known = known || name == container; });
  if (known) return {};
  return std::unexpected(objects::bad_request(
      fmt::format("container {} is not valid for pod {}", container, doc::find_string(pod, "metadata", "name"))));
}

Handled read_log(const ExchangePtr& exchange, const objects::Target& target) {
  TIPHYS_TRY(const LogNumbers numbers, numbers_of(*exchange));
  TIPHYS_TRY(auto options, log_options(*exchange, numbers));
  // The program's own commands ask for whatever there may be.
  const bool cri = exchange->query.value("format") == "cri";
  TIPHYS_CHECK_OK(exchange->api().allow(target, "get"));
  const LogForm form{.cri = cri, .most_bytes = numbers.bytes};
  if (cri && !options.container.empty()) {
    stream_log(exchange->api().store(), target.key(), std::move(options), form, exchange->responder);
    return {};
  }
  TIPHYS_CHECK_OK(check_options(*exchange, target.name, numbers));
  objects::Target pod_itself = target;
  pod_itself.subresource.clear();
  pod_itself.caller.reset();
  exchange->api().get(pod_itself, [exchange, target, options, form](Outcome<cluster::Object> pod) mutable {
    if (!pod) return reply_refusal(*exchange, pod.error());
    Outcome<void> known;
    if (!options.container.empty()) {
      known = check_container(**pod, options.container);
    } else if (auto container = only_container(**pod)) {
      options.container = std::move(*container);
    } else {
      known = std::unexpected(std::move(container.error()));
    }
    if (!known) return reply_refusal(*exchange, known.error());
    // Who follows waits for it.
    const bool begins = options.follow || !doc::find_string(**pod, "spec", "nodeName").empty();
    if (!begins && !form.cri) return exchange->responder->reply(204, "", "");
    stream_log(exchange->api().store(), target.key(), std::move(options), form, exchange->responder);
  });
  return {};
}

}  // namespace tiphys::server
