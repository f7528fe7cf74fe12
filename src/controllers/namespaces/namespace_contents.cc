#include "controllers/namespaces/namespace_contents.h"

#include <fmt/format.h>

#include "controllers/workloads/fields.h"
#include "controllers/workloads/plane_view.h"

namespace tiphys::controllers {

namespace {
constexpr std::size_t kPage = 256;
}

struct NamespaceContents::Sweep {
  std::vector<const cluster::Resource*> rest;  ///< the last one is under way
  std::string continue_token{};
  Remains remains{};
  std::move_only_function<void(Remains)> done;

  void failed(const cluster::Resource& resource, const Error& error) {
    remains.errors.push_back(fmt::format("{}: {}", resource.qualified, error.message));
  }
};

void NamespaceContents::sweep(std::vector<const cluster::Resource*> resources,
                              std::move_only_function<void(Remains)> done) {
  next_page(std::make_shared<Sweep>(Sweep{.rest = std::move(resources), .done = std::move(done)}));
}

void NamespaceContents::next_page(const std::shared_ptr<Sweep>& sweep) {
  if (sweep->rest.empty()) return sweep->done(std::move(sweep->remains));
  const cluster::Resource& resource = *sweep->rest.back();
  cluster::ListOptions options;
  options.ns = ns_;
  options.limit = kPage;
  options.continue_token = std::move(sweep->continue_token);
  cluster_.list(resource, std::move(options),
                [weak = weak_from_this(), sweep, &resource](Result<cluster::List> page) mutable {
                  const auto self = weak.lock();
                  if (!self) return;
                  sweep->continue_token = page ? page->continue_token : "";
                  if (sweep->continue_token.empty()) sweep->rest.pop_back();
                  if (!page) {
                    sweep->failed(resource, page.error());
                    return self->next_page(sweep);
                  }
                  self->remove(sweep, resource, *page);
                });
}

void NamespaceContents::remove(const std::shared_ptr<Sweep>& sweep, const cluster::Resource& resource,
                               const cluster::List& page) {
  if (!page.items.empty()) {
    follow(resource);
    sweep->remains.resources[fmt::format("{}.{}", resource.plural, resource.group)] += page.items.size();
  }
  workloads::Answers answers([weak = weak_from_this(), sweep, &resource](const Status& outcome) {
    const auto self = weak.lock();
    if (!self) return;
    if (!outcome) sweep->failed(resource, outcome.error());
    self->next_page(sweep);
  });
  for (const auto& object : page.items) {
    for (const doc::Value& finalizer : workloads::list_at(*object, "metadata", "finalizers")) {
      ++sweep->remains.finalizers[doc::scalar_text(finalizer)];
    }
    if (workloads::is_deleting(*object)) continue;
    sweep->remains.removed_any = true;
    cluster_.remove(workloads::key_of(resource, *object), {.uid = workloads::uid_of(*object)},
                    answers.one_unless_gone());
  }
  answers.close();
}

void NamespaceContents::follow(const cluster::Resource& resource) {
  if (followed_.contains(&resource)) return;
  Followed& followed = followed_[&resource];
  cluster::WatchOptions options;
  options.ns = ns_;
  cluster::WatchSink sink;
  sink.on_event = [this, &resource](const cluster::WatchEvent& event) { on_event(resource, event); };
  sink.on_end = [weak = weak_from_this(), &resource](const Error&) {
    const auto self = weak.lock();
    if (!self) return;
    self->followed_.erase(&resource);
    self->changed_();
  };
  followed.watch = cluster_.watch(resource, std::move(options), std::move(sink));
}

void NamespaceContents::on_event(const cluster::Resource& resource, const cluster::WatchEvent& event) {
  using Type = cluster::WatchEvent::Type;
  const auto found = followed_.find(&resource);
  if (found == followed_.end()) return;
  Followed& followed = found->second;
  if (event.type == Type::kSynced) followed.synced = true;
  if (event.object) {
    const std::string name = workloads::name_of(*event.object);
    if (event.type == Type::kDeleted) {
      followed.names.erase(name);
    } else if (followed.names.insert(name).second && followed.synced) {
      return changed_();
    }
  }
  if (followed.synced && followed.names.empty()) changed_();
}

}  // namespace tiphys::controllers
