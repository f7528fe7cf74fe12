#include "cli/archive_methods.h"

#include <algorithm>
#include <array>

#include "base/check.h"
#include "base/percent.h"

namespace tiphys::cli {
namespace {

constexpr const char* kService = "workflowarchive.ArchivedWorkflowService";

struct ArchiveMethod {
  argo::Method method;
  std::string_view verb, path;  ///< the path's end is the request's uid, then `part`
  std::string_view part = "";
};

const ArchiveMethod& find(std::string_view name) {
  constexpr std::string_view kOne = "/api/v1/archived-workflows/";
  static const auto make = [](const char* named, std::string_view verb, std::string_view path,
                              std::string_view part = "") {
    return ArchiveMethod{argo::Method{.service = kService, .name = named}, verb, path, part};
  };
  static const std::array kMethods{
      make("ListArchivedWorkflows", "GET", "/api/v1/archived-workflows"),
      make("GetArchivedWorkflow", "GET", kOne),
      make("DeleteArchivedWorkflow", "DELETE", kOne),
      make("ListArchivedWorkflowLabelKeys", "GET", "/api/v1/archived-workflows-label-keys"),
      make("ListArchivedWorkflowLabelValues", "GET", "/api/v1/archived-workflows-label-values"),
      make("RetryArchivedWorkflow", "PUT", kOne, "/retry"),
      make("ResubmitArchivedWorkflow", "PUT", kOne, "/resubmit"),
  };
  const auto* found = std::ranges::find(kMethods, name, [](const ArchiveMethod& each) { return each.method.name; });
  TIPHYS_CHECK(found != kMethods.end(), "commands name methods that there are");
  return *found;
}

/// Of a method with one answer.
class OneAnswer final : public argo::Answer {
 public:
  explicit OneAnswer(cluster::Done<doc::Value> done) : done_(std::move(done)) {}

  void reply(const doc::Value& message) override { done_(doc::Value(message)); }
  void reply_text(std::string json) override { done_(doc::parse_json(json)); }
  void refuse(Error error) override { done_(std::unexpected(std::move(error))); }
  void send(std::string) override {}
  void caught_up() override {}
  void end() override {}
  void hold(std::unique_ptr<cluster::Watch>) override {}

 private:
  cluster::Done<doc::Value> done_;
};

}  // namespace

void ask_services(argo::Services& services, std::string_view method, doc::Object request,
                  cluster::Done<doc::Value> done) {
  services.call({find(method).method, std::move(request), nullptr, std::make_shared<OneAnswer>(std::move(done))});
}

server::ArgoRequest archive_request(std::string_view method, doc::Object request) {
  const ArchiveMethod& known = find(method);
  server::ArgoRequest asked{.verb = std::string(known.verb), .path = std::string(known.path)};
  if (asked.path.ends_with('/')) {
    const doc::Value* uid = request.if_contains("uid");
    TIPHYS_CHECK(uid, "what is about one workflow names it");
    asked.path += percent_encode(doc::scalar_text(*uid)) + std::string(known.part);
    request.erase("uid");
  }
  asked.message = std::move(request);
  return asked;
}

}  // namespace tiphys::cli
