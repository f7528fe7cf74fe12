#include "controllers/data_runner.h"

#include <fmt/format.h>

#include "api/artifact_location.h"
#include "expr/expression.h"
#include "expr/go_json.h"

namespace tiphys::controllers {
namespace {

/// As the original's executor exits when it cannot do its work.
constexpr std::string_view kFailedExit = "64";

/// The keys of the files below the place.
Result<doc::Value> list_artifacts(const Result<std::unique_ptr<artifact::Place>>& place) {
  if (!place) return std::unexpected(place.error());
  TIPHYS_TRY(const auto keys, (*place)->list());
  doc::Array listed;
  for (const std::string& each : keys) listed.emplace_back(each);
  return doc::Value(std::move(listed));
}

Result<doc::Value> transform(doc::Value data, std::string_view text) {
  if (text.empty()) return data;
  TIPHYS_TRY(const auto expression, expr::Expression::compile(text, expr::Functions::kExprLang));
  expr::Scope scope;
  scope.set_value("data", std::move(data));
  return expression.eval(scope);
}

Result<doc::Value> transform(doc::Value data, const doc::Value& tmpl) {
  const doc::Value* steps = doc::find(tmpl, "data", "transformation");
  if (!steps || !steps->is_array()) return data;
  for (std::size_t i = 0; i < steps->get_array().size(); ++i) {
    auto next = transform(std::move(data), doc::find_string(steps->get_array()[i], "expression"));
    if (!next) return std::unexpected(next.error().in(fmt::format("error processing data step {}", i)));
    data = std::move(*next);
  }
  return data;
}

/// One node: the Secrets of its place are read, then a worker lists and transforms.
class Listing : public std::enable_shared_from_this<Listing> {
 public:
  Listing(Workers& workers, artifact::Stores* stores, ActionRequest request, ActionRunner::Changed done)
      : workers_(workers), stores_(stores), request_(std::move(request)), done_(std::move(done)) {}

  void begin(cluster::Cluster& cluster) {
    auto location = data_location(*request_.run.template_document, request_.archive_location);
    if (!location || !stores_) {
      Error error =
          location ? Error{Code::kFailedPrecondition, "this plane has no artifact repository"} : location.error();
      return list([error] -> Result<std::unique_ptr<artifact::Place>> { return std::unexpected(error); });
    }
    artifact::Credentials::fetch(
        cluster, request_.ns, std::span(&*location, 1),
        [self = shared_from_this(), location = *location](Result<artifact::Credentials> credentials) {
          self->list(
              [self, location, credentials = std::move(credentials)] -> Result<std::unique_ptr<artifact::Place>> {
                if (!credentials) return std::unexpected(credentials.error());
                return self->stores_->open(location, *credentials);
              });
        });
  }
  void cancel() { done_ = nullptr; }

 private:
  template <typename Open>
  void list(Open open) {
    workers_.run([self = shared_from_this(),
                  open = std::move(open)] { return process_data(*self->request_.run.template_document, open()); },
                 [self = shared_from_this()](const Result<std::string>& result) { self->finish(result); });
  }

  void finish(const Result<std::string>& result) {
    if (!done_) return;
    engine::ActionChanged finished;
    finished.node_id = request_.run.node_id;
    api::Outputs& outputs = finished.outputs.emplace();
    outputs.exit_code = result ? "0" : kFailedExit;
    if (result) {
      outputs.result = *result;
    } else {
      finished.phase = api::NodePhase::kFailed;
      finished.message = fmt::format("main: Error (exit code {}): unable to process data template: {}", kFailedExit,
                                     result.error().message);
    }
    std::exchange(done_, nullptr)(std::move(finished));
  }

  Workers& workers_;
  artifact::Stores* stores_;
  const ActionRequest request_;
  ActionRunner::Changed done_;
};

}  // namespace

Result<doc::Value> data_location(const doc::Value& tmpl, const doc::Object& archive) {
  const doc::Value* artifact = doc::find(tmpl, "data", "source", "artifactPaths");
  doc::Value location = artifact && artifact->is_object() ? api::relocated(artifact->get_object(), archive) : nullptr;
  if (location.is_null()) return fail(Code::kInvalidArgument, "artifactPaths names no place: write s3: {key: FOLDER}");
  return location;
}

Result<std::string> process_data(const doc::Value& tmpl, Result<std::unique_ptr<artifact::Place>> place) {
  auto data = list_artifacts(place);
  if (!data) return std::unexpected(data.error().in("unable to process data source: unable to source artifact paths"));
  data = transform(std::move(*data), tmpl);
  if (!data) return std::unexpected(data.error().in("unable to process data transformation"));
  std::string text;
  expr::append_go_json(*data, text);
  return text;
}

std::unique_ptr<RunningAction> DataRunner::run(ActionRequest request, Changed done) {
  auto listing = std::make_shared<Listing>(workers_, stores_, std::move(request), std::move(done));
  listing->begin(cluster_);
  return std::make_unique<CancellableAction<Listing>>(std::move(listing));
}

}  // namespace tiphys::controllers
