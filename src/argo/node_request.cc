#include "argo/node_request.h"

#include <memory>
#include <utility>

#include "base/random.h"
#include "controllers/names.h"
#include "doc/yaml.h"

namespace tiphys::argo {
namespace {

/// Somebody else changes the workflow at the same time: read it again and try anew.
constexpr int kMostTries = 10;

Result<doc::Value> entry_of(const NodeRequest& request) {
  SystemRandom random;
  doc::Array fields;
  for (const auto& requirement : request.selector.requirements()) {
    if (requirement.op != cluster::Requirement::Op::kEquals) {
      return fail(Code::kInvalidArgument, "nodeFieldSelector: only = is understood here");
    }
    fields.push_back(doc::Array{doc::Value(requirement.key), doc::Value(requirement.values.front())});
  }
  doc::Object entry{{"id", make_uid(random)}, {"fields", std::move(fields)}};
  if (!request.phase.empty()) entry["phase"] = request.phase;
  if (!request.message.empty()) entry["message"] = request.message;
  if (!request.output_parameters.empty()) entry["outputParameters"] = request.output_parameters;
  return doc::Value(std::move(entry));
}

std::string_view version_of(const doc::Value& object) {
  return doc::find_string(object, "metadata", "resourceVersion");
}

/// A patch that holds only while the workflow is as it was read.
doc::Array appending_patch(const doc::Value& workflow, const doc::Value& entry) {
  doc::Array requests;
  const std::string_view waiting =
      doc::find_string(workflow, "metadata", "annotations", controllers::kNodeRequestsAnnotation);
  // What cannot be read will not be carried out either.
  if (const auto parsed = doc::parse_json(waiting); parsed && parsed->is_array()) requests = parsed->get_array();
  requests.push_back(entry);
  doc::Array patch;
  patch.push_back(doc::Object{{"op", "test"}, {"path", "/metadata/resourceVersion"}, {"value", version_of(workflow)}});
  if (!doc::find(workflow, "metadata", "annotations")) {
    patch.push_back(doc::Object{{"op", "add"}, {"path", "/metadata/annotations"}, {"value", doc::Object{}}});
  }
  patch.push_back(
      doc::Object{{"op", "add"},
                  {"path", "/metadata/annotations" + doc::pointer_step(controllers::kNodeRequestsAnnotation)},
                  {"value", doc::to_json(requests)}});
  return patch;
}

class Appending : public std::enable_shared_from_this<Appending> {
 public:
  Appending(cluster::Cluster& cluster, cluster::Key workflow, doc::Value entry, cluster::Done<std::string> done)
      : cluster_(cluster), workflow_(std::move(workflow)), entry_(std::move(entry)), done_(std::move(done)) {}

  void start() {
    cluster_.get(workflow_, [self = shared_from_this()](Result<cluster::Object> before) {
      if (!before) return self->done_(std::unexpected(before.error()));
      self->append(*before);
    });
  }

 private:
  void append(const cluster::Object& before) {
    cluster_.patch(workflow_, cluster::PatchType::kJson, appending_patch(*before, entry_),
                   [self = shared_from_this(), before](Result<cluster::Object> patched) {
                     if (patched) return self->done_(std::string(doc::find_string(self->entry_, "id")));
                     self->try_again(before, patched.error());
                   });
  }

  /// If it has been changed meanwhile.
  void try_again(const cluster::Object& before, const Error& why) {
    cluster_.get(workflow_, [self = shared_from_this(), before, why](Result<cluster::Object> now) {
      if (!now) return self->done_(std::unexpected(now.error()));
      if (version_of(**now) == version_of(*before) || ++self->tries_ == kMostTries) {
        return self->done_(std::unexpected(why));
      }
      self->append(*now);
    });
  }

  cluster::Cluster& cluster_;
  const cluster::Key workflow_;
  const doc::Value entry_;
  cluster::Done<std::string> done_;
  int tries_ = 0;
};

constexpr std::chrono::seconds kPatience(2);

class Waiting : public std::enable_shared_from_this<Waiting> {
 public:
  Waiting(Executor& executor, std::string id, Executor::Task done)
      : executor_(executor), id_(std::move(id)), done_(std::move(done)) {}

  void start(cluster::Cluster& cluster, const cluster::Key& workflow) {
    timer_ = executor_.schedule(executor_.now() + kPatience, [self = shared_from_this()] { self->finish(); });
    cluster::WatchOptions options;
    options.ns = workflow.ns;
    options.fields = *cluster::Selector::parse_fields("metadata.name=" + workflow.name);
    cluster::WatchSink sink;
    sink.on_event = [weak = weak_from_this()](const cluster::WatchEvent& event) {
      const auto self = weak.lock();
      if (self && event.object && !self->waits(*event.object)) self->finish();
    };
    sink.on_end = [weak = weak_from_this()](const Error&) {
      if (const auto self = weak.lock()) self->finish();
    };
    watch_ = cluster.watch(cluster::kWorkflows, std::move(options), std::move(sink));
  }

 private:
  bool waits(const doc::Value& workflow) const {
    const auto annotation = [&](std::string_view name) {
      return doc::find_string(workflow, "metadata", "annotations", name);
    };
    return annotation(controllers::kNodeRequestsAnnotation).contains(id_) &&
           !annotation(controllers::kNodeRequestsDoneAnnotation).contains(id_);
  }

  /// Not from within the watch, which ends with it.
  void finish() {
    if (!done_) return;
    executor_.cancel(timer_);
    executor_.post([self = shared_from_this(), done = std::exchange(done_, {})]() mutable {
      self->watch_.reset();
      done();
    });
  }

  Executor& executor_;
  const std::string id_;
  Executor::Task done_;
  std::unique_ptr<cluster::Watch> watch_;
  Executor::TimerId timer_ = 0;
};

}  // namespace

void request_nodes(cluster::Cluster& cluster, const cluster::Key& workflow, const NodeRequest& request,
                   cluster::Done<std::string> done) {
  auto entry = entry_of(request);
  if (!entry) return done(std::unexpected(entry.error()));
  std::make_shared<Appending>(cluster, workflow, std::move(*entry), std::move(done))->start();
}

void await_request(Executor& executor, cluster::Cluster& cluster, const cluster::Key& workflow, const std::string& id,
                   Executor::Task done) {
  std::make_shared<Waiting>(executor, id, std::move(done))->start(cluster, workflow);
}

}  // namespace tiphys::argo
