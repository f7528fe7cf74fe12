// Artifacts in HDFS, by this host's `hdfs`. Original: workflow/artifacts/hdfs, by a client of its own.
#include <fmt/format.h>

#include <cerrno>
#include <filesystem>

#include "artifact/drivers.h"
#include "artifact/secret_folder.h"
#include "artifact/uri.h"
#include "artifact/variables.h"
#include "base/host_program.h"
#include "base/strings.h"
#include "doc/truth.h"

namespace tiphys::artifact {
namespace {

namespace fs = std::filesystem;

/// What Kerberos is given; both secrets "": no Kerberos.
struct Kerberos {
  std::string cache, keytab;
  std::string config;  ///< krb5.conf
  bool is_wanted() const { return !cache.empty() || !keytab.empty(); }
};

/// The realm of names that say none.
std::string default_realm(std::string_view config) {
  for (const std::string_view line : split(config, '\n')) {
    const auto equals = line.find('=');
    if (equals != line.npos && trim(line.substr(0, equals)) == "default_realm") {
      return std::string(trim(line.substr(equals + 1)));
    }
  }
  return "";
}

/// hdfs takes what it reads for a pattern.
std::string escaped(std::string_view path) {
  std::string made;
  for (const char c : path) {
    if (std::string_view("\\*?[]{}").find(c) != std::string_view::npos) made += '\\';
    made += c;
  }
  return made;
}

class HdfsPlace final : public Place {
 public:
  HdfsPlace(const DriverContext& context, Kerberos kerberos)
      : place_(context.place),
        path_(doc::find_string(place_, "path")),
        kerberos_(std::move(kerberos)),
        stop_(context.stop) {}

  Status load(const std::string& host_path) override {
    const auto loaded = hdfs({"-get", escaped(path_), uri_encode(host_path, true)});
    if (loaded) return {};
    Error error = loaded.error().in(fmt::format("failed to get {} of HDFS", path_));
    if (error.message.find("No such file or directory") != error.message.npos) error.code = Code::kNotFound;
    return std::unexpected(std::move(error));
  }

  Status save(const std::string& host_path) override {
    const std::string what = fmt::format("failed to put {} into HDFS", path_);
    if (const std::string folder = fs::path(path_).parent_path().string(); !folder.empty() && folder != "/") {
      if (const auto made = hdfs({"-mkdir", "-p", folder}); !made) return std::unexpected(made.error().in(what));
    }
    std::vector<std::string> arguments{"-put"};
    if (doc::is_true(place_, "force")) arguments.emplace_back("-f");
    arguments.insert(arguments.end(), {uri_encode(host_path, true), path_});
    if (const auto put = hdfs(std::move(arguments)); !put) return std::unexpected(put.error().in(what));
    return {};
  }

 private:
  Result<std::string> hdfs(std::vector<std::string> command) {
    TIPHYS_CHECK_OK(prepare());
    HostProgram program{.arguments = {"hdfs", "dfs"}, .environment = environment_, .without = {}};
    for (const auto& [name, value] : options_) program.arguments.push_back(fmt::format("-D{}={}", name, value));
    for (std::string& each : command) program.arguments.push_back(std::move(each));
    for (const auto& [name, value] : environment_) program.without.push_back(name + "=");
    return run_program(program, stop_);
  }

  /// Once.
  Status prepare() {
    if (!options_.empty()) return {};
    environment_ = {{"HADOOP_ROOT_LOGGER", "ERROR,console"}};
    TIPHYS_CHECK_OK(kerberos_.is_wanted() ? log_in() : name_user());
    const std::string_view protection = doc::find_string(place_, "dataTransferProtection");
    if (!protection.empty()) options_.emplace_back("dfs.data.transfer.protection", protection);
    add_servers();
    return {};
  }

  Status name_user() {
    const std::string_view user = doc::find_string(place_, "hdfsUser");
    if (user.empty()) {
      return fail(Code::kInvalidArgument,
                  "either hdfs.hdfsUser, hdfs.krbCCacheSecret or hdfs.krbKeytabSecret is required");
    }
    environment_.emplace_back("HADOOP_USER_NAME", user);
    return {};
  }

