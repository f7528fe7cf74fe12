#include "argo/workflow_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "base/strings.h"

namespace tiphys::argo {
namespace {

Time time_of(const doc::Value& workflow, std::string_view section, std::string_view field) {
  return parse_rfc3339(doc::find_string(workflow, section, field)).value_or(Time{});
}

Status read_time(std::string_view name, const std::string& text, Time& time) {
  if (text.empty()) return {};
  auto parsed = parse_rfc3339(text);
  if (!parsed) return std::unexpected(Error{Code::kInvalidArgument, parsed.error().message}.in(name));
  time = *parsed;
  return {};
}

Status read_name_filter(const std::string& text, WorkflowQuery& query) {
  using NameFilter = WorkflowQuery::NameFilter;
  constexpr std::pair<std::string_view, NameFilter> kFilters[] = {{"", NameFilter::kExact},
                                                                  {"Exact", NameFilter::kExact},
                                                                  {"Prefix", NameFilter::kPrefix},
                                                                  {"Contains", NameFilter::kContains},
                                                                  {"NotEquals", NameFilter::kNotEquals}};
  for (const auto& [name, filter] : kFilters) {
    if (name != text) continue;
    query.name_filter = filter;
    return {};
  }
  return fail(Code::kInvalidArgument,
              fmt::format("nameFilter: \"{}\" is none of Exact, Prefix, Contains, NotEquals", text));
}

Status read_namespace(std::string_view value, WorkflowQuery& query) {
  if (query.options.ns.empty() || query.options.ns == value) {
    query.options.ns = value;
    return {};
  }
  return fail(Code::kInvalidArgument,
              fmt::format("'namespace' query param (\"{}\") and fieldselector 'metadata.namespace' (\"{}\") are both "
                          "specified and contradict each other",
                          query.options.ns, value));
}

/// One requirement of the field selector: not those of Kubernetes, but a language of its own.
Status read_field(std::string_view text, WorkflowQuery& query) {
  const auto cut = [&](std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
  };
  if (cut("metadata.namespace!=")) {
    query.other_than_namespace = text;
    query.options.ns.clear();
    return {};
  }
  if (cut("metadata.namespace==") || cut("metadata.namespace=")) return read_namespace(text, query);
  if (cut("metadata.name!=")) {
    query.name = text;
    query.name_filter = WorkflowQuery::NameFilter::kNotEquals;
    return {};
  }
  if (cut("metadata.name==") || cut("metadata.name=")) {
    query.name = text;
    return {};
  }
  if (cut("spec.startedAt>")) return read_time("spec.startedAt", std::string(text), query.started_after);
  if (cut("spec.startedAt<")) return read_time("spec.startedAt", std::string(text), query.started_before);
  if (cut("ext.showRemainingItemCount=")) {
    query.counts_rest = text == "true" || text == "1" || text == "True";
    return {};
  }
  return fail(Code::kInvalidArgument, fmt::format("unsupported requirement {}", text));
}

Status read_page(const doc::Value& options, WorkflowQuery& query) {
  if (const doc::Value* limit = doc::find(options, "limit"); limit && limit->is_int64() && limit->get_int64() > 0) {
    query.limit = static_cast<std::size_t>(limit->get_int64());
  }
  const std::string_view text = doc::find_string(options, "continue");
  if (text.empty()) return {};
  std::int64_t offset = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), offset);
  if (error != std::errc() || end != text.data() + text.size()) {
    return fail(Code::kInvalidArgument, "listOptions.continue must be int");
  }
  if (offset < 0) return fail(Code::kInvalidArgument, "listOptions.continue must >= 0");
  query.offset = static_cast<std::size_t>(offset);
  return {};
}

}  // namespace

Result<WorkflowQuery> WorkflowQuery::read(const Work& work) {
  const doc::Value& options = work.member("listOptions");
  WorkflowQuery query;
  query.options.ns = work.text("namespace");
  query.name_prefix = work.text("namePrefix");
  TIPHYS_CHECK_OK(read_name_filter(work.text("nameFilter"), query));
  for (const std::string_view field : split(doc::find_string(options, "fieldSelector"), ',')) {
    if (!field.empty()) TIPHYS_CHECK_OK(read_field(field, query));
  }
  // As SQL's LIKE, which the original asks: capitals do not matter, and names have none.
  if (query.name_filter == NameFilter::kPrefix || query.name_filter == NameFilter::kContains) {
    std::ranges::transform(query.name, query.name.begin(), [](unsigned char c) { return std::tolower(c); });
  }
  TIPHYS_TRY(query.options.labels, cluster::Selector::parse(doc::find_string(options, "labelSelector")));
  TIPHYS_CHECK_OK(read_time("createdAfter", work.text("createdAfter"), query.created_after));
  TIPHYS_CHECK_OK(read_time("finishedBefore", work.text("finishedBefore"), query.finished_before));
  TIPHYS_CHECK_OK(read_page(options, query));
  return query;
}

bool WorkflowQuery::matches(const doc::Value& workflow) const {
  const std::string_view own = doc::find_string(workflow, "metadata", "name");
  if (!own.starts_with(name_prefix)) return false;
  if (!name.empty()) {
    switch (name_filter) {
      case NameFilter::kExact:
        if (own != name) return false;
        break;
      case NameFilter::kPrefix:
        if (!own.starts_with(name)) return false;
        break;
      case NameFilter::kContains:
        if (own.find(name) == own.npos) return false;
        break;
      case NameFilter::kNotEquals:
        if (own == name) return false;
        break;
    }
  }
  if (!other_than_namespace.empty() && doc::find_string(workflow, "metadata", "namespace") == other_than_namespace) {
    return false;
  }
  const Time started = time_of(workflow, "status", "startedAt");
  if (started_after != Time{} && started <= started_after) return false;
  if (started_before != Time{} && (started == Time{} || started >= started_before)) return false;
  if (created_after != Time{} && time_of(workflow, "metadata", "creationTimestamp") <= created_after) return false;
  const Time finished = time_of(workflow, "status", "finishedAt");
  return finished_before == Time{} || (finished != Time{} && finished < finished_before);
}

void sort_for_list(std::vector<cluster::Object>& workflows) {
  // Texts of RFC 3339 in UTC are in the order of their times.
  const auto rank = [](const cluster::Object& workflow) {
    const std::string_view finished = doc::find_string(*workflow, "status", "finishedAt");
    return finished.empty() ? std::pair(1, doc::find_string(*workflow, "metadata", "creationTimestamp"))
                            : std::pair(0, finished);
  };
  std::ranges::stable_sort(workflows, std::ranges::greater{}, rank);
}

}  // namespace tiphys::argo
