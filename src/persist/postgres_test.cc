#include "persist/postgres.h"

#include <gtest/gtest.h>

namespace tiphys::persist {
namespace {

TEST(Postgres, IsToldWhatTheConfigurationSays) {
  api::PersistenceConfig config;
  config.connection_timeout_seconds = 7;
  api::PersistenceConfig::Database& database = config.database.emplace();
  database.host = "db";
  database.database = "argo";
  const Credentials who{.user = "u", .password = "p"};
  auto told = postgres_parameters(config, who, "ca.pem");
  EXPECT_EQ(told["host"] + told["dbname"] + told["user"] + told["password"] + told["connect_timeout"], "dbargoup7");
  EXPECT_FALSE(told.contains("port"));
  EXPECT_EQ(told["client_encoding"], "UTF8");

  struct Row {
    bool ssl;
    std::string mode, told, ca_file;
  };
  for (const Row& row :
       {Row{false, "", "disable", ""}, Row{false, "require", "disable", ""}, Row{true, "", "prefer", ""},
        Row{true, "require", "require", ""}, Row{true, "verify-ca", "verify-ca", "ca.pem"},
        Row{true, "verify-full", "verify-full", "ca.pem"}}) {
    database.ssl = row.ssl;
    database.ssl_mode = row.mode;
    database.port = 5433;
    told = postgres_parameters(config, who, "ca.pem");
    EXPECT_EQ(told["sslmode"], row.told) << row.mode;
    EXPECT_EQ(told["sslrootcert"], row.ca_file) << row.mode;
    EXPECT_EQ(told["port"], "5433");
  }
}

TEST(Postgres, SaysThatNobodyAnswers) {
  api::PersistenceConfig config;
  api::PersistenceConfig::Database& database = config.database.emplace();
  database.host = "/nowhere";
  database.database = "argo";
  const auto connected = connect(config, {.user = "u", .password = "hidden"});
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().code, Code::kUnavailable);
  EXPECT_NE(connected.error().message.find("/nowhere"), std::string::npos) << connected.error().message;
  EXPECT_EQ(connected.error().message.find("hidden"), std::string::npos) << connected.error().message;
}

}  // namespace
}  // namespace tiphys::persist
