#include "node/agent/pod_spec.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "node/agent/pod_files.h"
#include "node/agent/pod_io.h"
#include "node/testing.h"

namespace tiphys::node {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

doc::Value pod(std::string_view containers) {
  doc::Value made =
      doc::parse_json(R"({"metadata": {"name": "p", "namespace": "default", "uid": "u"}, "spec": {}})").value();
  made.as_object()["spec"].as_object()["containers"] = doc::parse_json(containers).value();
  return made;
}

Result<std::vector<ContainerSpec>> specs(std::string_view containers, const HostVolumes& volumes = {}) {
  TIPHYS_TRY(PodContainers made,
             container_specs(pod(containers), {}, volumes, {.dir = "/pods/u", .node_name = "laptop"}));
  return std::move(made.containers);
}

TEST(PodSpec, main_comes_first_and_lies_in_the_pods_own_folder) {
  const auto made = specs(R"([{"name": "wait"}, {"name": "main"}, {"name": "side"}])");
  ASSERT_TRUE(made);
  std::vector<std::string> ids, folders;
  for (const ContainerSpec& spec : *made) {
    ids.push_back(spec.id);
    folders.push_back(spec.dir);
  }
  EXPECT_THAT(ids, ElementsAre("u.main", "u.wait", "u.side"));
  EXPECT_THAT(folders, ElementsAre("/pods/u", "/pods/u/containers/wait", "/pods/u/containers/side"));
}

TEST(PodSpec, a_container_without_a_request_asks_for_its_limit) {
  const auto asked = pod_requests(pod(R"([
      {"name": "main", "resources": {"requests": {"cpu": "250m"}, "limits": {"cpu": 2, "memory": "1Ki"}}},
      {"name": "side", "resources": {"limits": {"cpu": "1"}}},
      {"name": "none"}])"));
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->cpus, 1.25);
  EXPECT_EQ(asked->memory_bytes, 1024);
}

TEST(PodSpec, an_init_container_may_ask_for_more_than_those_after_it) {
  doc::Value made = pod(R"([{"name": "main", "resources": {"requests": {"cpu": 1, "memory": "1Ki"}}}])");
  made.as_object()["spec"].as_object()["initContainers"] =
      doc::parse_json(R"([{"name": "first", "resources": {"requests": {"cpu": 2}}}])").value();
  const auto asked = pod_requests(made);
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->cpus, 2);
  EXPECT_EQ(asked->memory_bytes, 1024);
}

TEST(PodSpec, init_containers_that_keep_running_ask_along_with_those_after_them) {
  doc::Value made = pod(R"([{"name": "main", "resources": {"requests": {"cpu": 1, "memory": "1Ki"}}}])");
  made.as_object()["spec"].as_object()["initContainers"] = doc::parse_json(R"([
      {"name": "before", "resources": {"requests": {"cpu": 2.5}}},
      {"name": "proxy", "restartPolicy": "Always", "resources": {"requests": {"cpu": 2, "memory": "1Ki"}}},
      {"name": "after", "resources": {"requests": {"memory": "4Ki"}}}])")
                                                               .value();
  const auto asked = pod_requests(made);
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->cpus, 3);
  EXPECT_EQ(asked->memory_bytes, 5 * 1024);
}

TEST(PodSpec, the_host_name_is_cut_to_what_a_kernel_takes) {
  doc::Value long_name = pod(R"([{"name": "main"}])");
  long_name.as_object()["metadata"].as_object()["name"] = std::string(80, 'n');
  const auto made = container_specs(long_name, {}, {}, {.dir = "/pods/u", .node_name = "laptop"});
  ASSERT_TRUE(made);
  EXPECT_EQ(made->containers.front().hostname, std::string(63, 'n'));
}

TEST(PodSpec, CommandsAreRunAsOftenAsTheAnnotationSays) {
  const auto made = [](std::string_view annotation) {
    const doc::Value pod = doc::Object{
        {"metadata", doc::Object{{"uid", "u"}, {"annotations", doc::Object{{kCommandAttemptsAnnotation, annotation}}}}},
        {"spec", doc::Object{{"containers", doc::Array{doc::Object{{"name", "b"}}}}}}};
    return container_specs(pod, {}, {}, {.dir = "/pods/u", .node_name = "laptop"});
  };
  const auto specs = made(R"({"attempts": 3, "pause": "1m30s"})");
  ASSERT_TRUE(specs) << specs.error().message;
  EXPECT_EQ(specs->containers.front().attempts, 3);
  EXPECT_EQ(specs->containers.front().attempt_pause, std::chrono::seconds(90));
  EXPECT_FALSE(made("{}"));
}

