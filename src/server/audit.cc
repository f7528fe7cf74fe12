#include "server/audit.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "base/random.h"
#include "cluster/api_status.h"
#include "server/access.h"
#include "server/sso/sign_on_routes.h"

namespace tiphys::server {
namespace {

doc::Object user_of(const objects::Caller& caller) {
  doc::Object user{{"username", caller.name}};
  if (!caller.uid.empty()) user["uid"] = caller.uid;
  user["groups"] = doc::Array(caller.groups.begin(), caller.groups.end());
  if (!caller.extra.empty()) user["extra"] = caller.extra;
  return user;
}

/// What a provider sends along with a browser is for nobody's eyes.
std::string_view shown_target(std::string_view target) {
  return is_sign_on_page(target) ? target.substr(0, target.find('?')) : target;
}

std::string new_id() {
  SystemRandom random;
  return make_uid(random);
}

/// What feeds a stream knows only weakly where it goes: what lies between lives as long as what feeds it.
class AuditedSource final : public cluster::Watch {
 public:
  AuditedSource(std::shared_ptr<Responder> responder, std::unique_ptr<cluster::Watch> source)
      : responder_(std::move(responder)), source_(std::move(source)) {}
  void pause(bool paused) override { source_->pause(paused); }

 private:
  const std::shared_ptr<Responder> responder_;  ///< goes last
  const std::unique_ptr<cluster::Watch> source_;
};

/// The end of a stream is told when nobody holds this any more: its peer may just go.
class AuditedResponder final : public Responder, public std::enable_shared_from_this<AuditedResponder> {
 public:
  AuditedResponder(std::shared_ptr<AuditEntry> entry, std::shared_ptr<Responder> inner)
      : entry_(std::move(entry)), inner_(std::move(inner)) {}
  ~AuditedResponder() override { complete(code_); }

  using Responder::begin_stream;
  using Responder::end_stream;
  using Responder::reply;
  void reply(AnswerHead head, std::string body) override {
    complete(code_of(head.code, head.fields));
    inner_->reply(std::move(head), std::move(body));
  }
  void begin_stream(AnswerHead head) override {
    start(head.code);
    inner_->begin_stream(std::move(head));
  }
  void write(std::string chunk) override { inner_->write(std::move(chunk)); }
  void bound_lag() override { inner_->bound_lag(); }
  void end_stream(HeaderFields trailers) override {
    complete(code_of(code_, trailers));
    inner_->end_stream(std::move(trailers));
  }
  void break_off() override {
    complete(500);
    inner_->break_off();
  }
  void upgrade(std::string head, std::unique_ptr<Speaker> speaker) override {
    complete(101);
    inner_->upgrade(std::move(head), std::move(speaker));
  }
  void hold(std::unique_ptr<cluster::Watch> source) override {
    inner_->hold(std::make_unique<AuditedSource>(shared_from_this(), std::move(source)));
  }

 private:
  /// gRPC says elsewhere how a call has ended.
  static unsigned code_of(unsigned code, const HeaderFields& fields) {
    const auto status = std::ranges::find(fields, "grpc-status", &HeaderFields::value_type::first);
    if (status == fields.end() || status->second == "0") return code;
    return cluster::http_code(static_cast<Code>(std::stoi(status->second)));
  }
  void start(unsigned code) {
    code_ = code;
    entry_->reach("ResponseStarted", code, system_now());
  }
  void complete(unsigned code) {
    if (std::exchange(completed_, true)) return;
    entry_->reach("ResponseComplete", code, system_now());
  }

