#include "server/routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "server/api_status.h"
#include "server/route.h"
#include "server/streams.h"
#include "server/version.h"

namespace tiphys::server {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr std::string_view kPrometheus = "text/plain; version=0.0.4; charset=utf-8";

using ResponderPtr = std::shared_ptr<Responder>;

void reply_error(Responder& responder, const Error& error) {
  responder.reply(http_code(error.code), kJson, status_json(error));
}

void reply_object(Responder& responder, const Result<cluster::Object>& result, unsigned code = 200) {
  if (!result) return reply_error(responder, result.error());
  responder.reply(code, kJson, doc::to_json(**result));
}

std::string list_json(const cluster::Resource& resource, const cluster::List& list) {
  std::string text = fmt::format(R"({{"kind":"{}List","apiVersion":"{}","metadata":{{"resourceVersion":"{}")",
                                 resource.kind, resource.api_version(), list.resource_version);
  if (!list.continue_token.empty()) text += ",\"continue\":" + doc::to_json(doc::Value(list.continue_token));
  text += "},\"items\":[";
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    if (i > 0) text += ',';
    text += doc::to_json(*list.items[i]);
  }
  return text + "]}";
}

template <typename Number>
Result<Number> number_of(const Target& target, std::string_view name, Number otherwise) {
  const std::string_view text = target.value(name);
  if (text.empty()) return otherwise;
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return fail(Code::kInvalidArgument, fmt::format("{}: \"{}\" is not a number", name, text));
  }
  return number;
}

class Exchange {
 public:
  Exchange(const Served& served, Request request, Target target, ResponderPtr responder)
      : cluster_(served.cluster),
        metrics_(served.metrics),
        request_(std::move(request)),
        target_(std::move(target)),
        responder_(std::move(responder)) {}

  /// Answers, or gives the error to answer with.
  Status run() {
    if (target_.path.size() == 1 && serve_fixed(target_.path[0])) return {};
    TIPHYS_TRY(const Route route, find_route(target_));
    const bool named = !route.name.empty();
    const std::string& method = request_.method;
    if (method == "GET") {
      if (!route.subresource.empty()) return read_log(route);
      if (named && target_.flag("watchNodes")) return watch_nodes(route);
      if (named) return get(route);
      return target_.flag("watch") ? watch(route) : list(route);
    }
    if (method == "POST" && !named) return create(route);
    if (method == "PUT" && named && route.subresource.empty()) return update(route);
    if (method == "PATCH" && named && route.subresource.empty()) return patch(route);
    if (method == "DELETE" && named && route.subresource.empty()) return remove(route);
    return fail(Code::kUnimplemented, fmt::format("{} is not allowed here", method));
  }

 private:
  bool serve_fixed(std::string_view page) {
    if (request_.method != "GET") return false;
    if (page == "healthz" || page == "readyz" || page == "livez") {
      responder_->reply(200, kText, "ok");
    } else if (page == "version") {
      responder_->reply(200, kJson, version_json());
    } else if (page == "metrics" && metrics_) {
      responder_->reply(200, kPrometheus, metrics_());
    } else {
      return false;
    }
    return true;
  }

  Status get(const Route& route) {
    cluster_.get(route.key(), [to = responder_](Result<cluster::Object> result) { reply_object(*to, result); });
    return {};
  }

  Status list(const Route& route) {
    cluster::ListOptions options;
    options.ns = route.ns;
    TIPHYS_TRY(options.labels, cluster::Selector::parse(target_.value("labelSelector")));
    TIPHYS_TRY(options.fields, cluster::Selector::parse_fields(target_.value("fieldSelector")));
    TIPHYS_TRY(options.limit, number_of<std::size_t>(target_, "limit", 0));
    options.continue_token = target_.value("continue");
    options.with_nodes = target_.flag("nodes");
    const cluster::Resource& resource = *route.resource;
    cluster_.list(resource, std::move(options), [&resource, to = responder_](Result<cluster::List> result) {
      if (!result) return reply_error(*to, result.error());
      to->reply(200, kJson, list_json(resource, *result));
    });
    return {};
  }

  /// The object in the body, its type and namespace filled in where they are left out and checked where they are not.
  Result<doc::Value> read_object(const Route& route) {
    TIPHYS_TRY(doc::Value object, doc::parse_json(request_.body));
    if (!object.is_object()) return fail(Code::kInvalidArgument, "the body must be a JSON object");
    doc::Object& fields = object.get_object();
    const cluster::Resource& resource = *route.resource;
    TIPHYS_CHECK_OK(fill(fields, "apiVersion", resource.api_version()));
    TIPHYS_CHECK_OK(fill(fields, "kind", resource.kind));
    doc::Object& metadata = doc::ensure_object(fields, "metadata");
    if (resource.namespaced) TIPHYS_CHECK_OK(fill(metadata, "namespace", route.ns));
    if (!route.name.empty()) TIPHYS_CHECK_OK(fill(metadata, "name", route.name));
    return object;
  }

