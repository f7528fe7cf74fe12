#include "cli/archive_calls.h"

#include <fmt/format.h>

#include "argo/ask.h"
#include "base/uid.h"
#include "cli/view/humanize.h"
#include "cli/view/workflow_table.h"
#include "cli/view/workflow_text.h"

namespace tiphys::cli {
namespace {

std::string ambiguity(const std::string& name, const std::vector<cluster::Object>& matches, Time now) {
  std::string text = fmt::format("Multiple archived workflows found with name '{}':\n", name);
  for (const cluster::Object& workflow : matches) {
    text += fmt::format("  {} (Created: {}, Finished: {})\n", doc::find_string(*workflow, "metadata", "uid"),
                        timestamp_with_age(time_at(*workflow, "metadata", "creationTimestamp"), now),
                        timestamp_with_age(time_at(*workflow, "status", "finishedAt"), now));
  }
  return text + "Please specify the UID.";
}

}  // namespace

Result<doc::Value> ArchiveCalls::ask(std::string_view method, doc::Object request) {
  return cli::ask(session_, argo::kArchiveService, std::string(method), std::move(request));
}

Result<std::vector<cluster::Object>> ArchiveCalls::list(const Which& which) {
  std::vector<cluster::Object> workflows;
  std::string next;
  do {
    doc::Object options;
    if (!which.labels.empty()) options["labelSelector"] = which.labels;
    std::string fields = which.fields;
    if (!which.name.empty()) fields += (fields.empty() ? "" : ",") + ("metadata.name=" + which.name);
    if (!fields.empty()) options["fieldSelector"] = fields;
    if (which.chunk_size > 0) options["limit"] = which.chunk_size;
    if (!next.empty()) options["continue"] = next;
    TIPHYS_TRY(doc::Value page,
               ask("ListArchivedWorkflows", {{"namespace", which.ns}, {"listOptions", std::move(options)}}));
    if (doc::Value* items = page.as_object().if_contains("items"); items && items->is_array()) {
      for (doc::Value& item : items->get_array()) {
        workflows.push_back(std::make_shared<const doc::Value>(std::move(item)));
      }
    }
    next = doc::find_string(page, "metadata", "continue");
  } while (!next.empty());
  sort_for_list(workflows);
  return workflows;
}

Result<std::string> ArchiveCalls::find(const std::string& ns, const std::string& identifier, Identifier kind) {
  if (kind == Identifier::kUid || (kind == Identifier::kByItsForm && is_uid(identifier))) return identifier;
  TIPHYS_TRY(const auto matches, list({.ns = ns, .name = identifier}));
  if (matches.empty()) return fail(Code::kNotFound, fmt::format("archived workflow '{}' not found", identifier));
  if (matches.size() > 1) {
    return fail(Code::kFailedPrecondition, ambiguity(identifier, matches, session_.loop().now()));
  }
  return std::string(doc::find_string(*matches.front(), "metadata", "uid"));
}

}  // namespace tiphys::cli