  /// A cache of tickets that is nobody else's, and a configuration that is not the machine's.
  Status log_in() {
    TIPHYS_TRY(const std::string config, secrets_.write("krb5.conf", kerberos_.config));
    environment_.emplace_back("KRB5_CONFIG", config);
    const std::string java = variable("HADOOP_OPTS");
    environment_.emplace_back("HADOOP_OPTS",
                              fmt::format("{}{}-Djava.security.krb5.conf={}", java, java.empty() ? "" : " ", config));
    std::string realm(doc::find_string(place_, "krbRealm"));
    if (!kerberos_.cache.empty()) {
      TIPHYS_TRY(const std::string cache, secrets_.write("tickets", kerberos_.cache));
      environment_.emplace_back("KRB5CCNAME", "FILE:" + cache);
    } else {
      TIPHYS_TRY(const std::string cache, secrets_.path_of("tickets"));
      environment_.emplace_back("KRB5CCNAME", "FILE:" + cache);
      TIPHYS_CHECK_OK(init_tickets(realm));
    }
    std::string server(doc::find_string(place_, "krbServicePrincipalName"));
    if (realm.empty()) realm = default_realm(kerberos_.config);
    if (server.find('@') == server.npos && !realm.empty()) server += "@" + realm;
    options_.emplace_back("hadoop.security.authentication", "kerberos");
    options_.emplace_back("dfs.namenode.kerberos.principal", server);
    return {};
  }

  Status init_tickets(const std::string& realm) {
    TIPHYS_TRY(const std::string keytab, secrets_.write("keytab", kerberos_.keytab));
    HostProgram program{.arguments = {"kinit", "-k", "-t", keytab,
                                      fmt::format("{}@{}", doc::find_string(place_, "krbUsername"), realm)},
                        .environment = environment_,
                        .without = {"KRB5"}};
    if (const auto made = run_program(program, stop_); !made) {
      return std::unexpected(made.error().in("failed to log in to Kerberos"));
    }
    return {};
  }

  /// Several are one service: the one that is active is asked.
  void add_servers() {
    std::vector<std::string> servers;
    for (const doc::Value& address : doc::find(place_, "addresses")->get_array()) {
      servers.push_back(doc::scalar_text(address));
    }
    if (servers.size() == 1) {
      options_.emplace_back("fs.defaultFS", "hdfs://" + servers[0]);
      return;
    }
    std::vector<std::string> names;
    for (std::size_t i = 0; i < servers.size(); ++i) {
      names.push_back(fmt::format("nn{}", i));
      options_.emplace_back("dfs.namenode.rpc-address.tiphys." + names.back(), servers[i]);
    }
    options_.emplace_back("dfs.nameservices", "tiphys");
    options_.emplace_back("dfs.ha.namenodes.tiphys", join(names, ","));
    options_.emplace_back("dfs.client.failover.proxy.provider.tiphys",
                          "org.apache.hadoop.hdfs.server.namenode.ha.ConfiguredFailoverProxyProvider");
    options_.emplace_back("fs.defaultFS", "hdfs://tiphys");
  }

  const doc::Value place_;
  const std::string path_;
  const Kerberos kerberos_;
  const std::stop_token stop_;
  SecretFolder secrets_;
  std::vector<std::pair<std::string, std::string>> options_;  ///< of Hadoop
  std::vector<std::pair<std::string, std::string>> environment_;
};

}  // namespace

Result<std::unique_ptr<Place>> open_hdfs(const DriverContext& context) {
  const doc::Value* addresses = doc::find(context.place, "addresses");
  if (!addresses || !addresses->is_array() || addresses->get_array().empty()) {
    return fail(Code::kInvalidArgument, "hdfs.addresses is required");
  }
  Kerberos kerberos;
  TIPHYS_TRY(kerberos.cache, context.credentials.get(context.place, "krbCCacheSecret"));
  TIPHYS_TRY(kerberos.keytab, context.credentials.get(context.place, "krbKeytabSecret"));
  TIPHYS_TRY(kerberos.config, context.credentials.get(context.place, "krbConfigConfigMap"));
  // As in the original.
  if (!kerberos.keytab.empty()) kerberos.cache.clear();
  return std::make_unique<HdfsPlace>(context, std::move(kerberos));
}

}  // namespace tiphys::artifact
