#include "store/scan.h"

#include <algorithm>

namespace tiphys::store {
namespace {

using Op = cluster::Requirement::Op;

bool forbids(const cluster::Selector& selector, std::string_view key, std::string_view value) {
  return std::ranges::any_of(selector.requirements(), [&](const cluster::Requirement& requirement) {
    if (requirement.key != key) return false;
    const bool listed = std::ranges::find(requirement.values, value) != requirement.values.end();
    switch (requirement.op) {
      case Op::kEquals:
      case Op::kIn:
        return !listed;
      case Op::kNotEquals:
      case Op::kNotIn:
        return listed;
      case Op::kNotExists:
        return true;
      default:
        return false;
    }
  });
}

/// The values that are allowed for a key, none of them ""; empty: others may match too.
std::vector<std::string> values_of(const cluster::Selector& selector, std::string_view key) {
  for (const auto& requirement : selector.requirements()) {
    if (requirement.key != key || (requirement.op != Op::kEquals && requirement.op != Op::kIn)) continue;
    if (std::ranges::find(requirement.values, "") == requirement.values.end()) return requirement.values;
  }
  return {};
}

/// Whether only objects match that have the label, whatever its value.
bool demands(const cluster::Selector& selector, std::string_view key) {
  return std::ranges::any_of(selector.requirements(), [&](const cluster::Requirement& requirement) {
    return requirement.key == key && (requirement.op == Op::kExists || requirement.op == Op::kEquals);
  });
}

}  // namespace

bool Selection::matches(const Name& name, const Revision& revision) const {
  if (!ns.empty() && name.ns != ns) return false;
  return revision.matches(labels, fields);
}

bool Selection::may_match_ended() const {
  if (all_in_memory(*resource)) return false;
  if (resource == &cluster::kWorkflows) return !forbids(labels, Revision::kCompletedLabel, "true");
  if (resource == &cluster::kPods) {
    return !forbids(fields, "status.phase", "Succeeded") || !forbids(fields, "status.phase", "Failed");
  }
  return true;
}

std::string Selection::only_name() const {
  const auto names = values_of(fields, "metadata.name");
  return names.size() == 1 ? names.front() : std::string();
}

Scan::Scan(Memory& memory, DiskReader& disk, Selection selection, Name after, bool live_only)
    : memory_(memory),
      disk_(disk),
      selection_(std::move(selection)),
      after_(std::move(after)),
      disk_finished_(live_only || !selection_.may_match_ended()) {}

bool Scan::offer(const Name& name, const RevisionPtr& revision, const Visit& visit) {
  if (revision && selection_.matches(name, *revision) && !visit(name, revision)) return false;
  after_ = name;
  return true;
}

bool Scan::visit_memory_until(const Name* end, const Visit& visit) {
  const Memory::Table& table = memory_.table(*selection_.resource);
  // A namespace is one stretch of the order; "" comes before all names.
  auto next = table.upper_bound(std::max(after_, Name{selection_.ns, ""}));
  for (; next != table.end() && (!end || next->first < *end); ++next) {
    if (!selection_.ns.empty() && next->first.ns != selection_.ns) break;
    if (!offer(next->first, next->second.committed, visit)) return false;
  }
  return true;
}

Status Scan::next_slice(const Visit& visit) {
  std::vector<DiskRow> rows;
  if (!disk_finished_) {
    const DiskRange range{.resource = selection_.resource,
                          .ns = selection_.ns,
                          .after = after_,
                          .workflows = values_of(selection_.labels, Revision::kWorkflowLabel),
                          .expiring = demands(selection_.labels, Revision::kExpiresLabel),
                          .name = selection_.ns.empty() ? "" : selection_.only_name()};
    TIPHYS_TRY(rows, disk_.scan(range, selection_.labels));
    disk_finished_ = rows.size() < static_cast<std::size_t>(range.most);
  }
  for (const DiskRow& row : rows) {
    if (!visit_memory_until(&row.name, visit)) return {};
    // Memory may know better: a write to this object is pending.
    const Entry* entry = memory_.find(*selection_.resource, row.name);
    if (!offer(row.name, entry ? entry->committed : row.revision, visit)) return {};
  }
  if (!disk_finished_) return {};
  if (visit_memory_until(nullptr, visit)) finished_ = true;
  return {};
}

}  // namespace tiphys::store
