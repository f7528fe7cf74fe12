#include "controllers/data_runner.h"

#include <fmt/format.h>

#include "expr/expression.h"
#include "expr/go_json.h"

namespace tiphys::controllers {
namespace {

/// As the original's executor exits when it cannot do its work.
constexpr std::string_view kFailedExit = "64";

/// The keys of the files below the key of `artifactPaths`.
Result<doc::Value> list_artifacts(const doc::Value& tmpl, artifact::Repository* repository) {
  const doc::Value* place = doc::find(tmpl, "data", "source", "artifactPaths", "s3");
  if (!place) return fail(Code::kInvalidArgument, "artifactPaths names no place: write s3: {key: FOLDER}");
  if (!repository) return fail(Code::kFailedPrecondition, "this plane has no artifact repository");
  const std::string_view key = doc::find_string(*place, "key");
  const auto keys = repository->list(key);
  if (!keys && keys.error().code == Code::kNotFound) {
    return fail(Code::kNotFound, fmt::format("no key found of name {}", key));
  }
  if (!keys) return std::unexpected(keys.error().in("failed to list directory"));
  doc::Array listed;
  for (const std::string& each : *keys) listed.emplace_back(each);
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

class RunningData final : public RunningAction {
 public:
  explicit RunningData(std::shared_ptr<ActionRunner::Changed> done) : done_(std::move(done)) {}
  ~RunningData() override { *done_ = nullptr; }

 private:
  std::shared_ptr<ActionRunner::Changed> done_;
};

}  // namespace

Result<std::string> process_data(const doc::Value& tmpl, artifact::Repository* repository) {
  auto data = list_artifacts(tmpl, repository);
  if (!data) return std::unexpected(data.error().in("unable to process data source: unable to source artifact paths"));
  data = transform(std::move(*data), tmpl);
  if (!data) return std::unexpected(data.error().in("unable to process data transformation"));
  std::string text;
  expr::append_go_json(*data, text);
  return text;
}

std::unique_ptr<RunningAction> DataRunner::run(ActionRequest request, Changed done) {
  auto shared = std::make_shared<Changed>(std::move(done));
  workers_.run(
      [tmpl = request.run.template_document, repository = repository_] { return process_data(*tmpl, repository); },
      [shared, id = request.run.node_id](const Result<std::string>& result) {
        if (!*shared) return;
        engine::ActionChanged finished;
        finished.node_id = id;
        api::Outputs& outputs = finished.outputs.emplace();
        outputs.exit_code = result ? "0" : kFailedExit;
        if (result) {
          outputs.result = *result;
        } else {
          finished.phase = api::NodePhase::kFailed;
          finished.message = fmt::format("main: Error (exit code {}): unable to process data template: {}", kFailedExit,
                                         result.error().message);
        }
        std::exchange(*shared, nullptr)(std::move(finished));
      });
  return std::make_unique<RunningData>(std::move(shared));
}

}  // namespace tiphys::controllers
