#include "argo/kind_service.h"

#include <algorithm>

#include "argo/creator.h"
#include "argo/new_object.h"

namespace tiphys::argo {
namespace {

/// `next` gets the object of the request once it is found to be good.
template <typename Next>
void with_good_object(const WorkPtr& work, const KindService& kind, bool lint, Next next) {
  auto object = take_object(*work, kind.member, kind.resource);
  if (!object) return work->refuse(object.error());
  const auto held = std::make_shared<doc::Value>(std::move(*object));
  if (!kind.holds_workflow) return next(held);
  judge(work->cluster(), *held, work->judging(lint), work->then<void>([held, next] { next(held); }));
}

/// By name alone: these lists are short, and clients look through them.
void sort_by_name(std::vector<cluster::Object>& items) {
  std::ranges::stable_sort(items, {}, [](const cluster::Object& item) {
    return std::pair(doc::find_string(*item, "metadata", "namespace"), doc::find_string(*item, "metadata", "name"));
  });
}

}  // namespace

void create(const WorkPtr& work, const KindService& kind) {
  with_good_object(work, kind, false, [work, &kind](const auto& object) {
    const cluster::Resource& resource = kind.resource;
    if (kind.holds_workflow) label_creator(*object, work->caller());
    if (is_dry_run(*work)) return work->try_create(resource, std::move(*object), work->reply_object());
    work->cluster().create(resource, std::move(*object), work->reply_object());
  });
}

void get(const WorkPtr& work, const KindService& kind) {
  work->cluster().get(work->named(kind.resource), work->reply_object());
}

void list(const WorkPtr& work, const KindService& kind) {
  auto options = work->list_options();
  if (!options) return work->refuse(options.error());
  // With a pattern pages are of what it matches, which the plane does not know.
  const std::string pattern = work->text("namePattern");
  if (!pattern.empty()) {
    options->limit = 0;
    options->continue_token.clear();
  }
  work->cluster().list(kind.resource, std::move(*options),
                       work->then<cluster::List>([work, pattern, list_kind = kind.list_kind](cluster::List list) {
                         std::erase_if(list.items, [&](const cluster::Object& item) {
                           return doc::find_string(*item, "metadata", "name").find(pattern) == std::string_view::npos;
                         });
                         sort_by_name(list.items);
                         doc::Object metadata{{"resourceVersion", std::to_string(list.resource_version)}};
                         if (!list.continue_token.empty()) metadata["continue"] = list.continue_token;
                         work->reply_list(list_kind, metadata, list.items);
                       }));
}

void update(const WorkPtr& work, const KindService& kind) {
  with_good_object(work, kind, false, [work, &kind](const auto& object) {
    const cluster::Resource& resource = kind.resource;
    doc::Object& metadata = doc::ensure_object(object->get_object(), "metadata");
    cluster::Key key = work->named(resource);
    if (key.name.empty()) key.name = doc::find_string(*object, "metadata", "name");
    if (metadata.if_contains("name") == nullptr) metadata["name"] = key.name;
    if (kind.holds_workflow) {
      for (const auto& [label, value] : actor_labels(work->caller(), "Update")) {
        doc::Object& labels = doc::ensure_object(metadata, "labels");
        value.is_null() ? void(labels.erase(label)) : void(labels[label] = value);
      }
    }
    work->cluster().update(key, std::move(*object), work->reply_object());
  });
}

void remove(const WorkPtr& work, const KindService& kind) {
  work->cluster().remove(work->named(kind.resource), {},
                         work->then<cluster::Object>([work](const cluster::Object&) { work->reply(doc::Object{}); }));
}

void lint(const WorkPtr& work, const KindService& kind) {
  with_good_object(work, kind, true, [work](const auto& object) {
    label_creator(*object, work->caller());
    work->reply(*object);
  });
}

}  // namespace tiphys::argo
