#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "objects/table.h"
#include "server/exchange.h"
#include "server/options.h"
#include "server/session/websocket_watch.h"
#include "server/streams.h"

namespace tiphys::server {
namespace {

using objects::Outcome;

/// How a client wants to see objects.
struct View {
  Form::As as;
  objects::RowObject row_object;

  explicit View(const Exchange& exchange) : as(exchange.form.as), row_object(objects::RowObject::kMetadata) {
    const std::string_view asked = exchange.query.value("includeObject");
    if (asked == "None") row_object = objects::RowObject::kNone;
    if (asked == "Object") row_object = objects::RowObject::kObject;
  }
};

doc::Object table_of(const View& view, const objects::Kind& kind, doc::Object metadata,
                     std::span<const cluster::Object> items, bool with_head, Time now) {
  const auto columns = kind.columns;
  doc::Array rows;
  for (const cluster::Object& item : items) rows.push_back(objects::table_row(columns, *item, view.row_object, now));
  return {{"kind", "Table"},
          {"apiVersion", "meta.k8s.io/v1"},
          {"metadata", std::move(metadata)},
          {"columnDefinitions", with_head ? doc::Value(objects::table_head(columns)) : doc::Value(nullptr)},
          {"rows", std::move(rows)}};
}

doc::Object list_metadata(const cluster::List& list, const objects::Kind* of = nullptr) {
  doc::Object metadata{{"resourceVersion", std::to_string(list.resource_version)}};
  // Lists of custom objects say it even where nothing follows.
  if (!list.continue_token.empty() || (of && !of->is_struct())) metadata["continue"] = list.continue_token;
  return metadata;
}

/// Lists of Kubernetes' own kinds say once what is in them.
void append_item(std::string& text, const objects::Kind& kind, const doc::Value& item) {
  if (!kind.is_struct() || !item.is_object()) return doc::append_json(text, item);
  text += '{';
  bool first = true;
  for (const auto& [name, value] : item.get_object()) {
    if (name == "kind" || name == "apiVersion") continue;
    if (!std::exchange(first, false)) text += ',';
    doc::append_json_string(text, name);
    text += ':';
    doc::append_json(text, value);
  }
  text += '}';
}

/// How most texts of a kind begin: with what the list says already.
using Heads = std::array<std::string, 2>;

Heads heads_of(const objects::Kind& kind) {
  const std::string version = fmt::format(R"("apiVersion":"{}")", kind.api_version());
  const std::string name = fmt::format(R"("kind":"{}")", kind.resource->kind);
  return {fmt::format("{{{},{},", version, name), fmt::format("{{{},{},", name, version)};
}

void append_item(std::string& text, const objects::Kind& kind, const Heads& heads, const std::string& item) {
  if (!kind.is_struct()) {
    text += item;
    return;
  }
  for (const std::string& head : heads) {
    if (!item.starts_with(head)) continue;
    text += '{';
    text.append(item, head.size());
    return;
  }
  if (const auto parsed = doc::parse_json(item)) append_item(text, kind, *parsed);
}

/// The text of a list, whose objects are not copied into one document.
std::string list_text(const objects::Kind& kind, const cluster::List& list) {
  std::string text = fmt::format(R"({{"kind":"{}","apiVersion":"{}","metadata":)", kind.list_kind, kind.api_version());
  text += doc::to_json(list_metadata(list, &kind)) + ",\"items\":[";
  std::size_t bytes = text.size() + 2;
  for (const cluster::ObjectJson& item : list.texts) bytes += item->size() + 1;
  text.reserve(bytes);
  auto separate = [&, first = true]() mutable {
    if (!std::exchange(first, false)) text += ',';
  };
  const Heads heads = heads_of(kind);
  for (const cluster::ObjectJson& item : list.texts) {
    separate();
    append_item(text, kind, heads, *item);
  }
  for (const cluster::Object& item : list.items) {
    separate();
    append_item(text, kind, *item);
  }
  text += "]}";
  return text;
}

/// An object as a table, as its metadata or as itself.
doc::Value shown(const View& view, const objects::Kind& kind, const cluster::Object& object, bool with_head, Time now) {
  switch (view.as) {
    case Form::As::kTable:
      return table_of(view, kind, {{"resourceVersion", doc::find_string(*object, "metadata", "resourceVersion")}},
                      std::span(&object, 1), with_head, now);
    case Form::As::kPartial:
      return objects::partial_object(*object);
    case Form::As::kObject:
      break;
  }
  return *object;
}

/// Tables show nothing of them, and our own client says when it needs none: they are most of a workflow.
bool wants_nodes(const Exchange& exchange) {
  return exchange.form.as == Form::As::kObject && exchange.query.value("nodes") != "false";
}

/// 504 for a version that does not exist yet.
Handled check_version(const Exchange& exchange, std::uint64_t version) {
  const std::uint64_t newest = exchange.api().store().resource_version();
  if (version <= newest) return {};
  objects::Refusal refusal{504, "Timeout",
                           fmt::format("Timeout: Too large resource version: {}, current: {}", version, newest)};
  refusal.details = {{"causes", doc::Array{doc::Object{{"reason", "ResourceVersionTooLarge"},
                                                       {"message", "Too large resource version"}}}},
                     {"retryAfterSeconds", 1}};
  return std::unexpected(std::move(refusal));
}

}  // namespace

void reply_list(const Exchange& exchange, const objects::Target& target, const cluster::List& list) {
  if (exchange.form.as == Form::As::kTable) {
    return reply_document(
        exchange, 200,
        table_of(View(exchange), *target.kind, list_metadata(list), list.items, true, exchange.request.at));
  }
  if (exchange.form.as == Form::As::kPartial) {
    doc::Array items;
    for (const cluster::Object& item : list.items) items.push_back(objects::partial_object(*item));
    return reply_document(exchange, 200,
                          doc::Object{{"kind", "PartialObjectMetadataList"},
                                      {"apiVersion", "meta.k8s.io/v1"},
                                      {"metadata", list_metadata(list)},
                                      {"items", std::move(items)}});
  }
  std::string text = list_text(*target.kind, list);
  if (!exchange.form.yaml) return exchange.responder->reply(head_of(exchange, 200, kJson), std::move(text));
  if (const auto document = doc::parse_json(text)) reply_document(exchange, 200, *document);
}

Handled get_object(const ExchangePtr& exchange, const objects::Target& target) {
  if (const auto version = version_number(exchange->query.value("resourceVersion")); !version) {
    return std::unexpected(objects::Refusal{500, "", version.error().message});
  }
  exchange->api().get(target, [exchange, target](Outcome<cluster::Object> object) {
    if (!object) return reply_refusal(*exchange, object.error());
    if (exchange->form.as == Form::As::kObject) return reply_document(*exchange, 200, **object);
    reply_document(*exchange, 200, shown(View(*exchange), *target.kind, *object, true, exchange->request.at));
  });
  return {};
}

Handled list_objects(const ExchangePtr& exchange, const objects::Target& target) {
  cluster::ListOptions options;
  TIPHYS_TRY(options.labels, selector_of(*exchange, "labelSelector"));
  TIPHYS_TRY(options.fields, field_selector(*exchange, *target.kind));
  TIPHYS_TRY(const auto limit, number_of<std::int64_t>(*exchange, "limit", 0));
  TIPHYS_TRY([[maybe_unused]] const auto seconds, number_of<std::int64_t>(*exchange, "timeoutSeconds", 0));
  options.limit = static_cast<std::size_t>(std::max<std::int64_t>(limit, 0));
  TIPHYS_TRY(const auto version, list_version(*exchange, false));
  TIPHYS_CHECK_OK(check_version(*exchange, version));
  options.continue_token = exchange->query.value("continue");
  options.with_nodes = wants_nodes(*exchange);
  options.as_json = exchange->form.as == Form::As::kObject;
  exchange->api().list(target, std::move(options), [exchange, target](Outcome<cluster::List> list) {
    if (!list) return reply_refusal(*exchange, list.error());
    reply_list(*exchange, target, *list);
  });
  return {};
}

Handled watch_objects(const ExchangePtr& exchange, const objects::Target& target) {
  TIPHYS_CHECK_OK(exchange->api().allow(target, "watch"));
  cluster::WatchOptions options;
  TIPHYS_TRY(options.labels, selector_of(*exchange, "labelSelector"));
  TIPHYS_TRY(options.fields, field_selector(*exchange, *target.kind));
  TIPHYS_TRY(options.resource_version, list_version(*exchange, true));
  TIPHYS_CHECK_OK(check_version(*exchange, options.resource_version));
  options.with_nodes = wants_nodes(*exchange);
  options.as_json = exchange->form.as == Form::As::kObject;
  StreamOptions stream;
  TIPHYS_TRY(const auto seconds, number_of<std::int64_t>(*exchange, "timeoutSeconds", 0));
  stream.timeout = std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, 24 * 3600));
  stream.bookmarks = exchange->query.flag("allowWatchBookmarks");
  stream.tells_synced = exchange->query.flag("sendInitialEvents");
  // All of a state that is new enough is the newest state; without any of it, one begins at present.
  if (stream.tells_synced) {
    options.resource_version = 0;
  } else if (exchange->query.has("sendInitialEvents") && options.resource_version == 0) {
    options.resource_version = exchange->api().store().resource_version();
  }
  // Nothing that the connection holds may hold it: no exchange in here.
  stream.show = [view = View(*exchange), kind = target.kind, &executor = exchange->served.executor,
                 first = true](const cluster::Object& object) mutable {
    if (view.as == Form::As::kObject) return doc::to_json(*object);
    return doc::to_json(shown(view, *kind, object, std::exchange(first, false), executor.now()));
  };
  TIPHYS_CHECK_OK(take_websocket(*exchange));
  stream_objects(*exchange, target, std::move(options), std::move(stream));
  return {};
}

Handled watch_nodes(const ExchangePtr& exchange, const objects::Target& target) {
  if (target.kind->resource != &cluster::kWorkflows) {
    return std::unexpected(objects::bad_request("only workflows have nodes"));
  }
  TIPHYS_CHECK_OK(exchange->api().allow(target, "watch"));
  stream_nodes(*exchange, target.key());
  return {};
}

}  // namespace tiphys::server
