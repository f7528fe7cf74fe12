// Against what the original prints for the same objects (testdata/*.txt).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/view/compact_tree.h"
#include "cli/view/fold.h"
#include "cli/view/humanize.h"
#include "cli/view/run_view.h"
#include "cli/view/tab_writer.h"
#include "cli/view/workflow_table.h"
#include "cli/view/workflow_text.h"

namespace tiphys::cli {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

const Time kNow = parse_rfc3339("2026-11-24T12:00:00Z").value();

std::string read_file(const std::string& name) {
  const std::ifstream file(std::filesystem::path(TIPHYS_SOURCE_DIR) / "src/cli/view/testdata" / name);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

doc::Value load(const std::string& name) {
  return doc::parse_json(read_file(name + ".json")).value();
}

class RenderTest : public testing::Test {
 protected:
  RenderTest() {
    ::setenv("TZ", "UTC", 1);
    ::tzset();
  }
};

TEST_F(RenderTest, workflows_look_as_the_original_prints_them) {
  for (const char* name : {"single_pod", "steps", "loop", "dag", "nested", "no_nodes"}) {
    const doc::Value workflow = load(name);
    const NodeMap nodes = read_nodes(workflow).value();
    struct Row {
      const char* variant;
      TreeOutput output;
      bool utf8;
    };
    for (const Row& row : {Row{"default", TreeOutput::kDefault, true}, Row{"wide", TreeOutput::kWide, true},
                           Row{"short", TreeOutput::kShort, true}, Row{"ascii", TreeOutput::kDefault, false}}) {
      TreeOptions options;
      options.output = row.output;
      options.style.utf8 = row.utf8;
      EXPECT_EQ(workflow_text(workflow, nodes, options, kNow),
                read_file(std::string(name) + "." + row.variant + ".txt"))
          << name << " " << row.variant;
    }
  }
}

TEST_F(RenderTest, selected_nodes_keep_the_branches_of_the_original) {
  for (const auto& [name, selector] :
       {std::pair{"nested", "inputs.parameters.n.value=1"}, std::pair{"dag", "phase!=Succeeded"}}) {
    const doc::Value workflow = load(name);
    TreeOptions options;
    options.selector = NodeSelector::parse(selector, "").value();
    EXPECT_EQ(workflow_text(workflow, read_nodes(workflow).value(), options, kNow),
              read_file(std::string(name) + ".selected.txt"));
  }
}

TEST_F(RenderTest, lists_look_as_the_original_prints_them) {
  std::vector<cluster::Object> workflows;
  const doc::Value list = load("list");
  for (const auto& workflow : list.get_array()) workflows.push_back(std::make_shared<const doc::Value>(workflow));
  EXPECT_EQ(workflow_table(workflows, {}, kNow), read_file("list.default.txt"));
  EXPECT_EQ(workflow_table(workflows, {.wide = true}, kNow), read_file("list.wide.txt"));
  EXPECT_THAT(workflow_table(workflows, {.headers = false, .with_namespace = true}, kNow),
              testing::StartsWith("argo   hello"));
}

TEST_F(RenderTest, colours_do_not_move_columns) {
  const doc::Value workflow = load("loop");
  const NodeMap nodes = read_nodes(workflow).value();
  TreeOptions options;
  const std::string plain = tree_table("loop", nodes, options, kNow);
  options.style.color = true;
  std::string colored = tree_table("loop", nodes, options, kNow);
  EXPECT_THAT(colored, testing::HasSubstr("\x1b[32m✔\x1b[0m sleep(0:zero)"));
  for (auto at = colored.find('\x1b'); at != std::string::npos; at = colored.find('\x1b'))
    colored.erase(at, colored.find('m', at) - at + 1);
  EXPECT_EQ(colored, plain);
}

TEST_F(RenderTest, many_workflows_bring_a_word_about_their_cost) {
  const doc::Value list = load("list");
  const std::vector<cluster::Object> many(101, std::make_shared<const doc::Value>(list.get_array()[0]));
  EXPECT_THAT(workflow_table(many, {}, kNow), testing::HasSubstr("\nYou have at least 101 completed workflows. "));
  const std::vector<cluster::Object> few(100, many[0]);
  EXPECT_THAT(workflow_table(few, {}, kNow), testing::Not(testing::HasSubstr("You have at least")));
}

TEST(ListOrder, unfinished_first_then_newest_first) {
  const auto workflow = [](const char* name, const char* created, const char* finished) {
    return std::make_shared<const doc::Value>(
        doc::Object{{"metadata", doc::Object{{"name", name}, {"creationTimestamp", created}}},
                    {"status", doc::Object{{"finishedAt", finished}}}});
  };
  std::vector<cluster::Object> list{workflow("ended-early", "2026-11-24T10:00:00Z", "2026-11-24T10:05:00Z"),
                                    workflow("old", "2026-11-24T09:00:00Z", ""),
                                    workflow("new", "2026-11-24T11:00:00Z", ""),
                                    workflow("ended-late", "2026-11-24T08:00:00Z", "2026-11-24T11:30:00Z")};
  sort_for_list(list);
  std::vector<std::string> names;
  for (const auto& entry : list) names.emplace_back(doc::find_string(*entry, "metadata", "name"));
  EXPECT_THAT(names, testing::ElementsAre("new", "old", "ended-late", "ended-early"));
}

TEST(TabWriter, columns) {
  struct Row {
    const char* rule;
    const char* text;
    const char* expected;
  };
  const Row rows[] = {
      {"cells are padded to the widest and the padding", "a\tb\tc\naaa\tbbbb\tc\n", "a    b     c\naaa  bbbb  c\n"},
      {"the last cell is not padded", "a\tlong text\nb\tx\n", "a  long text\nb  x\n"},
      {"a line without tabs ends the columns", "a\tb\nline\naaaa\tb\n", "a  b\nline\naaaa  b\n"},
      {"an empty cell is padding", "a\t\tb\n", "a    b\n"},
      {"a column ends where a line has fewer cells", "a\tb\tc\naa\tb\naaa\tbb\tc\n", "a    b  c\naa   b\naaa  bb  c\n"},
      {"letters beyond ASCII count once", "ä\tb\nab\tb\n", "ä   b\nab  b\n"},
      {"colours count nothing", "\x1b[32mx\x1b[0m\tb\nab\tb\n", "\x1b[32mx\x1b[0m   b\nab  b\n"},
      {"nothing", "", "\n"},
  };
  for (const auto& row : rows) EXPECT_EQ(align_columns(row.text, 2), row.expected) << row.rule;
}

TEST(Humanize, durations) {
  struct Row {
    Duration duration;
    const char* brief;
    const char* full;
  };
  const Row rows[] = {
      {seconds(0), "0s", "0 seconds"},
      {std::chrono::milliseconds(999), "0s", "0 seconds"},
      {seconds(1), "1s", "1 second"},
      {seconds(59), "59s", "59 seconds"},
      {seconds(60), "1m", "1 minute 0 seconds"},
      {seconds(90), "1m", "1 minute 30 seconds"},
      {minutes(59), "59m", "59 minutes 0 seconds"},
      {hours(1), "1h", "1 hour 0 minutes"},
      {minutes(90), "1h", "1 hour 30 minutes"},
      {hours(10), "10h", "10 hours 0 minutes"},
      {hours(24), "1d", "1 day 0 hours"},
      {hours(50), "2d", "2 days 2 hours"},
      {hours(24 * 10), "10d", "1 week 0 hours"},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(short_duration(kNow - row.duration, kNow, kNow), row.brief);
    EXPECT_EQ(short_duration(kNow - row.duration, {}, kNow), row.brief) << "an end that is not set is now";
    EXPECT_EQ(long_duration(kNow - row.duration, kNow, kNow), row.full);
  }
  EXPECT_EQ(short_duration({}, {}, kNow), "0s");
  EXPECT_EQ(elapsed_time(std::chrono::milliseconds(34)), "0.03s");
  EXPECT_EQ(elapsed_time(std::chrono::milliseconds(996)), "1.0s");
  EXPECT_EQ(elapsed_time(std::chrono::milliseconds(7340)), "7.3s");
  EXPECT_EQ(elapsed_time(std::chrono::milliseconds(9960)), "9s") << "no 10.0s";
  EXPECT_EQ(elapsed_seconds(seconds(7)), "7s");
  EXPECT_EQ(elapsed_seconds(seconds(42)), "0:42");
  EXPECT_EQ(elapsed_time(seconds(42)), "0:42");
  EXPECT_EQ(elapsed_time(seconds(3723)), "1:02:03");
  EXPECT_EQ(elapsed_time(seconds(-1)), "0.00s");
}

TEST(Humanize, ages) {
  EXPECT_EQ(parse_age("10m").value(), minutes(10));
  EXPECT_EQ(parse_age("2d").value(), hours(48));
  EXPECT_EQ(parse_age("1h30m").value(), minutes(90));
  for (const char* bad : {"", "d", "-1d", "1w", "x", "1.5d"}) EXPECT_FALSE(parse_age(bad)) << bad;
}

TEST(Style, terminal_safety) {
  EXPECT_EQ(printable("a\nb\tc\x1b[31m\r\x07ü"), "a b c^[[31mü");
}

/// A fan-out of `count` under one step: `failed` and `running` of them are not done.
NodeMap fan_out(int count, const std::vector<int>& failed, const std::vector<int>& running) {
  NodeMap nodes;
  const auto add = [&](const std::string& id, api::NodeType type, std::string display) -> api::NodeStatus& {
    api::NodeStatus& node = nodes[id];
    node.id = id;
    node.name = id;
    node.type = type;
    node.display_name = std::move(display);
    node.phase = api::NodePhase::kSucceeded;
    node.started_at = kNow;
    return node;
  };
  add("w", api::NodeType::kSteps, "w");
  api::NodeStatus& group = add("g", api::NodeType::kStepGroup, "[0]");
  group.boundary_id = "w";
  for (int i = 0; i < count; ++i) {
    api::NodeStatus& node = add("n" + std::to_string(i), api::NodeType::kPod, "s(" + std::to_string(i) + ":x)");
    node.boundary_id = "w";
    node.finished_at = kNow + seconds(i);
    if (std::find(failed.begin(), failed.end(), i) != failed.end()) node.phase = api::NodePhase::kFailed;
    if (std::find(running.begin(), running.end(), i) != running.end()) node.phase = api::NodePhase::kRunning;
    nodes["g"].children.push_back(node.id);
  }
  return nodes;
}

std::vector<std::string> texts(const std::vector<TreeLine>& lines) {
  std::vector<std::string> out;
  for (const auto& line : lines)
    out.push_back(line.prefix + (line.entry->node ? line.entry->node->display_name : line.entry->summary));
  return out;
}

TEST(Fold, shows_failed_and_running_first) {
  const NodeMap nodes = fan_out(100, {7, 60}, {42});
  NodeTree tree(nodes, "w");
  fold_siblings(tree, *tree.main(), 5, true);
  const auto all = [](const api::NodeStatus&) { return true; };
  EXPECT_THAT(texts(draw_tree(*tree.main(), true, all)),
              testing::ElementsAre(" w", " └─┬─s(7:x)", "   ├─s(42:x)", "   ├─s(60:x)", "   ├─s(98:x)", "   ├─s(99:x)",
                                   "   └─… 95 more succeeded"));
}

TEST(Fold, counts_what_it_leaves_out) {
  const NodeMap nodes = fan_out(20, {1, 2, 3}, {4, 5, 6});
  NodeTree tree(nodes, "w");
  fold_siblings(tree, *tree.main(), 2, false);
  const auto all = [](const api::NodeStatus&) { return true; };
  EXPECT_EQ(texts(draw_tree(*tree.main(), false, all)).back(), "   `-... 18 more: 1 failed, 3 running, 14 succeeded");
}

TEST(Fold, fits_any_height) {
  const NodeMap nodes = fan_out(1000, {500}, {});
  for (const std::size_t rows : {1, 2, 3, 5, 10, 24, 50, 2000}) {
    NodeTree tree(nodes, "w");
    const auto lines = fit_tree(tree, *tree.main(), rows, true);
    EXPECT_LE(lines.size(), rows);
    if (rows >= 5) {
      EXPECT_THAT(texts(lines), testing::Contains(testing::HasSubstr("s(500:x)"))) << "the failed one stays";
    }
  }
}

TEST(Tree, steps_of_one_second_stand_in_the_order_in_which_they_follow) {
  NodeMap nodes;
  const auto add = [&](const std::string& id, std::vector<std::string> children) {
    api::NodeStatus& node = nodes[id];
    node.id = node.name = node.display_name = id;
    node.type = id == "w" ? api::NodeType::kDag : api::NodeType::kPod;
    node.boundary_id = id == "w" ? "" : "w";
    node.started_at = kNow;
    node.children = std::move(children);
  };
  add("w", {"ingest"});
  add("ingest", {"split"});
  add("split", {"a-train", "b-train"});
  add("a-train", {"choose"});
  add("b-train", {"choose"});
  add("choose", {});
  NodeTree tree(nodes, "w");
  const auto all = [](const api::NodeStatus&) { return true; };
  EXPECT_THAT(texts(draw_tree(*tree.main(), true, all)),
              testing::ElementsAre(" w", " ├─ingest", " ├─split", " ├─a-train", " ├─b-train", " └─choose"));
}

TEST(Tree, broken_links_draw_what_they_can) {
  NodeMap nodes = fan_out(2, {}, {});
  nodes["g"].children.push_back("w");  // a circle
  nodes["g"].children.push_back("gone");
  nodes["n0"].children = {"n1"};
  nodes["n1"].children = {"n0"};
  NodeTree tree(nodes, "w");
  const auto all = [](const api::NodeStatus&) { return true; };
  EXPECT_EQ(draw_tree(*tree.main(), true, all).size(), 3u);
  EXPECT_EQ(NodeTree(NodeMap{}, "w").main(), nullptr);
}

TEST_F(RenderTest, the_compact_tree_and_the_progress) {
  RunState run;
  run.key = {&cluster::kWorkflows, "argo", "dag"};
  const doc::Value workflow = load("dag");
  run.workflow = run.whole = std::make_shared<const doc::Value>(workflow);
  run.nodes = read_nodes(workflow).value();
  EXPECT_THAT(compact_tree(run, {}, kNow),
              testing::StartsWith(
                  "STEP           TEMPLATE  DURATION  MESSAGE\n ✖ dag         diamond   2m        child failed\n"));
  EXPECT_THAT(compact_tree(run, {}, kNow), testing::Not(testing::HasSubstr(" \n"))) << "lines end with text";
  EXPECT_EQ(progress_line(run, {}, kNow), "dag  Failed (Terminated)  9/9 done · 3 failed · 2:30");
  run.created = kNow - std::chrono::milliseconds(2340);
  EXPECT_EQ(progress_line(run, {}, kNow), "dag  Failed (Terminated)  9/9 done · 3 failed · 2.3s");
  run.ended = kNow - std::chrono::milliseconds(2300);
  EXPECT_EQ(progress_line(run, {}, kNow), "dag  Failed (Terminated)  9/9 done · 3 failed · 0.04s");
}

TEST_F(RenderTest, the_progress_says_what_a_workflow_waits_for) {
  RunState run;
  run.key = {&cluster::kWorkflows, "argo", "w"};
  run.workflow = run.whole = std::make_shared<const doc::Value>(*doc::parse_json(
      R"({"metadata":{"creationTimestamp":"2026-11-28T11:00:00Z"},"status":{"phase":"Pending","message":"Waiting for argo/Mutex/m lock."}})"));
  EXPECT_EQ(progress_line(run, {}, kNow), "w  Pending  0/0 done · Waiting for argo/Mutex/m lock.");
}

}  // namespace
}  // namespace tiphys::cli
