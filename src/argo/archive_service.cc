// ArchivedWorkflowService: what the archive keeps, whether its object is still there or not.
#include <fmt/format.h>

#include "argo/archive.h"
#include "argo/node_selector.h"
#include "argo/page_marks.h"
#include "argo/retry.h"
#include "argo/workflow_service.h"

namespace tiphys::argo {
namespace {

/// The archived workflow that the request's name and namespace, or uid, means; an error ends the call.
void with_archived(const WorkPtr& work, std::move_only_function<void(const cluster::Object& workflow)> next) {
  store::ArchivedName which{.ns = work->text("namespace"), .name = work->text("name")};
  if (which.name.empty()) which = {.uid = work->text("uid")};
  if (which.uid.empty() && (which.name.empty() || which.ns.empty())) {
    return work->refuse({Code::kInvalidArgument, "both name and namespace are required if uid is not specified"});
  }
  get_archived(work, std::move(which), [work, next = std::move(next)](Result<cluster::Object> found) mutable {
    if (found) return next(*found);
    work->refuse(found.error().code == Code::kNotFound ? Error{Code::kNotFound, "not found"} : found.error());
  });
}

void list_archived(const WorkPtr& work) {
  auto query = WorkflowQuery::read(*work);
  if (!query) return work->refuse(query.error());
  store::ArchiveQuery asked = archive_query(*query);
  asked.kept_only = true;
  const std::string list = work->list_identity();
  asked.after = work->plane().marks->find(list, query->offset);
  if (!asked.after.empty()) asked.offset = 0;
  list_archive(work, std::move(asked),
               work->then<store::ArchivePage>([work, list, query = std::move(*query)](store::ArchivePage page) {
                 doc::Object metadata;
                 if (!page.next.empty()) {
                   const std::size_t end = query.offset + page.items.size();
                   work->plane().marks->put(list, end, page.next);
                   metadata["continue"] = std::to_string(end);
                 }
                 if (page.rest && query.limit != 0) metadata["remainingItemCount"] = *page.rest;
                 for (cluster::Object& item : page.items) item = archived_summary(*item);
                 sort_for_list(page.items);
                 work->reply_list("WorkflowList", metadata, page.items);
               }));
}

void get_archived_workflow(const WorkPtr& work) {
  with_archived(work, [work](const cluster::Object& workflow) {
    doc::Value shown = *workflow;
    doc::ensure_object(doc::ensure_object(shown.as_object(), "metadata"), "labels")[store::kArchivingStatusLabel] =
        store::kPersistedStatus;
    work->reply(shown);
  });
}

void delete_archived(const WorkPtr& work) {
  with_archived(work, [work](const cluster::Object& workflow) {
    const Status allowed = work->may("delete", doc::find_string(*workflow, "metadata", "namespace"),
                                     doc::find_string(*workflow, "metadata", "name"));
    if (!allowed) return work->refuse(allowed.error());
    work->plane().archive->remove_archived(std::string(doc::find_string(*workflow, "metadata", "uid")),
                                           work->then<void>([work] { work->reply(doc::Object{}); }));
  });
}

void reply_labels(const WorkPtr& work, const std::string& key) {
  const std::string ns = work->text("namespace");
  if (const Status allowed = work->may("list", ns); !allowed) return work->refuse(allowed.error());
  work->plane().archive->archive_labels(
      ns, key, work->then<std::vector<std::string>>([work](const std::vector<std::string>& found) {
        work->reply(doc::Object{{"items", doc::Array(found.begin(), found.end())}});
      }));
}

void list_keys(const WorkPtr& work) {
  reply_labels(work, "");
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
  reply_labels(work, asked.key);
}

void resubmit_archived(const WorkPtr& work) {
  with_archived(work, [work](const cluster::Object& workflow) { resubmit(work, *workflow); });
}

/// Makes the workflow once more, to go on where it failed.
void retry_archived(const WorkPtr& work) {
  auto selector = NodeSelector::parse(work->text("nodeFieldSelector"));
  if (!selector) return work->refuse(std::move(selector.error()));
  RetryOptions options{.restart_successful = work->flag("restartSuccessful"),
                       .selector = std::move(*selector),
                       .parameters = work->texts("parameters")};
  with_archived(work, [work, options = std::move(options)](const cluster::Object& workflow) {
    retry_gone_workflow(
        work->plane().executor, work->cluster(), *workflow, options, [work](Result<doc::Value> retried) {
          if (retried) return work->reply(*retried);
          const bool there = retried.error().code == Code::kAlreadyExists;
          work->refuse(
              there ? Error{Code::kAlreadyExists, "Workflow already exists on cluster, use argo retry {name} instead"}
                    : retried.error());
        });
  });
}

}  // namespace

const Methods& archive_methods() {
  static const Methods kMethods{
      {"ListArchivedWorkflows", list_archived},         {"GetArchivedWorkflow", get_archived_workflow},
      {"DeleteArchivedWorkflow", delete_archived},      {"ListArchivedWorkflowLabelKeys", list_keys},
      {"ListArchivedWorkflowLabelValues", list_values}, {"ResubmitArchivedWorkflow", resubmit_archived},
      {"RetryArchivedWorkflow", retry_archived}};
  return kMethods;
}

}  // namespace tiphys::argo