  static Status fill(doc::Object& fields, std::string_view key, std::string_view value) {
    doc::Value& member = fields[key];
    if (member.is_null() || (member.is_string() && member.get_string().empty())) member = value;
    if (member.is_string() && member.get_string() == value) return {};
    return fail(Code::kInvalidArgument,
                fmt::format("{} is {} in the object but \"{}\" in the path", key, doc::to_json(member), value));
  }

  Status create(const Route& route) {
    if (route.resource->namespaced && route.ns.empty()) {
      return fail(Code::kInvalidArgument,
                  "objects are created in a namespace: /namespaces/{ns}/" + std::string(route.resource->plural));
    }
    TIPHYS_TRY(doc::Value object, read_object(route));
    cluster_.create(*route.resource, std::move(object),
                    [to = responder_](Result<cluster::Object> result) { reply_object(*to, result, 201); });
    return {};
  }

  Status update(const Route& route) {
    TIPHYS_TRY(doc::Value object, read_object(route));
    cluster_.update(route.key(), std::move(object),
                    [to = responder_](Result<cluster::Object> result) { reply_object(*to, result); });
    return {};
  }

  Status patch(const Route& route) {
    const std::string_view type = std::string_view(request_.content_type).substr(0, request_.content_type.find(';'));
    std::optional<cluster::PatchType> patch_type;
    if (type == "application/json-patch+json") patch_type = cluster::PatchType::kJson;
    if (type == "application/merge-patch+json") patch_type = cluster::PatchType::kMerge;
    if (type == "application/strategic-merge-patch+json") patch_type = cluster::PatchType::kStrategic;
    if (!patch_type) {
      responder_->reply(415, kJson,
                        status_json(415, "UnsupportedMediaType",
                                    "the Content-Type of a patch is application/json-patch+json, "
                                    "application/merge-patch+json or application/strategic-merge-patch+json"));
      return {};
    }
    TIPHYS_TRY(doc::Value body, doc::parse_json(request_.body));
    cluster_.patch(route.key(), *patch_type, std::move(body),
                   [to = responder_](Result<cluster::Object> result) { reply_object(*to, result); });
    return {};
  }

  Status remove(const Route& route) {
    cluster::DeleteOptions options;
    TIPHYS_TRY(options.grace_seconds, number_of<int>(target_, "gracePeriodSeconds", -1));
    if (!request_.body.empty()) {
      TIPHYS_TRY(const doc::Value body, doc::parse_json(request_.body));
      options.uid = doc::find_string(body, "preconditions", "uid");
      const doc::Value* grace = doc::find(body, "gracePeriodSeconds");
      if (grace && grace->is_int64()) {
        options.grace_seconds = static_cast<int>(std::clamp<std::int64_t>(grace->get_int64(), 0, 1 << 30));
      }
    }
    cluster_.remove(route.key(), std::move(options),
                    [to = responder_](Result<cluster::Object> result) { reply_object(*to, result); });
    return {};
  }

  Status watch(const Route& route) {
    cluster::WatchOptions options;
    options.ns = route.ns;
    TIPHYS_TRY(options.labels, cluster::Selector::parse(target_.value("labelSelector")));
    TIPHYS_TRY(options.fields, cluster::Selector::parse_fields(target_.value("fieldSelector")));
    TIPHYS_TRY(options.resource_version, number_of<std::uint64_t>(target_, "resourceVersion", 0));
    stream_objects(cluster_, *route.resource, std::move(options), responder_);
    return {};
  }

  Status watch_nodes(const Route& route) {
    if (route.resource != &cluster::kWorkflows) return fail(Code::kInvalidArgument, "only workflows have nodes");
    stream_nodes(cluster_, route.key(), responder_);
    return {};
  }

  Status read_log(const Route& route) {
    cluster::LogOptions options;
    if (!target_.value("container").empty()) options.container = target_.value("container");
    options.follow = target_.flag("follow");
    options.timestamps = target_.flag("timestamps");
    options.previous = target_.flag("previous");
    TIPHYS_TRY(options.tail, number_of<std::int64_t>(target_, "tailLines", -1));
    if (!target_.value("sinceTime").empty()) {
      TIPHYS_TRY(options.since, parse_rfc3339(target_.value("sinceTime")));
    } else if (!target_.value("sinceSeconds").empty()) {
      TIPHYS_TRY(const auto seconds, number_of<std::int64_t>(target_, "sinceSeconds", 0));
      constexpr std::int64_t kCentury = 100LL * 366 * 24 * 3600;
      options.since = request_.at - std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, kCentury));
    }
    stream_log(cluster_, route.key(), std::move(options), target_.value("format") == "cri", responder_);
    return {};
  }

  cluster::Cluster& cluster_;
  const std::function<std::string()>& metrics_;
  Request request_;
  Target target_;
  ResponderPtr responder_;
};

}  // namespace

void handle(const Served& served, Request request, const std::shared_ptr<Responder>& responder) {
  auto target = Target::parse(request.target);
  if (!target) return reply_error(*responder, target.error());
  const Status status = Exchange(served, std::move(request), std::move(*target), responder).run();
  if (!status) reply_error(*responder, status.error());
}

}  // namespace tiphys::server
