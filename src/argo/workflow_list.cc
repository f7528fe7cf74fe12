// WorkflowService: ListWorkflows. First what is under way, which is in memory, then what has ended, off the archive's
// index: neither reads what is not shown.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "argo/archive.h"
#include "argo/page_marks.h"
#include "argo/workflow_service.h"
#include "controllers/names.h"

namespace tiphys::argo {
namespace {

/// A list under way.
struct Listing {
  WorkPtr work;
  WorkflowQuery query;
  std::string identity;
  FieldFilter filter;
  bool with_nodes;
  std::string place;  ///< a page before has ended here, behind all that is under way
  std::uint64_t version = 0;
  std::vector<cluster::Object> items{};
  std::size_t live_rest = 0;  ///< under way, behind this page

  bool full() const { return query.limit != 0 && items.size() >= query.limit; }
};

using ListingPtr = std::shared_ptr<Listing>;

void reply(const ListingPtr& listing, std::size_t rest, bool more) {
  doc::Object metadata{{"resourceVersion", std::to_string(listing->version)}};
  if (more) metadata["continue"] = std::to_string(listing->query.offset + listing->items.size());
  if (listing->query.counts_rest) metadata["remainingItemCount"] = rest;
  sort_for_list(listing->items);
  listing->work->reply_list("WorkflowList", metadata, listing->items, listing->filter);
}

/// Which of the live ones are on the page, and how many of what has ended come before it.
std::size_t take_live(Listing& listing, std::vector<cluster::Object> live) {
  std::erase_if(live, [&](const cluster::Object& workflow) { return !listing.query.matches(*workflow); });
  sort_for_list(live);
  const std::size_t from = std::min(listing.query.offset, live.size());
  const std::size_t most = listing.query.limit == 0 ? live.size() : listing.query.limit;
  const std::size_t count = std::min(most, live.size() - from);
  const auto begin = live.begin() + static_cast<std::ptrdiff_t>(from);
  listing.items.assign(begin, begin + static_cast<std::ptrdiff_t>(count));
  listing.live_rest = live.size() - from - count;
  return listing.query.offset - from;
}

/// A workflow that has ended in between is on both lists.
void add_ended(Listing& listing, std::vector<cluster::Object> ended) {
  std::set<std::string_view> known;
  for (const cluster::Object& workflow : listing.items) known.insert(doc::find_string(*workflow, "metadata", "uid"));
  for (cluster::Object& workflow : ended) {
    if (!known.contains(doc::find_string(*workflow, "metadata", "uid"))) listing.items.push_back(std::move(workflow));
  }
}

void list_ended(const ListingPtr& listing, std::size_t offset) {
  store::ArchiveQuery asked = archive_query(listing->query);
  asked.with_nodes = listing->with_nodes;
  asked.after = listing->place;
  asked.offset = listing->place.empty() ? offset : 0;
  if (asked.limit != 0) asked.limit -= listing->items.size();
  list_archive(listing->work, std::move(asked),
               listing->work->then<store::ArchivePage>([listing](store::ArchivePage page) {
                 add_ended(*listing, std::move(page.items));
                 const std::size_t end = listing->query.offset + listing->items.size();
                 if (!page.next.empty()) listing->work->plane().marks->put(listing->identity, end, page.next);
                 reply(listing, page.rest.value_or(0), !page.next.empty());
               }));
}

/// The page is full of what is under way: what has ended is only counted.
void count_ended(const ListingPtr& listing) {
  store::ArchiveQuery asked = archive_query(listing->query);
  asked.offset = 0;
  asked.limit = 1;
  list_archive(listing->work, std::move(asked),
               listing->work->then<store::ArchivePage>([listing](const store::ArchivePage& page) {
                 const std::size_t ended = page.rest.value_or(0) + page.items.size();
                 reply(listing, listing->live_rest + ended, listing->live_rest + ended > 0);
               }));
}

}  // namespace

void list_workflows(const WorkPtr& work) {
  auto query = WorkflowQuery::read(*work);
  if (!query) return work->refuse(query.error());
  const std::string identity = work->list_identity();
  const FieldFilter filter(work->text("fields"));
  const auto listing = std::make_shared<Listing>(Listing{.work = work,
                                                         .query = std::move(*query),
                                                         .identity = identity,
                                                         .filter = filter,
                                                         .with_nodes = !filter.leaves_out("items.status.nodes"),
                                                         .place = {}});
  listing->place = work->plane().marks->find(identity, listing->query.offset);
  cluster::ListOptions live = listing->query.options;
  live.with_nodes = listing->with_nodes;
  const std::string_view labels = doc::find_string(work->member("listOptions"), "labelSelector");
  auto under_way = cluster::Selector::parse(
      fmt::format("{}{}{}!=true", labels, labels.empty() ? "" : ",", controllers::kCompletedLabel));
  if (!under_way) return work->refuse(under_way.error());
  live.labels = std::move(*under_way);
  work->cluster().list(cluster::kWorkflows, std::move(live), work->then<cluster::List>([listing](cluster::List list) {
    listing->version = list.resource_version;
    if (!listing->place.empty()) return list_ended(listing, 0);
    const std::size_t offset = take_live(*listing, std::move(list.items));
    listing->full() ? count_ended(listing) : list_ended(listing, offset);
  }));
}

}  // namespace tiphys::argo
