#include "kube/object_list.h"

#include "cluster/api_request.h"
#include "cluster/list_head.h"
#include "http/url.h"
#include "kube/workflow_nodes.h"

namespace tiphys::kube {
namespace {

constexpr std::size_t kPage = 500;

Result<cluster::List> read_page(const std::string& body, const cluster::Resource& resource, bool with_nodes) {
  TIPHYS_TRY(doc::Value value, doc::parse_json(body));
  cluster::List list;
  doc::Value* items = cluster::read_list_head(value, list);
  if (!items || (!items->is_array() && !items->is_null()))
    return fail(Code::kInternal, "the server's list has no items");
  if (items->is_null()) return list;
  for (doc::Value& item : items->get_array()) {
    // Items of a list come without their type.
    if (doc::Object* object = item.if_object()) {
      (*object)["kind"] = resource.kind;
      (*object)["apiVersion"] = resource.api_version();
    }
    if (is_workflow(resource) && !with_nodes) strip_nodes(item);
    if (is_workflow(resource) && with_nodes) {
      TIPHYS_CHECK_OK(unpack_nodes(item));
    }
    list.items.push_back(std::make_shared<const doc::Value>(std::move(item)));
  }
  return list;
}

class Listing : public std::enable_shared_from_this<Listing> {
 public:
  Listing(std::shared_ptr<Api> api, const cluster::Resource& resource, cluster::ListOptions options,
          cluster::Done<cluster::List> done)
      : api_(std::move(api)), resource_(resource), options_(std::move(options)), done_(std::move(done)) {
    whole_ = options_.limit == 0;
    if (whole_) options_.limit = kPage;
  }

  void ask() {
    http::Query query;
    query.add("labelSelector", cluster::selector_text(options_.labels));
    query.add("fieldSelector", cluster::selector_text(options_.fields));
    if (options_.limit > 0) query.add("limit", std::to_string(options_.limit));
    query.add("continue", options_.continue_token);
    api_->call({.target = cluster::api_path(resource_, options_.ns, "") + query.text()},
               [self = shared_from_this()](Result<std::string> body) {
                 self->take(body ? read_page(*body, self->resource_, self->options_.with_nodes)
                                 : std::unexpected(std::move(body).error()));
               });
  }

 private:
  void take(Result<cluster::List> page) {
    if (!whole_) return done_(std::move(page));
    const bool forgotten = !page && page.error().code == Code::kOutOfRange && !options_.continue_token.empty();
    if (forgotten) {
      all_ = {};
      options_.limit = 0;
      options_.continue_token.clear();
      return ask();
    }
    if (!page) return done_(std::move(page));
    if (all_.resource_version == 0) all_.resource_version = page->resource_version;
    for (cluster::Object& item : page->items) all_.items.push_back(std::move(item));
    options_.continue_token = page->continue_token;
    if (!options_.continue_token.empty()) return ask();
    done_(std::move(all_));
  }

  std::shared_ptr<Api> api_;
  const cluster::Resource& resource_;
  cluster::ListOptions options_;
  cluster::Done<cluster::List> done_;
  bool whole_ = false;
  cluster::List all_;
};

}  // namespace

void list_objects(const std::shared_ptr<Api>& api, const cluster::Resource& resource, cluster::ListOptions options,
                  cluster::Done<cluster::List> done) {
  std::make_shared<Listing>(api, resource, std::move(options), std::move(done))->ask();
}

}  // namespace tiphys::kube
