// What containers find in their folders, and what is taken from them.
#include <gmock/gmock.h>

#include "node/agent/agent_testing.h"

namespace tiphys::node {
namespace {

using testing::AgentTest;
using ::testing::HasSubstr;
using testing::own_mounts;
using testing::read_file;
using testing::write_file;

TEST_F(AgentTest, VolumesBecomeMounts) {
  cluster_.put(cluster::kConfigMaps, doc::parse_json(R"({"metadata":{"name":"cm","namespace":"default"},
      "data":{"a":"1","b":"2"}})")
                                         .value());
  write_file(folder_.path() + "/host/f", "h");
  doc::Object container{{"volumeMounts", doc::parse_json(R"([
      {"name":"work","mountPath":"/work"}, {"name":"work","mountPath":"/sub","subPath":"in/side"},
      {"name":"cfg","mountPath":"/etc/cfg","readOnly":true}, {"name":"host","mountPath":"/host"}])")
                                             .value()}};
  doc::Object spec{{"volumes", doc::parse_json(R"([{"name":"work","emptyDir":{}},
      {"name":"cfg","configMap":{"name":"cm","items":[{"key":"b","path":"d/bb","mode":256}]}},
      {"name":"host","hostPath":{"path":")" + folder_.path() +
                                               R"(/host","type":"Directory"}}])")
                                   .value()}};
  cluster_.put(cluster::kPods, pod("a", std::move(container), std::move(spec)));
  const auto mounts = own_mounts(begun("a").spec);
  ASSERT_EQ(mounts.size(), 4u);
  EXPECT_TRUE(std::filesystem::is_directory(mounts[0].host_path));
  EXPECT_EQ(mounts[1].host_path, mounts[0].host_path + "/in/side");
  EXPECT_TRUE(mounts[2].read_only);
  EXPECT_EQ(read_file(mounts[2].host_path + "/d/bb"), "2");
  EXPECT_FALSE(std::filesystem::exists(mounts[2].host_path + "/a"));
  struct stat about{};
  ::stat((mounts[2].host_path + "/d/bb").c_str(), &about);
  EXPECT_EQ(about.st_mode & 07777, 0400u);
  EXPECT_EQ(mounts[3].host_path, folder_.path() + "/host");
}

TEST_F(AgentTest, ClaimsAreFoldersThatOutliveThePod) {
  const cluster::Key claim{&cluster::kPersistentVolumeClaims, "default", "data"};
  cluster_.put(cluster::kPersistentVolumeClaims, doc::parse_json(R"({"metadata":{"name":"data","namespace":"default",
      "uid":"claimed"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}})")
                                                     .value());
  settle();
  EXPECT_EQ(doc::find_string(*cluster_.find(claim), "status", "phase"), "Bound");
  EXPECT_EQ(doc::find_string(*cluster_.find(claim), "status", "capacity", "storage"), "1Gi");
  const auto with_claim = [](std::string_view source) {
    return std::pair{doc::Object{{"volumeMounts", doc::parse_json(R"([{"name":"v","mountPath":"/v"},
                                                                     {"name":"own","mountPath":"/own"}])")
                                                      .value()}},
                     doc::Object{{"volumes", doc::parse_json(fmt::format(
                                                                 R"([{{"name":"v","persistentVolumeClaim":{}}},
                                                     {{"name":"own","ephemeral":{{}}}}])",
                                                                 source))
                                                 .value()}}};
  };
  auto [container, spec] = with_claim(R"({"claimName":"data"})");
  cluster_.put(cluster::kPods, pod("a", container, spec));
  const auto mounts = begun("a").spec.mounts;
  EXPECT_EQ(mounts[0].host_path, folder_.path() + "/claims/claimed");
  EXPECT_FALSE(mounts[0].read_only);
  EXPECT_THAT(mounts[1].host_path, HasSubstr("/pods/uid-a/"));
  write_file(mounts[0].host_path + "/f", "kept");

  auto [of_reader, reading] = with_claim(R"({"claimName":"data","readOnly":true})");
  cluster_.put(cluster::kPods, pod("b", of_reader, reading));
  EXPECT_TRUE(begun("b").spec.mounts[0].read_only);
  runtime_.run(id("a"));
  runtime_.end(id("a"), 0);
  ended("a");
  EXPECT_EQ(read_file(mounts[0].host_path + "/f"), "kept");

  cluster_.remove(claim, {}, [](const Result<cluster::Object>&) {});
  settle();
  EXPECT_TRUE(std::filesystem::exists(mounts[0].host_path)) << "b still uses it";
  runtime_.run(id("b"));
  runtime_.end(id("b"), 0);
  run_until([&] { return !std::filesystem::exists(mounts[0].host_path); });

  cluster_.put(cluster::kPods, pod("c", container, spec));
  EXPECT_THAT(doc::to_json(ended("c")), HasSubstr("persistentvolumeclaim \\\"data\\\" not found"));
}

