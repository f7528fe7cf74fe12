#include "server/audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "store/testing.h"

namespace tiphys::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Nowhere final : public Responder {
 public:
  void reply(AnswerHead, std::string) override {}
  void begin_stream(AnswerHead) override {}
  void write(std::string) override {}
  void bound_lag() override {}
  void end_stream(HeaderFields) override {}
  void break_off() override {}
  void upgrade(std::string, std::unique_ptr<Speaker>) override {}
  void hold(std::unique_ptr<cluster::Watch>) override {}
};

class AuditTest : public testing::Test {
 protected:
  std::shared_ptr<Responder> begin(const Request& request, const objects::Caller& caller = objects::plane_owner()) {
    return audited(std::make_shared<AuditEntry>(log_, request, caller), std::make_shared<Nowhere>());
  }
  std::vector<doc::Value> lines(const std::string& path) const {
    std::vector<doc::Value> found;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) found.push_back(*doc::parse_json(line));
    return found;
  }
  std::vector<std::string> stages() const {
    std::vector<std::string> found;
    for (const doc::Value& line : lines(path_)) found.emplace_back(doc::find_string(line, "stage"));
    return found;
  }

  const store::TempDir dir_;
  const std::string path_ = dir_.path() + "/audit";
  std::shared_ptr<AuditLog> log_ = *AuditLog::open(path_);
};

TEST_F(AuditTest, TellsWhoAskedForWhatAndHowItEnded) {
  objects::Kinds kinds;
  auto entry = std::make_shared<AuditEntry>(
      log_,
      Request{.method = "POST", .target = "/api/v1/namespaces/a/secrets", .user_agent = "kubectl", .peer = "127.0.0.1"},
      objects::service_account("a", "builder", "u"));
  entry->is_for({.kind = kinds.find_kind("v1", "Secret"), .ns = "a"}, verb_of("POST", true, false));
  audited(entry, std::make_shared<Nowhere>())->reply(201, "application/json", R"({"data": "c2VjcmV0"})");
  ASSERT_EQ(lines(path_).size(), 1u);
  const doc::Value line = lines(path_).front();
  EXPECT_EQ(doc::find_string(line, "verb"), "create");
  EXPECT_EQ(doc::find_string(line, "user", "username"), "system:serviceaccount:a:builder");
  EXPECT_EQ(doc::find_string(line, "objectRef", "resource"), "secrets");
  EXPECT_EQ(doc::find(line, "responseStatus", "code")->get_int64(), 201);
  EXPECT_EQ(doc::to_json(line).find("c2VjcmV0"), std::string::npos) << "no bodies";
}

TEST_F(AuditTest, AStreamBeginsAndEnds) {
  auto responder = begin({.method = "GET", .target = "/api/v1/pods?watch=1"});
  responder->begin_stream("application/json");
  EXPECT_THAT(stages(), ElementsAre("ResponseStarted"));
  responder.reset();  // its peer has gone
  EXPECT_THAT(stages(), ElementsAre("ResponseStarted", "ResponseComplete"));
}

/// A peer that keeps what feeds its stream, as connections do.
class Keeping final : public Responder {
 public:
  void reply(AnswerHead, std::string) override {}
  void begin_stream(AnswerHead) override {}
  void write(std::string chunk) override { written += chunk; }
  void bound_lag() override {}
  void end_stream(HeaderFields) override {}
  void break_off() override {}
  void upgrade(std::string, std::unique_ptr<Speaker>) override {}
  void hold(std::unique_ptr<cluster::Watch> kept) override { source = std::move(kept); }

  std::string written;
  std::unique_ptr<cluster::Watch> source;
};

TEST_F(AuditTest, AStreamGoesOnAsLongAsItsPeerReads) {
  const auto peer = std::make_shared<Keeping>();
  auto responder = audited(std::make_shared<AuditEntry>(log_, Request{.method = "GET"}, objects::plane_owner()), peer);
  const std::weak_ptr<Responder> known_to_the_source = responder;
  responder->begin_stream("application/json");
  responder->hold(std::make_unique<cluster::Watch>());
  responder.reset();  // the route has done its part
  ASSERT_TRUE(known_to_the_source.lock());
  known_to_the_source.lock()->write("event");
  EXPECT_EQ(peer->written, "event");
  EXPECT_THAT(stages(), ElementsAre("ResponseStarted"));
  peer->source.reset();
  EXPECT_FALSE(known_to_the_source.lock());
  EXPECT_THAT(stages(), ElementsAre("ResponseStarted", "ResponseComplete"));
}

TEST_F(AuditTest, ARequestWithoutAnAnswerIsTold) {
  begin({.method = "GET", .target = "/api/v1/pods"}).reset();
  EXPECT_THAT(stages(), ElementsAre("ResponseComplete"));
  EXPECT_FALSE(doc::find(lines(path_).front(), "responseStatus"));
}

TEST_F(AuditTest, GrowsToABound) {
  log_ = *AuditLog::open(path_, 1000);
  for (int i = 0; i < 5; ++i) begin({.method = "GET", .target = "/version"})->reply(200, "", "");
  EXPECT_FALSE(lines(path_ + ".1").empty());
  EXPECT_LT(std::filesystem::file_size(path_), 1000u);
  EXPECT_LT(std::filesystem::file_size(path_ + ".1"), 1000u);
}

TEST(AuditLog, TellsWhereItCannotWrite) {
  const auto log = AuditLog::open("/nowhere/audit");
  ASSERT_FALSE(log);
  EXPECT_THAT(log.error().message, HasSubstr("audit log /nowhere/audit"));
}

TEST(Audit, NamesVerbsAsRulesDo) {
  EXPECT_EQ(verb_of("GET", true, false), "list");
  EXPECT_EQ(verb_of("GET", true, true), "watch");
  EXPECT_EQ(verb_of("GET", false, false), "get");
  EXPECT_EQ(verb_of("DELETE", true, false), "deletecollection");
}

}  // namespace
}  // namespace tiphys::server
