#include "server/audit.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/random.h"

namespace tiphys::server {
namespace {

doc::Object user_of(const objects::Caller& caller) {
  doc::Object user{{"username", caller.name}};
  if (!caller.uid.empty()) user["uid"] = caller.uid;
  user["groups"] = doc::Array(caller.groups.begin(), caller.groups.end());
  if (!caller.extra.empty()) user["extra"] = caller.extra;
  return user;
}

std::string new_id() {
  SystemRandom random;
  return make_uid(random);
}

/// The end of a stream is told when nobody holds this any more: its peer may just go.
class AuditedResponder final : public Responder {
 public:
  AuditedResponder(std::shared_ptr<AuditEntry> entry, std::shared_ptr<Responder> inner)
      : entry_(std::move(entry)), inner_(std::move(inner)) {}
  ~AuditedResponder() override { complete(code_); }

  void reply(unsigned code, std::string_view content_type, std::string body,
             std::vector<std::string> warnings) override {
    complete(code);
    inner_->reply(code, content_type, std::move(body), std::move(warnings));
  }
  void begin_stream(std::string_view content_type) override {
    start(200);
    inner_->begin_stream(content_type);
  }
  void write(std::string chunk) override { inner_->write(std::move(chunk)); }
  void bound_lag() override { inner_->bound_lag(); }
  void end_stream() override {
    complete(code_);
    inner_->end_stream();
  }
  void upgrade(std::string head, std::unique_ptr<Speaker> speaker) override {
    complete(101);
    inner_->upgrade(std::move(head), std::move(speaker));
  }
  void hold(std::unique_ptr<cluster::Watch> source) override { inner_->hold(std::move(source)); }

 private:
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
             {"requestURI", request.target},
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
  static const objects::Caller kAnonymous{.name = "system:anonymous", .groups = {"system:unauthenticated"}};
  AuditEntry(served.audit, request, kAnonymous).reach("ResponseComplete", code, system_now());
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
