// Argo's services over a plane in memory, for tests: calls wait for their answers.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "argo/plane_services.h"
#include "objects/testing.h"

namespace tiphys::argo {

/// What an answer has told.
class RecordedAnswer final : public Answer {
 public:
  std::optional<doc::Value> message;
  std::vector<doc::Value> stream;
  std::optional<Error> error;
  bool ended = false;

  void reply(const doc::Value& given) override { reply_text(doc::to_json(given)); }
  void reply_text(std::string json) override {
    auto parsed = doc::parse_json(json);
    ASSERT_TRUE(parsed) << json;
    ASSERT_FALSE(message || error) << "answered twice";
    message = std::move(*parsed);
  }
  void send(std::string json) override {
    auto parsed = doc::parse_json(json);
    ASSERT_TRUE(parsed) << json;
    stream.push_back(std::move(*parsed));
  }
  void caught_up() override {}
  void end() override { ended = true; }
  void refuse(Error given) override { error = std::move(given); }
  void hold(std::unique_ptr<cluster::Watch> source) override { source_ = std::move(source); }
  void leave() { source_.reset(); }
  bool waits() const { return !message && !error && !ended && !source_; }

 private:
  std::unique_ptr<cluster::Watch> source_;
};

class TestServices {
 public:
  explicit TestServices(const objects::Authorizer* authorizer = nullptr)
      : api_(authorizer),
        services_(make_services({.executor = api_.store().executor(), .api = &api_.api(), .random = random_})) {}

  /// `method` is "workflow.WorkflowService/CreateWorkflow", `request` YAML.
  std::shared_ptr<RecordedAnswer> call(const std::string& method, std::string_view request,
                                       std::shared_ptr<const objects::Caller> caller = nullptr) {
    const auto slash = method.find('/');
    methods_.push_back(
        std::make_unique<Method>(Method{.service = method.substr(0, slash), .name = method.substr(slash + 1)}));
    auto answer = std::make_shared<RecordedAnswer>();
    doc::Value parsed = objects::parse_one(request);
    services_->call({*methods_.back(), std::move(parsed.as_object()), std::move(caller), answer});
    store().run();
    while (answer->waits() && store().executor().step()) {
    }
    return answer;
  }
  /// The message that it is answered with, as JSON; "error CODE: message" else.
  std::string ask(const std::string& method, std::string_view request) {
    const auto answer = call(method, request);
    if (answer->error) {
      return fmt::format("error {}: {}", static_cast<int>(answer->error->code), answer->error->message);
    }
    return answer->message ? doc::to_json(*answer->message) : "no answer";
  }
  doc::Value get(const std::string& method, std::string_view request) {
    const auto answer = call(method, request);
    EXPECT_FALSE(answer->error) << answer->error->message;
    return answer->message.value_or(doc::Value());
  }

  Services& services() { return *services_; }
  store::TestStore& store() { return api_.store(); }
  objects::TestApi& api() { return api_; }

 private:
  SystemRandom random_;
  objects::TestApi api_;
  std::vector<std::unique_ptr<Method>> methods_;
  std::unique_ptr<Services> services_;
};

}  // namespace tiphys::argo