  std::shared_ptr<AuditEntry> entry_;
  std::shared_ptr<Responder> inner_;
  unsigned code_ = 0;
  bool completed_ = false;
};

}  // namespace

Result<std::shared_ptr<AuditLog>> AuditLog::open(std::string path, std::size_t most_bytes) {
  std::shared_ptr<AuditLog> log(new AuditLog(std::move(path), most_bytes));
  TIPHYS_CHECK_OK(log->reopen());
  return log;
}

Status AuditLog::reopen() {
  file_ = UniqueFd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  struct stat found{};
  if (!file_ || ::fstat(file_.get(), &found) != 0) return fail_errno("audit log " + path_, errno);
  bytes_ = static_cast<std::size_t>(found.st_size);
  return {};
}

Status AuditLog::rotate() {
  if (::rename(path_.c_str(), (path_ + ".1").c_str()) != 0) return fail_errno("rename " + path_, errno);
  return reopen();
}

void AuditLog::append(const doc::Object& event) {
  std::string line = doc::to_json(event);
  line += '\n';
  Status done;
  if (bytes_ + line.size() > most_bytes_ && bytes_ > 0) done = rotate();
  // In one call, so that lines stay whole.
  if (done && ::write(file_.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    done = fail_errno("write " + path_, errno);
  }
  if (done) bytes_ += line.size();
  if (!done && !std::exchange(failed_, true)) log::error("requests are not in the audit log: {}", done.error().message);
  if (done) failed_ = false;
}

AuditEntry::AuditEntry(std::shared_ptr<AuditLog> log, const Request& request, const objects::Caller& caller)
    : log_(std::move(log)),
      event_{{"kind", "Event"},
             {"apiVersion", "audit.k8s.io/v1"},
             {"level", "Metadata"},
             {"auditID", new_id()},
             {"stage", ""},
             {"requestURI", shown_target(request.target)},
             {"verb", verb_of(request.method, false, false)},
             {"user", user_of(caller)}} {
  if (!request.peer.empty()) event_["sourceIPs"] = doc::Array{doc::Value(request.peer)};
  if (!request.user_agent.empty()) event_["userAgent"] = request.user_agent;
  event_["requestReceivedTimestamp"] = format_rfc3339_micro(request.at);
}

void AuditEntry::impersonates(const objects::Caller& caller) {
  event_["impersonatedUser"] = user_of(caller);
}

void AuditEntry::is_for(const objects::Target& target, std::string_view verb) {
  const cluster::Resource& resource = *target.kind->resource;
  event_["verb"] = verb;
  doc::Object about{{"resource", resource.plural}};
  if (!target.ns.empty()) about["namespace"] = target.ns;
  if (!target.name.empty()) about["name"] = target.name;
  if (!resource.group.empty()) about["apiGroup"] = resource.group;
  about["apiVersion"] = target.kind->version;
  if (!target.subresource.empty()) about["subresource"] = target.subresource;
  event_["objectRef"] = std::move(about);
}

void AuditEntry::calls(const argo::Method& method, const doc::Object& request) {
  // "RetryWorkflow": retry
  const auto second =
      std::ranges::find_if(method.name.begin() + 1, method.name.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
  std::string verb(method.name.begin(), second);
  verb.front() = static_cast<char>(verb.front() + ('a' - 'A'));
  event_["verb"] = verb;
  event_["annotations"] = doc::Object{{"tiphys.io/argo-method", fmt::format("/{}/{}", method.service, method.name)}};
  doc::Object about{{"apiGroup", "argoproj.io"}, {"apiVersion", "v1alpha1"}};
  for (const std::string_view field : {"namespace", "name", "uid"}) {
    const doc::Value* value = request.if_contains(field);
    if (value && value->is_string() && !value->get_string().empty()) about[field] = *value;
  }
  event_["objectRef"] = std::move(about);
}

void AuditEntry::reach(std::string_view stage, unsigned code, Time at) {
  event_["stage"] = stage;
  if (code != 0) event_["responseStatus"] = doc::Object{{"metadata", doc::Object()}, {"code", code}};
  event_["stageTimestamp"] = format_rfc3339_micro(at);
  log_->append(event_);
}

std::shared_ptr<Responder> audited(std::shared_ptr<AuditEntry> entry, std::shared_ptr<Responder> responder) {
  return std::make_shared<AuditedResponder>(std::move(entry), std::move(responder));
}

void tell_refused(const Served& served, const Request& request, unsigned code) {
  if (!served.audit) return;
  AuditEntry(served.audit, request, *anonymous()).reach("ResponseComplete", code, system_now());
}

std::string_view verb_of(std::string_view method, bool is_collection, bool watches) {
  if (method == "GET") return watches ? "watch" : is_collection ? "list" : "get";
  if (method == "POST") return "create";
  if (method == "PUT") return "update";
  if (method == "PATCH") return "patch";
  if (method == "DELETE") return is_collection ? "deletecollection" : "delete";
  return "get";
}

}  // namespace tiphys::server