TEST_F(AgentTest, FoldersOfClaimsThatWereDeletedMeanwhileGo) {
  agent_.reset();
  write_file(folder_.path() + "/claims/gone/f", "x");
  start();
  run_until([&] { return !std::filesystem::exists(folder_.path() + "/claims/gone"); });
}

TEST_F(AgentTest, ProjectedVolumesAreOneFolder) {
  cluster_.put(cluster::kConfigMaps, doc::parse_json(R"({"metadata":{"name":"cm","namespace":"default"},
      "data":{"a":"1","b":"2"}})")
                                         .value());
  cluster_.put(cluster::kSecrets, doc::parse_json(R"({"metadata":{"name":"s","namespace":"default"},
      "data":{"k":"ZnJvbS1zZWNyZXQ="}})")
                                      .value());
  doc::Object container{{"volumeMounts", doc::parse_json(R"([{"name":"all","mountPath":"/all"},
      {"name":"info","mountPath":"/info"}])")
                                             .value()}};
  doc::Object spec{{"volumes", doc::parse_json(R"([
      {"name":"all","projected":{"defaultMode":256,"sources":[
        {"configMap":{"name":"cm","items":[{"key":"b","path":"d/bb"}]}},
        {"secret":{"name":"s"}},
        {"configMap":{"name":"none","optional":true}},
        {"downwardAPI":{"items":[{"path":"name","fieldRef":{"fieldPath":"metadata.name"},"mode":420}]}}]}},
      {"name":"info","downwardAPI":{"items":[
        {"path":"annotations","fieldRef":{"fieldPath":"metadata.annotations"}},
        {"path":"cpus","resourceFieldRef":{"containerName":"main","resource":"requests.cpu"}}]}}])")
                                   .value()}};
  cluster_.put(cluster::kPods, pod("a", std::move(container), std::move(spec), {{"note", "one\ntwo"}}));
  const auto mounts = own_mounts(begun("a").spec);
  ASSERT_EQ(mounts.size(), 2u);
  EXPECT_EQ(read_file(mounts[0].host_path + "/d/bb"), "2");
  EXPECT_EQ(read_file(mounts[0].host_path + "/k"), "from-secret");
  EXPECT_EQ(read_file(mounts[0].host_path + "/name"), "a");
  EXPECT_FALSE(std::filesystem::exists(mounts[0].host_path + "/a"));
  EXPECT_THAT(read_file(mounts[1].host_path + "/annotations"), HasSubstr(R"(note="one\ntwo")"));
  EXPECT_EQ(read_file(mounts[1].host_path + "/cpus"), "0");
  struct stat about{};
  ::stat((mounts[0].host_path + "/k").c_str(), &about);
  EXPECT_EQ(about.st_mode & 07777, 0400u);
  ::stat((mounts[0].host_path + "/name").c_str(), &about);
  EXPECT_EQ(about.st_mode & 07777, 0644u);
}

