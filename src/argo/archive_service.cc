// ArchivedWorkflowService: workflows that have ended.
#include <fmt/format.h>

#include <set>

#include "argo/workflow_query.h"
#include "argo/workflow_service.h"
#include "controllers/names.h"

namespace tiphys::argo {
namespace {

/// Narrows the request's labelSelector to what has ended.
void ask_for_ended(Work& work) {
  doc::Object& options = doc::ensure_object(work.request(), "listOptions");
  const doc::Value* given = options.if_contains("labelSelector");
  const std::string wanted = given && given->is_string() ? std::string(given->get_string()) : "";
  options["labelSelector"] =
      fmt::format("{}{}{}=true", wanted, wanted.empty() ? "" : ",", controllers::kCompletedLabel);
}

cluster::ListOptions all_ended(const std::string& ns) {
  cluster::ListOptions options;
  options.ns = ns;
  options.labels = *cluster::Selector::parse(fmt::format("{}=true", controllers::kCompletedLabel));
  return options;
}

/// The archived workflow that the request's uid, or name and namespace, means; an error ends the call.
void with_archived(const WorkPtr& work, std::move_only_function<void(const cluster::Object& workflow)> next) {
  const std::string name = work->text("name"), uid = work->text("uid");
  if (!name.empty()) {
    return work->cluster().get(work->named(cluster::kWorkflows), work->then<cluster::Object>(std::move(next)));
  }
  if (uid.empty()) return work->refuse({Code::kInvalidArgument, "uid: it is missing"});
  cluster::ListOptions options = all_ended(work->text("namespace"));
  options.with_nodes = true;
  auto fields = cluster::Selector::parse_fields("metadata.uid=" + uid);
  if (!fields) return work->refuse({Code::kInvalidArgument, fmt::format("uid: \"{}\" is none", uid)});
  options.fields = std::move(*fields);
  work->cluster().list(cluster::kWorkflows, std::move(options),
                       work->then<cluster::List>([work, next = std::move(next)](const cluster::List& list) mutable {
                         if (list.items.empty()) return work->refuse({Code::kNotFound, "not found"});
                         next(list.items.front());
                       }));
}

void list_archived(const WorkPtr& work) {
  ask_for_ended(*work);
  auto query = WorkflowQuery::read(*work);
  if (!query) return work->refuse(query.error());
  work->cluster().list(cluster::kWorkflows, query->options,
                       work->then<cluster::List>([work, query = *query](cluster::List list) {
                         const Page page = page_of(std::move(list.items), query, list.resource_version);
                         work->reply_list("WorkflowList", page.metadata, page.items);
                       }));
}

void get_archived(const WorkPtr& work) {
  with_archived(work, [work](const cluster::Object& workflow) { work->reply(*workflow); });
}

void delete_archived(const WorkPtr& work) {
  with_archived(work, [work](const cluster::Object& workflow) {
    const cluster::Key key{&cluster::kWorkflows, std::string(doc::find_string(*workflow, "metadata", "namespace")),
                           std::string(doc::find_string(*workflow, "metadata", "name"))};
    work->cluster().remove(key, {.uid = std::string(doc::find_string(*workflow, "metadata", "uid"))},
                           work->then<cluster::Object>([work](const cluster::Object&) { work->reply(doc::Object{}); }));
  });
}

/// All labels of what is archived, for the filters of a UI.
void with_labels(const WorkPtr& work, std::move_only_function<void(const doc::Object& labels)> each,
                 std::move_only_function<void()> then) {
  work->cluster().list(
      cluster::kWorkflows, all_ended(work->text("namespace")),
      work->then<cluster::List>([each = std::move(each), then = std::move(then)](const cluster::List& list) mutable {
        for (const cluster::Object& workflow : list.items) {
          const doc::Value* labels = doc::find(*workflow, "metadata", "labels");
          if (labels && labels->is_object()) each(labels->get_object());
        }
        then();
      }));
}

void list_keys(const WorkPtr& work) {
  const auto keys = std::make_shared<std::set<std::string>>();
  with_labels(
      work,
      [keys](const doc::Object& labels) {
        for (const auto& label : labels) keys->emplace(label.key());
      },
      [work, keys] { work->reply(doc::Object{{"items", doc::Array(keys->begin(), keys->end())}}); });
}

void list_values(const WorkPtr& work) {
  const auto selector = cluster::Selector::parse(doc::find_string(work->member("listOptions"), "labelSelector"));
  if (!selector) return work->refuse(selector.error());
  if (selector->requirements().size() != 1) {
    return work->refuse({Code::kInvalidArgument,
                         fmt::format("only allow 1 labelRequirement, found {}", selector->requirements().size())});
  }
  const cluster::Requirement& asked = selector->requirements().front();
  if (asked.op != cluster::Requirement::Op::kExists) {
    return work->refuse({Code::kInvalidArgument, "listOptions.labelSelector: write the name of one label"});
  }
  const auto values = std::make_shared<std::set<std::string>>();
  with_labels(
      work,
      [values, key = asked.key](const doc::Object& labels) {
        if (const doc::Value* value = labels.if_contains(key)) values->insert(doc::scalar_text(*value));
      },
      [work, values] { work->reply(doc::Object{{"items", doc::Array(values->begin(), values->end())}}); });
}

void resubmit_archived(const WorkPtr& work) {
  with_archived(work, [work](const cluster::Object& workflow) { resubmit(work, *workflow); });
}

/// What is archived is still there: it is retried like any other.
void retry_archived(const WorkPtr& work) {
  with_archived(work, [work](const cluster::Object& workflow) {
    work->request()["name"] = doc::find_string(*workflow, "metadata", "name");
    work->request()["namespace"] = doc::find_string(*workflow, "metadata", "namespace");
    retry_workflow(work);
  });
}

}  // namespace

const Methods& archive_methods() {
  static const Methods kMethods{
      {"ListArchivedWorkflows", list_archived},         {"GetArchivedWorkflow", get_archived},
      {"DeleteArchivedWorkflow", delete_archived},      {"ListArchivedWorkflowLabelKeys", list_keys},
      {"ListArchivedWorkflowLabelValues", list_values}, {"ResubmitArchivedWorkflow", resubmit_archived},
      {"RetryArchivedWorkflow", retry_archived}};
  return kMethods;
}

}  // namespace tiphys::argo
