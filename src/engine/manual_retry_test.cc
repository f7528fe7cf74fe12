#include "engine/manual_retry.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "engine/node_graph_testing.h"

namespace tiphys::engine {
namespace {

constexpr Time kNow = Time(std::chrono::seconds(1'700'000'000));

struct Case {
  std::string_view rule;
  std::string_view before, after;  ///< as node_graph_testing.h writes them
  std::set<std::string> restarted{};
  bool other_parameters = false;
};

const Case kCases[] = {
    {"a group that has failed by itself stays", "wf DAG Failed", "wf Failed"},
    {"a failed pod goes, the dag around it runs again, what has succeeded stays",
     "wf DAG Failed -> a b\na Pod Succeeded @wf -> c\nb Pod Failed @wf\nc Pod Succeeded @wf",
     "a Succeeded -> c\nc Succeeded\nwf Running -> a"},
    {"a pod that erred goes too", "wf DAG Error -> a\na Pod Error @wf", "wf Running"},
    {"what came after it goes along",
     "wf DAG Failed -> a\na Pod Failed @wf -> b c\nb Skipped Omitted @wf\nc Pod Failed @wf", "wf Running"},
    {"a failure stays that let something after it succeed",
     "wf DAG Failed -> a\na Pod Failed @wf -> b\nb Pod Succeeded @wf -> c\nc Pod Failed @wf",
     "a Failed -> b\nb Succeeded\nwf Running -> a"},
    {"a success far after it counts as well",
     "wf DAG Failed -> a x\na Pod Failed @wf -> b\nb Pod Failed @wf -> c\nc Pod Succeeded @wf\nx Pod Failed @wf",
     "a Failed -> b\nb Failed -> c\nc Succeeded\nwf Running -> a"},
    {"the success of a hook does not count",
     "wf DAG Failed -> a\na Pod Failed @wf -> a.onExit\na.onExit Pod Succeeded hooked @wf", "wf Running"},
    {"steps, the group and all around run again",
     "wf Steps Failed -> wf[0]\nwf[0] StepGroup Succeeded @wf -> a\na Pod Succeeded @wf -> wf[1]\n"
     "wf[1] StepGroup Failed @wf -> d\nd DAG Failed @wf -> p\np Pod Failed @d",
     "a Succeeded -> wf[1]\nd Running\nwf Running -> wf[0]\nwf[0] Succeeded -> a\nwf[1] Running -> d"},
    {"a loop's group runs again without the turn that failed",
     "wf DAG Failed -> g\ng TaskGroup Failed @wf -> g0 g1\ng0 Pod Succeeded @wf\ng1 Pod Failed @wf",
     "g Running -> g0\ng0 Succeeded\nwf Running -> g"},
    {"all attempts go, the retry node runs again",
     "wf DAG Failed -> r\nr Retry Failed @wf -> r(0) r(1)\nr(0) Pod Failed retried @wf\nr(1) Pod Error retried @wf",
     "r Running\nwf Running -> r"},
    {"a failed attempt stays when a later one has succeeded",
     "wf DAG Failed -> r\nr Retry Succeeded @wf -> r(0) r(1)\nr(0) Pod Failed retried @wf\n"
     "r(1) Pod Succeeded retried @wf -> b\nb Pod Failed @wf",
     "r Succeeded -> r(0) r(1)\nr(0) Failed\nr(1) Succeeded\nwf Running -> r"},
    {"of attempts that are groups the last goes on",
     "wf Retry Failed -> wf(0) wf(1)\nwf(0) DAG Failed retried -> x\nx Pod Failed @wf(0)\n"
     "wf(1) DAG Failed retried -> y z\ny Pod Succeeded @wf(1)\nz Pod Failed @wf(1)",
     "wf Running -> wf(0) wf(1)\nwf(0) Failed -> x\nwf(1) Running -> y\nx Failed\ny Succeeded"},
    {"a nested group before it stays",
     "wf DAG Failed -> a\na DAG Succeeded @wf -> i => i\ni Pod Succeeded @a -> b\nb Pod Failed @wf",
     "a Succeeded -> i => i\ni Succeeded\nwf Running -> a"},
    {"a container takes its pod and the other containers along",
     "wf DAG Failed -> p\np Pod Failed @wf -> p.a p.b\np.a Container Succeeded @p\np.b Container Failed @p",
     "wf Running"},
    {"the exit handler of the workflow goes, and its own nodes",
     "wf Pod Succeeded\nwf.onExit DAG Failed -> h\nh Pod Failed @wf.onExit", "wf Succeeded"},
    {"a retried exit handler goes",
     "wf Pod Succeeded\nwf.onExit Retry Failed -> wf.onExit(0)\nwf.onExit(0) Pod Failed retried", "wf Succeeded"},
    {"a task that begins like the exit handler does not go",
     "wf DAG Failed -> wf.onExits wf.onExit\nwf.onExits Pod Succeeded @wf\nwf.onExit Pod Succeeded @wf",
     "wf Failed -> wf.onExits wf.onExit\nwf.onExit Succeeded\nwf.onExits Succeeded"},
    {"the exit handler of a group that failed goes",
     "wf DAG Failed -> d\nd DAG Failed @wf -> p d.onExit\np Pod Failed @d\nd.onExit Pod Succeeded hooked @wf",
     "d Running\nwf Running -> d"},
    {"a failed exit handler of a task goes",
     "wf DAG Failed -> a\na Pod Succeeded @wf -> a.onExit\na.onExit Pod Failed hooked @wf",
     "a Succeeded\nwf Running -> a"},
    {"a failed suspend node stays", "wf DAG Failed -> s\ns Suspend Failed @wf", "s Failed\nwf Failed -> s"},
    {"a step that could not begin stays", "wf DAG Error -> s\ns Skipped Error @wf", "s Error\nwf Error -> s"},
    {"a single pod begins anew", "wf Pod Failed", ""},
    {"outbound nodes that are gone are not named",
     "wf DAG Failed -> d\nd DAG Failed @wf -> p => p q\np Pod Failed @d\nq Pod Succeeded @d",
     "d Running => q\nq Succeeded\nwf Running -> d"},
    {"a chosen node goes although it has succeeded, with all after it",
     "wf DAG Succeeded -> a\na Pod Succeeded @wf -> b\nb Pod Succeeded @wf",
     "wf Running",
     {"a"}},
    {"a chosen group goes with its members",
     "wf DAG Succeeded -> d x\nd DAG Succeeded @wf -> p\np Pod Succeeded @d\nx Pod Succeeded @wf",
     "wf Running -> x\nx Succeeded",
     {"d"}},
    {"what is chosen does not keep a failure before it",
     "wf DAG Failed -> a\na Pod Failed @wf -> b\nb Pod Succeeded @wf",
     "wf Running",
     {"b"}},
    {"a chosen attempt has its retry node run again",
     "wf DAG Succeeded -> r\nr Retry Succeeded @wf -> r(0) r(1)\nr(0) Pod Failed retried @wf\n"
     "r(1) Pod Succeeded retried @wf",
     "r Running\nwf Running -> r",
     {"r(1)"}},
    {"a chosen suspend node goes, a skipped one stays",
     "wf DAG Succeeded -> s k\ns Suspend Succeeded @wf -> c\nc Skipped Skipped @wf\nk Skipped Skipped @wf",
     "k Skipped\nwf Running -> k",
     {"s"}},
    {"with other parameters a group that runs again goes",
     "wf DAG Failed -> g x\ng TaskGroup Failed @wf -> g0 g1\ng0 Pod Succeeded @wf\ng1 Pod Failed @wf\nx Pod Succeeded "
     "@wf",
     "wf Running -> x\nx Succeeded",
     {},
     true},
    {"with other parameters a group that does not is not",
     "wf DAG Failed -> g x\ng TaskGroup Succeeded @wf -> g0\ng0 Pod Succeeded @wf\nx Pod Failed @wf",
     "g Succeeded -> g0\ng0 Succeeded\nwf Running -> g",
     {},
     true},
};

TEST(ManualRetry, Rules) {
  for (const Case& each : kCases) {
    const ManualRetryOptions options{
        .restarted = each.restarted, .other_parameters = each.other_parameters, .now = kNow};
    const ManualRetry retry = retry_nodes("wf", read_graph(each.before), options);
    EXPECT_EQ(write_graph(retry.nodes), each.after) << each.rule;
  }
}

TEST(ManualRetry, TellsWhatHasChanged) {
  const auto before =
      read_graph("wf DAG Failed -> a b\na Pod Succeeded @wf\nb Pod Failed @wf -> c\nc Skipped Omitted @wf");
  const ManualRetry retry = retry_nodes("wf", before, {.now = kNow});
  EXPECT_EQ(retry.changed, std::vector<std::string>{"wf"});
  EXPECT_EQ(retry.removed, (std::vector<std::string>{"b", "c"}));
  const api::NodeStatus& root = retry.nodes.back();
  EXPECT_EQ(root.started_at, kNow);
  EXPECT_EQ(root.finished_at, Time{});
  EXPECT_EQ(root.message, "");
}

}  // namespace
}  // namespace tiphys::engine
