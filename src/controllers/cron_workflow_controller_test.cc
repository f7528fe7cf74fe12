#include "controllers/cron_workflow_controller.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/cron_workflow.h"
#include "controllers/names.h"
#include "doc/yaml.h"
#include "store/testing.h"

namespace tiphys::controllers {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

doc::Value yaml(std::string_view text) {
  auto documents = doc::parse_yaml(text, "test.yaml");
  EXPECT_TRUE(documents.has_value()) << documents.error().message;
  return std::move(documents->front().root);
}

/// A CronWorkflow of every minute, with further lines in its spec.
std::string every_minute(std::string_view spec = "", std::string_view metadata = "") {
  return fmt::format(R"(
apiVersion: argoproj.io/v1alpha1
kind: CronWorkflow
metadata:
  name: tick
  namespace: argo
{}
spec:
  schedules: ["* * * * *"]
  successfulJobsHistoryLimit: 100
  failedJobsHistoryLimit: 100
{}
  workflowSpec:
    entrypoint: main
    templates:
    - name: main
      suspend: {{}}
)",
                     metadata, spec);
}

/// Time begins on a full hour. Nobody runs the workflows: the test ends them.
class CronWorkflowControllerTest : public testing::Test {
 protected:
  static constexpr Time kStart{seconds{1'700'002'800}};  // 2023-11-14T23:00:00Z

  CronWorkflowControllerTest() {
    store::TestStore::Options options;
    options.before_commit = store::full_disk(failures_);
    store_.emplace(std::move(options));
    store_->executor().set_now(kStart);
    boot();
  }
  ~CronWorkflowControllerTest() override { controller_.reset(); }

  void boot(CronWorkflowControllerOptions options = {}) {
    controller_.emplace(store_->executor(), store_->store(), random_, std::move(options));
    controller_->start();
    store_->run();
  }
  void stop() {
    controller_.reset();
    store_->run();
  }

  /// Lets time pass up to then.
  void pass_until(Duration since_start) {
    bool there = false;
    store_->executor().schedule(kStart + since_start, [&] { there = true; });
    EXPECT_TRUE(store_->executor().run_until([&] { return there; }, 1'000'000));
    store_->run();
  }

  void create(const std::string& manifest, const cluster::Resource& resource = cluster::kCronWorkflows) {
    const auto created = store_->create(resource, yaml(manifest));
    ASSERT_TRUE(created.has_value()) << created.error().message;
    store_->run();
  }
  void change(std::string_view spec) {
    const auto patched = store_->patch(kTick, cluster::PatchType::kMerge, doc::Object{{"spec", yaml(spec)}});
    ASSERT_TRUE(patched.has_value()) << patched.error().message;
    store_->run();
  }
  doc::Value tick() {
    const auto object = store_->get(kTick);
    EXPECT_TRUE(object.has_value());
    return object ? **object : doc::Value();
  }
  api::CronWorkflowStatus status() { return api::read_cron_workflow_status(tick()); }

  /// The workflows by the seconds after the start for which they are named.
  std::vector<std::int64_t> runs() {
    std::vector<std::int64_t> times;
    const auto list = store_->list(cluster::kWorkflows);
    for (const auto& workflow : list->items) {
      const std::string name(doc::find_string(*workflow, "metadata", "name"));
      times.push_back(std::stoll(name.substr(name.rfind('-') + 1)) - kStart.time_since_epoch() / seconds(1));
    }
    return times;
  }
  static cluster::Key workflow(std::int64_t after) { return {&cluster::kWorkflows, "argo", cron_name(after)}; }
  static std::string cron_name(std::int64_t after) {
    return fmt::format("tick-{}", kStart.time_since_epoch() / seconds(1) + after);
  }
  void end(std::int64_t after, std::string_view phase = "Succeeded") {
    cluster::WorkflowStatusUpdate update;
    update.fields["phase"] = phase;
    update.fields["finishedAt"] = format_rfc3339(store_->executor().now());
    update.labels[kCompletedLabel] = "true";
    update.completed = true;
    ASSERT_TRUE(store_->update_workflow_status(workflow(after), std::move(update)).has_value());
    store_->run();
  }

  static inline const cluster::Key kTick{&cluster::kCronWorkflows, "argo", "tick"};
  std::size_t failures_ = 0;
  SeededRandom random_{7};
  std::optional<store::TestStore> store_;
  std::optional<CronWorkflowController> controller_;
};

TEST_F(CronWorkflowControllerTest, BeginsAWorkflowAtEachTime) {
  create(every_minute("  workflowMetadata: {labels: {team: data}, annotations: {note: hi}, finalizers: [a/b]}",
                      "  labels: {workflows.argoproj.io/creator: jo, other: x}"));
  EXPECT_THAT(runs(), IsEmpty());
  pass_until(seconds(150));
  EXPECT_THAT(runs(), ElementsAre(60, 120));
  const doc::Value child = **store_->get(workflow(60));
  const doc::Value cron = tick();
  EXPECT_EQ(doc::to_json(*doc::find(child, "metadata", "labels")),
            R"({"workflows.argoproj.io/creator":"jo","workflows.argoproj.io/cron-workflow":"tick","team":"data"})");
  EXPECT_EQ(doc::to_json(*doc::find(child, "metadata", "annotations")),
            R"({"workflows.argoproj.io/scheduled-time":"2023-11-14T23:01:00Z","note":"hi"})");
  EXPECT_EQ(doc::to_json(*doc::find(child, "metadata", "finalizers")), R"(["a/b"])");
  EXPECT_EQ(doc::to_json(*doc::find(child, "metadata", "ownerReferences")),
            fmt::format(R"([{{"apiVersion":"argoproj.io/v1alpha1","kind":"CronWorkflow","name":"tick","uid":"{}",)"
                        R"("controller":true,"blockOwnerDeletion":true}}])",
                        doc::find_string(cron, "metadata", "uid")));
  EXPECT_EQ(doc::find_string(cron, "metadata", "annotations", kLastUsedScheduleAnnotation), "* * * * *");
  EXPECT_EQ(doc::find_string(cron, "status", "lastScheduledTime"), "2023-11-14T23:02:00Z");
  EXPECT_EQ(doc::find_string(cron, "status", "phase"), "Active");
  ASSERT_EQ(status().active.size(), 2U);
  EXPECT_EQ(
      doc::to_json(status().active[0]),
      fmt::format(R"({{"kind":"Workflow","apiVersion":"argoproj.io/v1alpha1","name":"tick-1700002860",)"
                  R"("namespace":"argo","uid":"{}","resourceVersion":"{}"}})",
                  doc::find_string(child, "metadata", "uid"), doc::find_string(child, "metadata", "resourceVersion")));
  end(60);
  end(120, "Failed");
  EXPECT_THAT(status().active, IsEmpty());
  EXPECT_EQ(status().succeeded, 1);
  EXPECT_EQ(status().failed, 1);
}

TEST_F(CronWorkflowControllerTest, FollowsSeveralSchedulesAndZones) {
  stop();
  boot({.local = {.name = "Asia/Kathmandu"}});  // 23:00 in UTC is 4:45 there
  create(every_minute());
  change("{schedules: ['47 4 * * *', '*/10 4 * * *', 'TZ=UTC 47 4 * * *', '@every 90s', 'TZ=UTC 3 23 * * *']}");
  pass_until(seconds(301));
  EXPECT_THAT(runs(), ElementsAre(90, 120, 180, 270, 300));
  EXPECT_EQ(doc::find_string(**store_->get(workflow(120)), "metadata", "annotations", api::kScheduledTimeAnnotation),
            "2023-11-15T04:47:00+05:45");
}

TEST_F(CronWorkflowControllerTest, ATimeZoneHoldsForAllSchedules) {
  create(every_minute("  timezone: Asia/Kathmandu"));
  change("{schedules: ['47 4 * * *', '3 23 * * *']}");
  pass_until(minutes(10));
  EXPECT_THAT(runs(), ElementsAre(120));
  EXPECT_EQ(doc::find_string(tick(), "metadata", "annotations", kLastUsedScheduleAnnotation),
            "CRON_TZ=Asia/Kathmandu 47 4 * * *,CRON_TZ=Asia/Kathmandu 3 23 * * *");
}

TEST_F(CronWorkflowControllerTest, EveryCountsFromTheLastRunOverRestarts) {
  create(every_minute());
  change("{schedules: ['@every 100s']}");
  pass_until(seconds(130));
  stop();
  boot();
  pass_until(seconds(250));
  EXPECT_THAT(runs(), ElementsAre(100, 200));
}

TEST_F(CronWorkflowControllerTest, ForbidsOrReplacesWhatRuns) {
  create(every_minute("  concurrencyPolicy: Forbid"));
  pass_until(seconds(130));
  EXPECT_THAT(runs(), ElementsAre(60));
  end(60);
  pass_until(seconds(185));
  EXPECT_THAT(runs(), ElementsAre(60, 180));
  change("{concurrencyPolicy: Replace}");
  pass_until(seconds(250));
  EXPECT_THAT(runs(), ElementsAre(60, 180, 240));
  EXPECT_EQ(doc::find_string(**store_->get(workflow(60)), "spec", "shutdown"), "");
  EXPECT_EQ(doc::find_string(**store_->get(workflow(180)), "spec", "shutdown"), "Terminate");
  EXPECT_EQ(doc::find_string(**store_->get(workflow(240)), "spec", "shutdown"), "");
}

TEST_F(CronWorkflowControllerTest, AForbiddenRunIsCaughtUpWithinItsDeadline) {
  create(every_minute("  concurrencyPolicy: Forbid\n  startingDeadlineSeconds: 40"));
  pass_until(seconds(150));
  end(60);
  EXPECT_THAT(runs(), ElementsAre(60, 120));
  pass_until(seconds(230));
  end(120);  // 50 seconds after 180
  EXPECT_THAT(runs(), ElementsAre(60, 120));
}

TEST_F(CronWorkflowControllerTest, OfMissedRunsTheLatestIsCaughtUpWithinItsDeadline) {
  struct Case {
    std::string_view deadline;
    std::vector<std::int64_t> runs;
  };
  for (const Case& row : {Case{"", {60}}, Case{"  startingDeadlineSeconds: 0", {60}},
                          Case{"  startingDeadlineSeconds: 10", {60}}, Case{"  startingDeadlineSeconds: 11", {60, 300}},
                          Case{"  startingDeadlineSeconds: 9000000000000", {60, 300}}}) {
    stop();
    store_.emplace();
    store_->executor().set_now(kStart);
    boot();
    create(every_minute(row.deadline));
    pass_until(seconds(70));
    stop();
    pass_until(seconds(310));
    boot();
    EXPECT_EQ(runs(), row.runs) << row.deadline;
    pass_until(seconds(365));
    std::vector<std::int64_t> later = row.runs;
    later.push_back(360);
    EXPECT_EQ(runs(), later) << row.deadline;
  }
}

TEST_F(CronWorkflowControllerTest, NothingIsCaughtUpOfSchedulesThatAreNew) {
  create(every_minute("  startingDeadlineSeconds: 600"));
  pass_until(seconds(70));
  stop();
  pass_until(seconds(200));
  change("{schedules: ['*/2 * * * *']}");
  boot();
  EXPECT_THAT(runs(), ElementsAre(60));
  pass_until(seconds(250));
  EXPECT_THAT(runs(), ElementsAre(60, 240));
}

TEST_F(CronWorkflowControllerTest, ASuspendedOneBeginsNothing) {
  create(every_minute("  suspend: true"));
  pass_until(seconds(130));
  EXPECT_THAT(runs(), IsEmpty());
  change("{suspend: false}");
  pass_until(seconds(190));
  EXPECT_THAT(runs(), ElementsAre(180));
}

/// Seen within a second: what is due then is not due again.
TEST_F(CronWorkflowControllerTest, AnIntervalWithoutARunGoesOn) {
  for (const char* without : {"  suspend: true", "  when: '{{= false }} == true'"}) {
    stop();
    store_->executor().set_now(store_->executor().now() + std::chrono::milliseconds(500));
    boot();
    std::string text = every_minute(without);
    text.replace(text.find("* * * * *"), 9, "@every 20s");
    create(text);
    const Duration begun = store_->executor().now() - kStart;
    pass_until(begun + seconds(130));
    EXPECT_THAT(runs(), IsEmpty()) << without;
    change("{suspend: false, when: ''}");
    pass_until(begun + seconds(155));
    EXPECT_EQ(runs().size(), 1u) << without;
    const auto made = store_->list(cluster::kWorkflows);
    for (const auto& workflow : made->items) {
      ASSERT_TRUE(
          store_->remove({&cluster::kWorkflows, "argo", std::string(doc::find_string(*workflow, "metadata", "name"))}));
    }
    ASSERT_TRUE(store_->remove({&cluster::kCronWorkflows, "argo", "tick"}));
    store_->run();
  }
}

TEST_F(CronWorkflowControllerTest, StopsByItsExpression) {
  create(every_minute("  stopStrategy: {expression: cronworkflow.succeeded >= 1}"));
  pass_until(seconds(70));
  end(60, "Failed");
  EXPECT_EQ(status().phase, "Active");
  pass_until(seconds(130));
  end(120);
  EXPECT_EQ(status().phase, "Stopped");
  EXPECT_EQ(doc::find_string(tick(), "metadata", "labels", kCronCompletedLabel), "");
  pass_until(seconds(200));
  EXPECT_THAT(runs(), ElementsAre(60, 120));
  EXPECT_EQ(doc::find_string(tick(), "metadata", "labels", kCronCompletedLabel), "true");
  EXPECT_EQ(store_->executor().pending_timers(), 0U);
}

TEST_F(CronWorkflowControllerTest, RunsWhenItsConditionHolds) {
  create(
      every_minute("  when: '{{= cronworkflow.lastScheduledTime == nil || (now() - "
                   "cronworkflow.lastScheduledTime).Seconds() > 100 }}'"));
  pass_until(seconds(310));
  EXPECT_THAT(runs(), ElementsAre(60, 180, 300));
}

TEST_F(CronWorkflowControllerTest, TellsWhyARunCouldNotBegin) {
  create(every_minute("  when: '{{cronworkflow.failed}} < 3'\n  startingDeadlineSeconds: 50"));
  pass_until(seconds(70));
  ASSERT_EQ(status().conditions.size(), 1U);
  EXPECT_EQ(status().conditions[0].type, "SubmissionError");
  EXPECT_THAT(status().conditions[0].message,
              testing::StartsWith("run policy error: failed to resolve {{cronworkflow.failed}}"));
  EXPECT_EQ(status().failed, 1);
  change("{when: 'true'}");
  pass_until(seconds(130));
  EXPECT_THAT(runs(), ElementsAre(120));
  EXPECT_THAT(status().conditions, IsEmpty());
}

TEST_F(CronWorkflowControllerTest, JudgesItsWorkflowWithTheDefaults) {
  const auto with = [&](const char* defaults) {
    stop();
    boot({.workflow_defaults = std::make_shared<const doc::Value>(yaml(defaults))});
  };
  create(every_minute());
  change("{workflowSpec: {entrypoint: null}}");
  pass_until(seconds(70));
  EXPECT_THAT(runs(), IsEmpty());
  EXPECT_EQ(status().conditions.at(0).message, "cannot validate Workflow: spec.entrypoint is required");
  with("{spec: {entrypoint: main}}");
  pass_until(seconds(130));
  EXPECT_THAT(runs(), ElementsAre(120));
  EXPECT_EQ(doc::find(**store_->get(workflow(120)), "spec", "entrypoint"), nullptr);
  EXPECT_THAT(status().conditions, IsEmpty());
  with("{spec: {onExit: nowhere}}");
  pass_until(seconds(190));
  EXPECT_THAT(runs(), ElementsAre(120));
}

TEST_F(CronWorkflowControllerTest, TellsWhatIsWrongWithItsSpec) {
  create(every_minute());
  change("{workflowSpec: {entrypoint: null, templates: null, workflowTemplateRef: {name: gone}}}");
  pass_until(seconds(70));
  EXPECT_THAT(runs(), IsEmpty());
  ASSERT_EQ(status().conditions.size(), 1U);
  EXPECT_EQ(status().conditions[0].type, "SpecError");
  EXPECT_EQ(status().conditions[0].message,
            "cannot validate Workflow: workflowtemplate.argoproj.io \"gone\" not found");
  create(
      "{apiVersion: argoproj.io/v1alpha1, kind: WorkflowTemplate, metadata: {name: gone, namespace: argo}, spec: "
      "{entrypoint: main, templates: [{name: main, suspend: {}}]}}",
      cluster::kWorkflowTemplates);
  pass_until(seconds(130));
  EXPECT_THAT(runs(), ElementsAre(120));
  EXPECT_THAT(status().conditions, IsEmpty());
  change("{schedules: ['61 * * * *']}");
  ASSERT_EQ(status().conditions.size(), 1U);
  EXPECT_EQ(status().conditions[0].type, "SpecError");
  EXPECT_THAT(store_->list(cluster::kEvents)->items, IsEmpty()) << "it can be read";
}

TEST_F(CronWorkflowControllerTest, AnEventTellsOfOneThatCannotBeRead) {
  create(every_minute());
  change("{schedules: 5}");
  const auto events = store_->list(cluster::kEvents)->items;
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(doc::find_string(*events[0], "type"), "Warning");
  EXPECT_EQ(doc::find_string(*events[0], "reason"), "Malformed");
  EXPECT_EQ(doc::find_string(*events[0], "message"), status().conditions.at(0).message);
  EXPECT_EQ(doc::find_string(*events[0], "involvedObject", "kind"), "CronWorkflow");
  EXPECT_EQ(doc::find_string(*events[0], "involvedObject", "name"), "tick");
}

TEST_F(CronWorkflowControllerTest, ANameThatSomebodyElseHasIsAnError) {
  create(every_minute());
  create(
      fmt::format("{{apiVersion: argoproj.io/v1alpha1, kind: Workflow, metadata: {{name: {}, namespace: argo}}, spec: "
                  "{{entrypoint: main, templates: [{{name: main, suspend: {{}}}}]}}}}",
                  cron_name(60)),
      cluster::kWorkflows);
  pass_until(seconds(70));
  ASSERT_EQ(status().conditions.size(), 1U);
  EXPECT_EQ(status().conditions[0].message,
            "Failed to submit Workflow: workflows.argoproj.io \"tick-1700002860\" already exists");
  pass_until(seconds(130));
  EXPECT_THAT(status().conditions, IsEmpty());
}

TEST_F(CronWorkflowControllerTest, KeepsSomeOfItsHistory) {
  create(every_minute());
  change("{successfulJobsHistoryLimit: null, failedJobsHistoryLimit: null}");
  for (std::int64_t at = 60; at <= 600; at += 60) {
    pass_until(seconds(at + 5));
    end(at, at % 120 == 0 ? "Failed" : "Succeeded");
  }
  EXPECT_THAT(runs(), ElementsAre(300, 420, 540, 600));
  EXPECT_EQ(status().succeeded, 5);
  EXPECT_EQ(status().failed, 5);
  change("{successfulJobsHistoryLimit: 1, failedJobsHistoryLimit: 0}");
  EXPECT_THAT(runs(), ElementsAre(540));
}

TEST_F(CronWorkflowControllerTest, KnowsWorkflowsThatWereSubmittedByHand) {
  create(every_minute("  concurrencyPolicy: Forbid"));
  doc::Value workflow = api::make_workflow(tick(), "", "2023-11-14T23:00:30Z");
  ASSERT_TRUE(store_->create(cluster::kWorkflows, std::move(workflow)).has_value());
  store_->run();
  EXPECT_EQ(status().active.size(), 1U);
  EXPECT_EQ(status().last_scheduled, Time{});
  pass_until(seconds(70));
  EXPECT_EQ(store_->list(cluster::kWorkflows)->items.size(), 1U);
}

TEST_F(CronWorkflowControllerTest, AClockThatIsSetBackRepeatsNothing) {
  create(every_minute());
  pass_until(seconds(130));
  store_->executor().set_now(kStart + seconds(50));
  stop();
  boot();
  pass_until(seconds(190));
  EXPECT_THAT(runs(), ElementsAre(60, 120, 180));
}

TEST_F(CronWorkflowControllerTest, WritesThatFailAreRepeated) {
  create(every_minute());
  pass_until(seconds(59));
  failures_ = 3;
  pass_until(seconds(100));
  EXPECT_EQ(failures_, 0U);
  EXPECT_THAT(runs(), ElementsAre(60));
  EXPECT_EQ(status().active.size(), 1U);
}

TEST_F(CronWorkflowControllerTest, DeletedWithItsWorkflows) {
  create(every_minute());
  pass_until(seconds(70));
  ASSERT_TRUE(store_->remove(kTick).has_value());
  pass_until(minutes(5));
  EXPECT_THAT(runs(), IsEmpty());
}

}  // namespace
}  // namespace tiphys::controllers
