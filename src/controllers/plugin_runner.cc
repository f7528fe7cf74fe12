#include "controllers/plugin_runner.h"

#include <fmt/format.h>

#include <utility>

#include "api/node_status.h"
#include "controllers/agent_pod.h"
#include "engine/transient.h"

namespace tiphys::controllers {
namespace {

using api::NodePhase;

constexpr Duration kAnswerTime = std::chrono::seconds(30);
/// As long as the original waits for a plugin that does not listen yet, about, but sooner there when it does.
constexpr int kMostAttempts = 11;
constexpr Duration kFirstRetry = std::chrono::milliseconds(20);

enum Status : int { kOk = 200, kNoSuchMethod = 404, kBusy = 503 };

/// What a plugin says of a node.
struct Reply {
  std::optional<engine::ActionChanged> change;  ///< none: it is not for this plugin
  std::optional<Duration> requeue;              ///< when to ask again
};

Result<Reply> parse_reply(std::string_view body) {
  TIPHYS_TRY(const doc::Value reply, doc::parse_json(body));
  Reply read;
  const doc::Value* node = doc::find(reply, "node");
  if (!node || !node->is_object()) return read;
  const auto phase = api::parse_node_phase(doc::find_string(*node, "phase"));
  if (!phase) {
    return fail(Code::kInvalidArgument,
                fmt::format("the plugin's answer has no phase of a node: \"{}\"", doc::find_string(*node, "phase")));
  }
  engine::ActionChanged& change = read.change.emplace();
  change.phase = *phase;
  change.message = doc::find_string(*node, "message");
  if (const doc::Value* outputs = doc::find(*node, "outputs"); outputs && outputs->is_object()) {
    TIPHYS_TRY(change.outputs, api::parse_outputs(*outputs));
  }
  if (const std::string_view wait = doc::find_string(reply, "requeue"); !wait.empty()) {
    TIPHYS_TRY(read.requeue, parse_go_duration(wait));
  }
  return read;
}

class Asking : public std::enable_shared_from_this<Asking> {
 public:
  Asking(Executor& executor, web::HttpClient* client, ActionRequest action, ActionRunner::Changed changed)
      : executor_(executor), client_(client), action_(std::move(action)), changed_(std::move(changed)) {}

  void begin() {
    if (!changed_) return;
    if (!client_) return end(NodePhase::kFailed, "this plane makes no HTTP requests");
    use_ = action_.agent_pod->use([weak = weak_from_this()](const tiphys::Status& ready) {
      const auto self = weak.lock();
      if (!self || !self->changed_) return;
      if (!ready) return self->end(NodePhase::kError, ready.error().message);
      self->begin_round();
    });
  }

  void cancel() {
    changed_ = nullptr;
    call_.reset();
    use_.reset();
    executor_.cancel(std::exchange(timer_, 0));
  }

 private:
  void begin_round() {
    next_ = 0;
    attempts_ = 0;
    ask();
  }

  void ask() {
    auto& plugins = action_.agent_pod->plugins();
    while (next_ < plugins.size() && plugins[next_].executes_nothing) ++next_;
    if (next_ == plugins.size()) return end(NodePhase::kFailed, "no plugin executed the template");
    const AgentPod::Plugin& plugin = plugins[next_];
    web::HttpRequest request;
    request.method = "POST";
    request.url = plugin.address + "/api/v1/template.execute";
    request.headers = {{"Content-Type", "application/json"}, {"Authorization", "Bearer " + plugin.token}};
    request.body = question();
    request.timeout = kAnswerTime;
    ++attempts_;
    call_ = client_->send(std::move(request), [weak = weak_from_this()](Result<web::HttpAnswer> answer) {
      const auto self = weak.lock();
      if (self && self->changed_) self->answered(std::move(answer));
    });
  }

  /// The template as Go writes it, which leaves out none of these.
  std::string question() const {
    doc::Object tmpl = action_.run.template_document->get_object();
    for (const char* part : {"inputs", "outputs", "metadata"}) {
      if (!tmpl.contains(part)) tmpl[part] = doc::Object{};
    }
    const doc::Object metadata{
        {"name", action_.workflow_name}, {"namespace", action_.ns}, {"uid", action_.workflow_uid}};
    return doc::to_json(doc::Object{{"workflow", {{"metadata", metadata}}}, {"template", std::move(tmpl)}});
  }

  void answered(Result<web::HttpAnswer> answer) {
    if (!answer) return passing(answer.error().message, engine::may_pass(answer.error().message));
    switch (answer->status) {
      case kOk:
        return replied(answer->body);
      case kNoSuchMethod:
        action_.agent_pod->plugins()[next_].executes_nothing = true;
        return go_on();
      case kBusy:
        return passing(answer->body, true);
      default:
        return end(NodePhase::kFailed, fmt::format("{}: {}", answer->status, answer->body));
    }
  }

  void passing(const std::string& message, bool may_pass) {
    if (!may_pass || attempts_ >= kMostAttempts) return end(NodePhase::kFailed, message);
    later(kFirstRetry * (1 << (attempts_ - 1)), &Asking::ask);
  }

  void go_on() {
    ++next_;
    attempts_ = 0;
    ask();
  }

  void replied(std::string_view body) {
    auto reply = parse_reply(body);
    if (!reply) return end(NodePhase::kFailed, reply.error().message);
    if (!reply->change) return go_on();
    if (api::fulfilled(reply->change->phase)) return end(std::move(*reply->change));
    if (!reply->requeue || *reply->requeue <= Duration::zero()) {
      return end(NodePhase::kError,
                 fmt::format("the plugin says {} and not when to ask it again: \"requeue\" is missing",
                             api::node_phase_name(reply->change->phase)));
    }
    later(*reply->requeue, &Asking::begin_round);
    if (reply->change->phase == NodePhase::kUnset) return;
    reply->change->node_id = action_.run.node_id;
    changed_(std::move(*reply->change));
  }

  void later(Duration wait, void (Asking::*task)()) {
    timer_ = executor_.schedule(executor_.now() + wait, [weak = weak_from_this(), task] {
      const auto self = weak.lock();
      if (!self || !self->changed_) return;
      self->timer_ = 0;
      (*self.*task)();
    });
  }

  void end(NodePhase phase, std::string message) {
    engine::ActionChanged change;
    change.phase = phase;
    change.message = std::move(message);
    end(std::move(change));
  }

  void end(engine::ActionChanged change) {
    if (!changed_) return;
    change.node_id = action_.run.node_id;
    auto changed = std::exchange(changed_, nullptr);
    cancel();
    changed(std::move(change));
  }

  Executor& executor_;
  web::HttpClient* client_;
  const ActionRequest action_;
  ActionRunner::Changed changed_;
  std::unique_ptr<AgentPod::Use> use_;
  std::unique_ptr<web::HttpCall> call_;
  Executor::TimerId timer_ = 0;
  std::size_t next_ = 0;  ///< the plugin that is asked
  int attempts_ = 0;      ///< at it
};

}  // namespace

std::unique_ptr<RunningAction> PluginRunner::run(ActionRequest request, Changed changed) {
  auto asking = std::make_shared<Asking>(executor_, client_, std::move(request), std::move(changed));
  executor_.post([weak = std::weak_ptr(asking)] {
    if (const auto self = weak.lock()) self->begin();
  });
  return std::make_unique<CancellableAction<Asking>>(std::move(asking));
}

}  // namespace tiphys::controllers