struct BadMountCase {
  std::string_view mount;
  std::string_view message;
};

TEST(PodSpec, mounts_that_leave_their_volume) {
  const testing::TempFolder volume;
  for (const auto& [mount, message] : {
           BadMountCase{R"("mountPath": "v")", "mountPath \"v\" must be absolute"},
           {R"("mountPath": "/v", "subPath": "../x")", "subPath \"../x\" must be relative and without .."},
           {R"("mountPath": "/v", "subPath": "a/../../x")", "subPath \"a/../../x\" must be relative"},
           {R"("mountPath": "/v", "subPath": "/etc")", "subPath \"/etc\" must be relative"},
       }) {
    const auto made = specs(R"([{"name": "main", "volumeMounts": [{"name": "v", )" + std::string(mount) + "}]}]",
                            {{"v", {volume.path()}}});
    ASSERT_FALSE(made) << mount;
    EXPECT_EQ(made.error().code, Code::kInvalidArgument);
    EXPECT_THAT(made.error().message, HasSubstr(message));
    EXPECT_THAT(made.error().message, HasSubstr("container \"main\""));
  }
}

/// The shape of Kubernetes' CVE-2017-1002101: a container plants a link in a volume, and a later mount follows it.
TEST(PodSpec, links_of_a_volume_lead_no_mount_out_of_it) {
  const testing::TempFolder folder;
  const std::string volume = folder.path() + "/volume", outside = folder.path() + "/outside";
  std::filesystem::create_directories(volume + "/in/side");
  std::filesystem::create_directory(outside);
  std::filesystem::create_symlink(outside, volume + "/absolute");
  std::filesystem::create_symlink("../outside", volume + "/climbing");
  std::filesystem::create_symlink("in/side", volume + "/good");
  const auto mount = [&](const std::string& below) {
    return specs(
        R"([{"name": "main", "volumeMounts": [{"name": "v", "mountPath": "/v", "subPath": ")" + below + R"("}]}])",
        {{"v", {volume}}});
  };
  for (const char* below : {"absolute", "climbing", "absolute/new", "climbing/new/folder"}) {
    const auto made = mount(below);
    ASSERT_FALSE(made) << below;
    EXPECT_EQ(made.error().code, Code::kInvalidArgument);
    EXPECT_THAT(made.error().message, HasSubstr("leads out of " + volume));
  }
  EXPECT_TRUE(std::filesystem::is_empty(outside));
  EXPECT_EQ(mount("good")->at(0).mounts.at(0).host_path, volume + "/in/side");
  EXPECT_EQ(mount("good/new")->at(0).mounts.at(0).host_path, volume + "/in/side/new");
}

/// The same for inputs, which are written before a container begins.
TEST(PodInputs, links_of_a_volume_lead_no_input_out_of_it) {
  const testing::TempFolder folder;
  const std::string volume = folder.path() + "/volume", outside = folder.path() + "/outside";
  std::filesystem::create_directories(volume + "/in");
  std::filesystem::create_directory(outside);
  std::filesystem::create_symlink(outside, volume + "/out");
  std::filesystem::create_symlink("in", volume + "/good");
  std::filesystem::create_symlink(outside + "/file", volume + "/leaf");
  std::ofstream(folder.path() + "/input") << "x";
  const auto put = [&](const std::string& path) {
    StagedInputs staged{{path, folder.path() + "/input"}};
    return put_into_volumes({{volume, "/work", false}}, staged);
  };
  for (const char* path : {"/work/out/file", "/work/out/new/file"}) {
    const Status made = put(path);
    ASSERT_FALSE(made) << path;
    EXPECT_THAT(made.error().message, HasSubstr("leads out of " + volume));
  }
  ASSERT_TRUE(put("/work/leaf")) << "the link itself is replaced";
  EXPECT_TRUE(std::filesystem::is_empty(outside));
  EXPECT_TRUE(std::filesystem::is_regular_file(std::filesystem::symlink_status(volume + "/leaf")));
  ASSERT_TRUE(put("/work/good/new/file"));
  EXPECT_TRUE(std::filesystem::exists(volume + "/in/new/file"));
}

}  // namespace
}  // namespace tiphys::node
