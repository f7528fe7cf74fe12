#include "persist/mysql.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tiphys::persist {
namespace {

using testing::HasSubstr;
using Tls = MySqlOptions::Tls;

TEST(MySql, TakesTheOptionsOfGosDriver) {
  struct Row {
    std::string value;
    Tls tls;
  };
  for (const Row& row : {Row{"true", Tls::kVerified}, Row{"false", Tls::kNever}, Row{"skip-verify", Tls::kUnverified},
                         Row{"preferred", Tls::kIfOffered}}) {
    const auto read = mysql_options_of({{"tls", row.value}});
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read->tls, row.tls) << row.value;
  }
  const auto read = mysql_options_of({{"readTimeout", "1.5s"},
                                      {"writeTimeout", "1m"},
                                      {"charset", "utf8mb4"},
                                      {"time_zone", "'+00:00'"},
                                      {"max_statement_time", "30"}});
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->tls, Tls::kNever);
  EXPECT_EQ(read->read_timeout, 2U);
  EXPECT_EQ(read->write_timeout, 60U);
  const std::vector<Statement> variables{{"SET SESSION max_statement_time = ?", {std::int64_t{30}}},
                                         {"SET SESSION time_zone = ?", {std::string("+00:00")}}};
  EXPECT_EQ(read->session, variables);
}

TEST(MySql, SaysWhichOptionCannotBe) {
  struct Row {
    std::string name, value, says;
  };
  for (const Row& row : {Row{"tls", "mine", "\"mine\" is none of true"}, Row{"readTimeout", "5", "no duration"},
                         Row{"a = 1, b", "2", "no name of a variable"}}) {
    const auto read = mysql_options_of({{row.name, row.value}});
    ASSERT_FALSE(read) << row.name;
    EXPECT_EQ(read.error().code, Code::kFailedPrecondition);
    EXPECT_THAT(read.error().message, HasSubstr(row.says));
  }
}

TEST(MySql, SaysThatNobodyAnswers) {
  api::PersistenceConfig config;
  api::PersistenceConfig::Database& database = config.database.emplace();
  database.kind = api::PersistenceConfig::Database::Kind::kMySql;
  database.host = "/nowhere/socket";
  database.database = "argo";
  const auto connected = connect(config, {.user = "u", .password = "hidden"});
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().code, Code::kUnavailable);
  EXPECT_THAT(connected.error().message, HasSubstr("/nowhere/socket"));
  EXPECT_THAT(connected.error().message, testing::Not(HasSubstr("hidden")));
}

}  // namespace
}  // namespace tiphys::persist
