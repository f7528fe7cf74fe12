#include "store/disk_reader.h"

#include <fmt/format.h>

#include <algorithm>

namespace tiphys::store {
namespace {

const cluster::Resource* resource_named(std::string_view qualified) {
  const auto dot = qualified.find('.');
  const auto group = dot == qualified.npos ? std::string_view() : qualified.substr(dot + 1);
  return cluster::find_resource_by_plural(group, qualified.substr(0, dot));
}

/// A body that cannot be read is a damaged database. The text is not shown: it may be a secret's.
Result<doc::Value> parse_stored(std::string_view text, std::string_view what) {
  auto value = doc::parse_json(text);
  if (!value) return fail(Code::kDataLoss, fmt::format("the store holds damaged JSON of {}", what));
  return value;
}

/// By whether events are meant, and whether those of one namespace. Of the others the condition is that of the index,
/// as written, so that live objects are not even passed over; events never are live.
constexpr const char* kScans[2][2] = {
    {"SELECT namespace, name, uid, labels, body FROM objects INDEXED BY objects_ended WHERE live = 0 AND "
     "resource <> 'events' AND resource = ? AND (namespace, name) > (?, ?) ORDER BY namespace, name LIMIT ?",
     "SELECT namespace, name, uid, labels, body FROM objects INDEXED BY objects_ended WHERE live = 0 AND "
     "resource <> 'events' AND resource = ? AND namespace = ? AND (namespace, name) > (?, ?) "
     "ORDER BY namespace, name LIMIT ?"},
    {"SELECT namespace, name, uid, labels, body FROM objects WHERE live = 0 AND resource = ? AND "
     "(namespace, name) > (?, ?) ORDER BY namespace, name LIMIT ?",
     "SELECT namespace, name, uid, labels, body FROM objects WHERE live = 0 AND resource = ? AND namespace = ? AND "
     "(namespace, name) > (?, ?) ORDER BY namespace, name LIMIT ?"}};

/// `workflows` are the range's as JSON, which must live as long as the query.
Query start_scan(Database& database, const DiskRange& range, std::string_view resource, const std::string& workflows) {
  if (!range.name.empty()) {
    return std::move(database
                         .query("SELECT namespace, name, uid, labels, body FROM objects WHERE resource = ? AND "
                                "namespace = ? AND name = ? AND live = 0 AND (namespace, name) > (?, ?) LIMIT ?")
                         .bind(resource)
                         .bind(range.ns)
                         .bind(range.name));
  }
  if (!range.workflows.empty()) {
    return std::move(database
                         .query("SELECT namespace, name, uid, labels, body FROM objects INDEXED BY objects_workflow "
                                "WHERE workflow IN (SELECT value FROM json_each(?)) AND resource = ? AND "
                                "(? = '' OR namespace = ?) AND live = 0 AND (namespace, name) > (?, ?) "
                                "ORDER BY namespace, name LIMIT ?")
                         .bind(workflows)
                         .bind(resource)
                         .bind(range.ns)
                         .bind(range.ns));
  }
  if (range.expiring) {
    return std::move(database
                         .query("SELECT namespace, name, uid, labels, body FROM objects INDEXED BY objects_expiring "
                                "WHERE instr(labels, '\"tiphys.io/expires\"') > 0 AND resource = ? AND "
                                "(? = '' OR namespace = ?) AND live = 0 AND (namespace, name) > (?, ?) "
                                "ORDER BY namespace, name LIMIT ?")
                         .bind(resource)
                         .bind(range.ns)
                         .bind(range.ns));
  }
  const bool in_one = !range.ns.empty();
  Query query = database.query(kScans[range.resource == &cluster::kEvents][in_one]);
  query.bind(resource);
  // The cursor's namespace can only be this one: the comparison of pairs is for the common signature.
  if (in_one) query.bind(range.ns);
  return query;
}

}  // namespace

Result<RevisionPtr> DiskReader::revision(const cluster::Resource& resource, std::string_view uid,
                                         std::string_view body) {
  std::string opened;
  if (Vault::is_sealed(body)) {
    TIPHYS_TRY(opened, vault_.open(body, uid));
    body = opened;
  }
  TIPHYS_TRY(doc::Value base, parse_stored(body, resource.qualified));
  Revision::Parts parts;
  if (&resource == &cluster::kWorkflows) {
    Query rows = database_.query("SELECT part, body FROM parts WHERE uid = ?");
    rows.bind(uid);
    while (true) {
      TIPHYS_TRY(const bool more, rows.next());
      if (!more) break;
      const std::int64_t part = rows.integer(0);
      if (part < 0 || part >= Revision::kParts) return fail(Code::kDataLoss, "the store holds an unknown part");
      TIPHYS_TRY(doc::Value value, parse_stored(rows.text(1), resource.qualified));
      parts[static_cast<std::size_t>(part)] = std::make_shared<const doc::Value>(std::move(value));
    }
  }
  auto revision = std::make_shared<const Revision>(resource, std::move(base), std::move(parts));
  if (packs_well(resource)) revision->keep_text(std::make_shared<const std::string>(body));
  return revision;
}

Result<RevisionPtr> DiskReader::find(const cluster::Resource& resource, const Name& name) {
  Query rows = database_.query("SELECT uid, body FROM objects WHERE resource = ? AND namespace = ? AND name = ?");
  rows.bind(resource.qualified).bind(name.ns).bind(name.name);
  TIPHYS_TRY(const bool found, rows.next());
  if (!found) return nullptr;
  return revision(resource, rows.text(0), rows.text(1));
}

Result<std::vector<DiskRow>> DiskReader::live(const cluster::Resource& resource) {
  std::vector<DiskRow> found;
  Query rows = database_.query(
      "SELECT namespace, name, uid, body FROM objects INDEXED BY objects_live WHERE resource = ? AND live = 1");
  rows.bind(resource.qualified);
  while (true) {
    TIPHYS_TRY(const bool more, rows.next());
    if (!more) return found;
    TIPHYS_TRY(auto loaded, revision(resource, rows.text(2), rows.text(3)));
    if (packs_well(resource)) loaded->pack();
    found.push_back({{std::string(rows.text(0)), std::string(rows.text(1))}, std::move(loaded)});
  }
}

Result<std::vector<DiskRow>> DiskReader::scan(const DiskRange& range, const cluster::Selector& labels) {
  std::vector<DiskRow> found;
  const std::string workflows = doc::to_json(doc::Array(range.workflows.begin(), range.workflows.end()));
  Query rows = start_scan(database_, range, range.resource->qualified, workflows);
  rows.bind(range.after.ns).bind(range.after.name).bind(range.most);
  while (true) {
    TIPHYS_TRY(const bool more, rows.next());
    if (!more) return found;
    DiskRow row{{std::string(rows.text(0)), std::string(rows.text(1))}, nullptr};
    bool wanted = true;
    if (!labels.empty()) {
      const std::string_view text = rows.text(3);
      TIPHYS_TRY(const doc::Value map, parse_stored(text.empty() ? "{}" : text, "labels"));
      wanted = labels.matches_label_map(&map);
    }
    if (wanted) {
      TIPHYS_TRY(row.revision, revision(*range.resource, rows.text(2), rows.text(4)));
    }
    found.push_back(std::move(row));
  }
}

Result<RevisionPtr> DiskReader::newest(std::string_view ns, std::string_view label, std::string_view value,
                                       std::string_view phase) {
  // As written, these are the expressions of the indexes.
  static constexpr std::pair<std::string_view, const char*> kQueries[] = {
      {"workflows.argoproj.io/workflow-template",
       R"sql(SELECT uid, body FROM objects INDEXED BY objects_of_template WHERE namespace = ?
             AND labels ->> '$."workflows.argoproj.io/workflow-template"' = ? AND labels ->> '$."workflows.argoproj.io/phase"' = ?
             AND instr(labels, '"workflows.argoproj.io/workflow-template"') > 0 AND resource = ? ORDER BY id DESC LIMIT 1)sql"},
      {"workflows.argoproj.io/cluster-workflow-template",
       R"sql(SELECT uid, body FROM objects INDEXED BY objects_of_cluster_template WHERE namespace = ?
             AND labels ->> '$."workflows.argoproj.io/cluster-workflow-template"' = ? AND labels ->> '$."workflows.argoproj.io/phase"' = ?
             AND instr(labels, '"workflows.argoproj.io/cluster-workflow-template"') > 0 AND resource = ? ORDER BY id DESC LIMIT 1)sql"},
      {"workflows.argoproj.io/cron-workflow",
       R"sql(SELECT uid, body FROM objects INDEXED BY objects_of_cron WHERE namespace = ?
             AND labels ->> '$."workflows.argoproj.io/cron-workflow"' = ? AND labels ->> '$."workflows.argoproj.io/phase"' = ?
             AND instr(labels, '"workflows.argoproj.io/cron-workflow"') > 0 AND resource = ? ORDER BY id DESC LIMIT 1)sql"}};
  const auto* query = std::ranges::find(kQueries, label, [](const auto& each) { return each.first; });
  if (query == std::end(kQueries)) {
    return fail(Code::kInvalidArgument, fmt::format("no index finds the newest workflow by the label {}", label));
  }
  Query rows = database_.query(query->second);
  rows.bind(ns).bind(value).bind(phase).bind(cluster::kWorkflows.qualified);
  TIPHYS_TRY(const bool found, rows.next());
  if (!found) return nullptr;
  return revision(cluster::kWorkflows, rows.text(0), rows.text(1));
}

Result<std::vector<DiskReader::Owned>> DiskReader::read_owned(Query rows) {
  std::vector<Owned> found;
  while (true) {
    TIPHYS_TRY(const bool more, rows.next());
    if (!more) return found;
    const cluster::Resource* resource = resource_named(rows.text(1));
    if (!resource)
      return fail(Code::kDataLoss, fmt::format("the store holds objects of an unknown kind, {}", rows.text(1)));
    found.push_back({rows.integer(0), resource, {std::string(rows.text(2)), std::string(rows.text(3))}});
  }
}

Result<std::vector<DiskReader::Owned>> DiskReader::owned_by(std::string_view uid, std::int64_t after_id, int most) {
  return read_owned(std::move(database_
                                  .query("SELECT id, resource, namespace, name FROM objects INDEXED BY objects_owner "
                                         "WHERE owner = ? AND id > ? ORDER BY id LIMIT ?")
                                  .bind(uid)
                                  .bind(after_id)
                                  .bind(most)));
}

Result<std::vector<DiskReader::Owned>> DiskReader::in_namespace(std::string_view ns, std::int64_t after_id, int most) {
  return read_owned(std::move(
      database_
          .query("SELECT id, resource, namespace, name FROM objects WHERE namespace = ? AND id > ? ORDER BY id LIMIT ?")
          .bind(ns)
          .bind(after_id)
          .bind(most)));
}

Status DiskReader::visit_oldest_events(const std::function<bool(Name, Time)>& visit) {
  Query rows = database_.query(
      "SELECT namespace, name, coalesce(body ->> '$.lastTimestamp', body ->> '$.metadata.creationTimestamp') "
      "FROM objects INDEXED BY objects_events WHERE resource = 'events' ORDER BY resource_version");
  while (true) {
    TIPHYS_TRY(const bool more, rows.next());
    if (!more) return {};
    Name name{std::string(rows.text(0)), std::string(rows.text(1))};
    if (!visit(std::move(name), parse_rfc3339(rows.text(2)).value_or(Time{}))) return {};
  }
}

Result<std::int64_t> DiskReader::count_events() {
  Query rows = database_.query("SELECT count(*) FROM objects INDEXED BY objects_events WHERE resource = 'events'");
  TIPHYS_TRY(const bool found, rows.next());
  return found ? rows.integer(0) : 0;
}

Result<std::vector<DiskReader::Garbage>> DiskReader::garbage() {
  std::vector<Garbage> found;
  Query rows = database_.query("SELECT uid, namespace FROM garbage");
  while (true) {
    TIPHYS_TRY(const bool more, rows.next());
    if (!more) return found;
    found.push_back({std::string(rows.text(0)), std::string(rows.text(1))});
  }
}

Result<std::optional<DiskReader::Owned>> DiskReader::place_of(std::string_view uid) {
  Query rows = database_.query("SELECT id, resource, namespace, name FROM objects WHERE uid = ?");
  rows.bind(uid);
  TIPHYS_TRY(auto found, read_owned(std::move(rows)));
  if (found.empty()) return std::nullopt;
  return std::move(found.front());
}

Status DiskReader::nodes(std::string_view workflow_uid, const NodeVisitor& visit) {
  Query rows = database_.query("SELECT node_id, version, body FROM nodes WHERE workflow_uid = ? ORDER BY rowid");
  rows.bind(workflow_uid);
  while (true) {
    TIPHYS_TRY(const bool more, rows.next());
    if (!more) return {};
    visit(rows.text(0), static_cast<std::uint64_t>(rows.integer(1)), rows.text(2));
  }
}

Result<std::vector<cluster::JournalEntry>> DiskReader::journal(std::string_view workflow_uid, std::uint64_t from,
                                                               int most) {
  std::vector<cluster::JournalEntry> found;
  Query rows = database_.query(
      "SELECT sequence, at, body FROM journal WHERE workflow_uid = ? AND sequence >= ? ORDER BY sequence LIMIT ?");
  rows.bind(workflow_uid).bind(from).bind(most);
  while (true) {
    TIPHYS_TRY(const bool more, rows.next());
    if (!more) return found;
    found.push_back(
        {static_cast<std::uint64_t>(rows.integer(0)), Time(Duration(rows.integer(1))), std::string(rows.text(2))});
  }
}

}  // namespace tiphys::store