TEST_F(AgentTest, InputsAreStaged) {
  write_file(folder_.path() + "/made", "artifact");
  ASSERT_TRUE(repository_->save("key/of/it", folder_.path() + "/made"));
  cluster_.put(cluster::kPods, pod("a", {}, {}, {{kInputsAnnotation, R"({
      "files":[{"path":"/argo/staging/script","content":"echo hi","mode":493}],
      "artifacts":[{"name":"raw","path":"/in/raw","location":{"raw":{"data":"raw data"}}},
                   {"name":"art","path":"/in/art","location":{"s3":{"key":"key/of/it"}}},
                   {"name":"opt","path":"/in/opt","optional":true,"location":{"s3":{"key":"none"}}}]})"}}));
  const auto& inputs = begun("a").spec.inputs;
  ASSERT_EQ(inputs.size(), 3u);
  EXPECT_EQ(inputs[0].first, "/argo/staging/script");
  EXPECT_EQ(read_file(inputs[0].second), "echo hi");
  EXPECT_EQ(read_file(inputs[1].second), "raw data");
  EXPECT_EQ(read_file(inputs[2].second), "artifact");
}

TEST_F(AgentTest, AMissingInputArtifactFailsThePod) {
  cluster_.put(cluster::kPods, pod("a", {}, {}, {{kInputsAnnotation, R"({"artifacts":[
      {"name":"art","path":"/in/art","location":{"s3":{"key":"none"}}}]})"}}));
  const doc::Value& done = ended("a");
  EXPECT_EQ(status(done, "phase"), "Failed");
  EXPECT_THAT(std::string(doc::find_string(terminated(done), "message")), HasSubstr("artifact art failed to load"));
}

struct OutputCase {
  std::string name;
  std::string wanted;  ///< JSON of the annotation
  int exit_code;
  std::string phase;
  std::string outputs;  ///< JSON; "": none
  std::string error;    ///< part of the wait container's message
};

class AgentOutputs : public AgentTest, public ::testing::WithParamInterface<OutputCase> {};

TEST_P(AgentOutputs, AreCollected) {
  cluster_.put(cluster::kPods, pod("a", {}, {}, {{kOutputsWantedAnnotation, GetParam().wanted}}));
  auto& container = begun("a");
  write_file(container.spec.dir + "/files/tmp/p", "value\n\n");
  write_file(container.spec.dir + "/files/tmp/bytes", "a\xFF\xC3(\xE2\x82z\n");
  write_file(container.spec.dir + "/files/tmp/big", std::string(300 * 1024, 'x'));
  write_file(container.spec.dir + "/log",
             "2026-01-01T00:00:00.000000000Z stdout F one\n2026-01-01T00:00:00.000000000Z stderr F no\n"
             "2026-01-01T00:00:00.000000000Z stdout P tw\n2026-01-01T00:00:00.000000000Z stdout F o\n");
  runtime_.run(id("a"));
  runtime_.end(id("a"), GetParam().exit_code);
  const doc::Value& done = ended("a");
  EXPECT_EQ(status(done, "phase"), GetParam().phase);
  if (!GetParam().outputs.empty()) {
    EXPECT_EQ(outputs(done), doc::parse_json(GetParam().outputs).value());
  }
  if (!GetParam().error.empty()) {
    EXPECT_THAT(std::string(doc::find_string(terminated(done, 1), "message")), HasSubstr(GetParam().error));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Agent, AgentOutputs,
    ::testing::Values(
        OutputCase{"ResultIsStandardOutput", R"({"result":true})", 0, "Succeeded",
                   R"({"result":"one\ntwo","exitCode":"0"})", ""},
        OutputCase{"ParameterLosesOneNewline", R"({"parameters":[{"name":"p","path":"/tmp/p"}]})", 0, "Succeeded",
                   R"({"parameters":[{"name":"p","value":"value\n"}],"exitCode":"0"})", ""},
        OutputCase{"BytesThatAreNoTextAreReplaced", R"({"parameters":[{"name":"p","path":"/tmp/bytes"}]})", 0,
                   "Succeeded", R"({"parameters":[{"name":"p","value":"a\ufffd\ufffd(\ufffd\ufffdz"}],"exitCode":"0"})",
                   ""},
        OutputCase{"MissingParameterHasItsDefault", R"({"parameters":[{"name":"p","path":"/no","default":"d"}]})", 0,
                   "Succeeded", R"({"parameters":[{"name":"p","value":"d"}],"exitCode":"0"})", ""},
        OutputCase{"MissingParameterFails", R"({"parameters":[{"name":"p","path":"/no"}]})", 0, "Failed", "",
                   "cannot save parameter p from /no"},
        OutputCase{"TooLargeParameterFails", R"({"parameters":[{"name":"p","path":"/tmp/big"}]})", 0, "Failed", "",
                   "use an artifact"},
        OutputCase{"ArtifactIsSaved",
                   R"({"artifacts":[{"name":"a","path":"/tmp/p","place":{"s3":{"key":"k"}},"archive":"none"}]})", 0,
                   "Succeeded",
                   R"({"artifacts":[{"name":"a","path":"/tmp/p","archive":{"none":{}},"s3":{"key":"k"}}],
                       "exitCode":"0"})",
                   ""},
        OutputCase{"OptionalArtifactIsLeftOut",
                   R"({"artifacts":[{"name":"a","path":"/no","place":{"s3":{"key":"k"}},"optional":true}]})", 0,
                   "Succeeded", R"({"exitCode":"0"})", ""},
        OutputCase{"MissingArtifactIsNamed", R"({"artifacts":[{"name":"a","path":"/no","place":{"s3":{"key":"k"}}}]})",
                   0, "Failed", "", "artifact a failed to save from /no"},
        OutputCase{"AFailedStepKeepsWhatThereIs",
                   R"({"result":true,"parameters":[{"name":"p","path":"/tmp/p"},{"name":"q","path":"/no"}]})", 2,
                   "Failed", R"({"result":"one\ntwo","parameters":[{"name":"p","value":"value\n"}],"exitCode":"2"})",
                   ""}),
    [](const auto& test) { return test.param.name; });

TEST_F(AgentTest, InputsBelowAMountLieInTheVolume) {
  doc::Object spec{{"volumes", doc::Array{doc::Object{{"name", "v"}, {"emptyDir", doc::Object{}}}}}};
  doc::Object main{{"volumeMounts", doc::Array{doc::Object{{"name", "v"}, {"mountPath", "/v/"}}}}};
  cluster_.put(cluster::kPods,
               pod("a", std::move(main), std::move(spec),
                   {{std::string(kInputsAnnotation), R"({"files": [{"path": "/v/deep/f", "content": "text"}]})"}}));
  const ContainerSpec& made = begun("a").spec;
  EXPECT_TRUE(made.inputs.empty());
  EXPECT_EQ(read_file(made.mounts.at(0).host_path + "/deep/f"), "text");
}

}  // namespace
}  // namespace tiphys::node
