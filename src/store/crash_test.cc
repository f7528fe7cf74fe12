// The store with its writer's thread: under load, and killed in the middle of it.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <fstream>
#include <set>

#include "base/asio_executor.h"
#include "store/testing.h"

namespace tiphys::store {
namespace {

using cluster::Key;
using cluster::kPods;
using cluster::kWorkflows;
using cluster::PatchType;

constexpr std::chrono::milliseconds kRetryAfter{1};

/// A store as the program runs it.
struct LiveStore {
  explicit LiveStore(const std::string& path, std::function<Status()> before_commit = {}) {
    auto opened = Store::open({.path = path,
                               .executor = *executor,
                               .random = random,
                               .archive = cluster::Selector(),
                               .retry_after = kRetryAfter,
                               .before_commit = std::move(before_commit)});
    TIPHYS_CHECK(opened, "a test's store can be opened");
    store = std::move(*opened);
  }

  boost::asio::io_context context;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work{context.get_executor()};
  std::unique_ptr<Executor> executor = make_asio_executor(context);
  SystemRandom random;
  std::unique_ptr<Store> store;
};

doc::Value pod(const std::string& name) {
  return {{"metadata", {{"name", name}}}, {"spec", {{"number", 0}}}, {"status", {{"phase", "Running"}}}};
}

TEST(StoreThread, AnswersAndTellsInOrder) {
  const TempDir temp;
  LiveStore live(temp.path() + "/tiphys.db");
  constexpr int kPodsMade = 1000;
  int answers = 0;
  int events = 0;
  bool ordered = true;
  const auto watch = live.store->watch(kPods, {},
                                       {.on_event =
                                            [&](const cluster::WatchEvent& event) {
                                              if (!event.object) return;
                                              const auto name = doc::find_string(*event.object, "metadata", "name");
                                              ordered =
                                                  ordered && name == fmt::format("p{}", events) && events < answers;
                                              if (++events == kPodsMade) live.context.stop();
                                            },
                                        .on_end = [](const Error& error) { ADD_FAILURE() << error.message; }});
  for (int i = 0; i < kPodsMade; ++i) {
    live.store->create(kPods, pod(fmt::format("p{}", i)), [&, i](const Result<cluster::Object>& made) {
      ordered = ordered && made && answers == i;
      ++answers;
    });
  }
  live.context.run();
  EXPECT_EQ(answers, kPodsMade);
  EXPECT_TRUE(ordered);
}

TEST(StoreThread, WritesWhatIsPendingWhenItGoes) {
  const TempDir temp;
  const std::string path = temp.path() + "/tiphys.db";
  {
    LiveStore live(path);
    live.store->create(kPods, pod("first"), [](auto) {});
    live.context.run_one();  // hands it to the thread
    live.store->create(kPods, pod("second"), [](auto) {});
  }
  TestStore store({.path = path});
  EXPECT_EQ(store.list(kPods)->items.size(), 2U);
}

/// A short log is left behind at the end, a long one is copied; either way everything is there again.
TEST(StoreThread, TheLogIsReadAgain) {
  const TempDir temp;
  const std::string path = temp.path() + "/tiphys.db";
  int made = 0;
  for (const int more : {1, 2, 2000, 1}) {
    {
      LiveStore live(path);
      for (int i = 0; i < more; ++i, ++made)
        live.store->create(kPods, pod(fmt::format("p{}", made)), [](const auto&) {});
    }
    std::array<char, 4> magic{};
    std::ifstream(path + "-wal", std::ios::binary).read(magic.data(), magic.size());
    EXPECT_EQ(magic[0] == 0, more == 2000) << "an emptied log has no header";
    LiveStore live(path);
    live.store->list(kPods, {}, [&](const Result<cluster::List>& list) {
      EXPECT_EQ(list.value().items.size(), static_cast<std::size_t>(made));
      live.context.stop();
    });
    live.context.run();
  }
}

TEST(StoreThread, FailsAndRecovers) {
  const TempDir temp(TempDir::memory());
  std::atomic<bool> failing = true;
  LiveStore live(temp.path() + "/tiphys.db", [&]() -> Status {
    if (failing) return fail(Code::kResourceExhausted, "full");
    return {};
  });
  int failed = 0;
  bool made = false;
  std::move_only_function<void()> create = [&] {
    live.store->create(kPods, pod("p"), [&](const Result<cluster::Object>& result) {
      if (result) {
        made = true;
        return live.context.stop();
      }
      ++failed;
      failing = false;
      live.executor->schedule(live.executor->now() + 2 * kRetryAfter, [&] { create(); });
    });
  };
  create();
  live.context.run();
  EXPECT_EQ(failed, 1);
  EXPECT_TRUE(made);
}

/// What a child tells of an acknowledged write.
struct Acknowledged {
  int pod;
  int number;
};

/// Writes for ever: makes pods, raises their numbers, adds a node per write to one workflow. Each acknowledgement goes
/// to `out` when it comes.
class Child {
 public:
  Child(const std::string& path, int out, int first) : live_(path), out_(out), next_(first) {}

  [[noreturn]] void run() {
    live_.store->create(kWorkflows, {{"metadata", {{"name", "w"}}}}, [](const auto&) {});
    for (int i = 0; i < 8; ++i) make_pod();
    live_.context.run();
    ::_exit(1);
  }

 private:
  void make_pod() {
    const int number = next_++;
    const std::string name = fmt::format("p{}", number);
    live_.store->update_workflow_status({&kWorkflows, "default", "w"}, {.nodes = {{name, R"({"id":1})"}}},
                                        [](const Status&) {});
    live_.store->create(kPods, pod(name), [this, number](const Result<cluster::Object>& made) {
      if (!made) ::_exit(2);
      tell({number, 0});
      raise(number, 1);
    });
  }

  void raise(int number, int to) {
    if (to == 4) return make_pod();
    live_.store->patch({&kPods, "default", fmt::format("p{}", number)}, PatchType::kMerge, {{"spec", {{"number", to}}}},
                       [this, number, to](const Result<cluster::Object>& done) {
                         if (!done) ::_exit(3);
                         tell({number, to});
                         raise(number, to + 1);
                       });
  }

  void tell(Acknowledged acknowledged) {
    if (::write(out_, &acknowledged, sizeof acknowledged) != sizeof acknowledged) ::_exit(4);
  }

  LiveStore live_;
  int out_;
  int next_;
};

TEST(StoreCrash, LosesNothingThatWasAcknowledged) {
  const TempDir temp;
  const std::string path = temp.path() + "/tiphys.db";
  SeededRandom random(std::random_device{}());
  std::map<int, int> acknowledged;
  constexpr int kRounds = 20;
  for (int round = 0; round < kRounds; ++round) {
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(pipe[0]);
      Child(path, pipe[1], round * 100'000).run();
    }
    ::close(pipe[1]);
    const std::uint64_t most = random.next() % 60;
    Acknowledged one{};
    for (std::uint64_t i = 0; ::read(pipe[0], &one, sizeof one) == sizeof one; ++i) {
      acknowledged[one.pod] = one.number;
      // What is in the pipe already was acknowledged too: go on reading to its end.
      if (i == most) {
        ASSERT_EQ(::kill(child, SIGKILL), 0);
      }
    }
    ::close(pipe[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with " << status;

    TestStore store({.path = path});
    std::map<int, std::int64_t> found;
    const auto list = store.list(kPods);
    ASSERT_TRUE(list) << list.error().message;
    for (const auto& item : list->items) {
      found[std::stoi(std::string(doc::find_string(*item, "metadata", "name").substr(1)))] =
          doc::find(*item, "spec", "number")->to_number<std::int64_t>();
    }
    const auto w = store.get({&kWorkflows, "default", "w"});
    for (const auto& [number, value] : acknowledged) {
      ASSERT_TRUE(found.contains(number)) << "round " << round << ", pod " << number;
      EXPECT_GE(found[number], value);
      EXPECT_TRUE(doc::find(**w, "status", "nodes", fmt::format("p{}", number))) << number;
    }
  }
  EXPECT_GT(acknowledged.size(), 20U);
}

/// Makes workflows for ever, ends and deletes them, and takes every third out of the archive. What is acknowledged it
/// tells like the other.
class ArchivingChild {
 public:
  ArchivingChild(const std::string& path, int out, int first) : live_(path), out_(out), next_(first) {}

  [[noreturn]] void run() {
    for (int i = 0; i < 4; ++i) make();
    live_.context.run();
    ::_exit(1);
  }

 private:
  void make() {
    const int number = next_++;
    const Key key{&kWorkflows, "default", fmt::format("w{}", number)};
    live_.store->create(kWorkflows, {{"metadata", {{"name", key.name}}}, {"spec", {{"entrypoint", key.name}}}},
                        [this, number, key](const Result<cluster::Object>& made) {
                          if (!made) ::_exit(2);
                          end(number, key);
                        });
  }

  void end(int number, const Key& key) {
    live_.store->update_workflow_status(key, {.nodes = {{"n", R"({"id":"n"})"}}, .completed = true},
                                        [this, number, key](const Status& ended) {
                                          if (!ended) ::_exit(3);
                                          tell({number, 1});
                                          remove(number, key);
                                        });
  }

  void remove(int number, const Key& key) {
    live_.store->remove(key, {}, [this, number](const Result<cluster::Object>& removed) {
      if (!removed) ::_exit(4);
      tell({number, 2});
      if (number % 3 != 0) return make();
      live_.store->remove_archived(std::string(doc::find_string(**removed, "metadata", "uid")),
                                   [this, number](const Status& taken) {
                                     if (!taken) ::_exit(5);
                                     tell({number, 3});
                                     make();
                                   });
    });
  }

  void tell(Acknowledged acknowledged) {
    if (::write(out_, &acknowledged, sizeof acknowledged) != sizeof acknowledged) ::_exit(6);
  }

  LiveStore live_;
  int out_;
  int next_;
};

TEST(StoreCrash, LosesNothingThatIsArchived) {
  const TempDir temp;
  const std::string path = temp.path() + "/tiphys.db";
  SeededRandom random(std::random_device{}());
  std::map<int, int> acknowledged;
  constexpr int kRounds = 12;
  for (int round = 0; round < kRounds; ++round) {
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(pipe[0]);
      ArchivingChild(path, pipe[1], round * 100'000).run();
    }
    ::close(pipe[1]);
    const std::uint64_t most = random.next() % 60;
    Acknowledged one{};
    for (std::uint64_t i = 0; ::read(pipe[0], &one, sizeof one) == sizeof one; ++i) {
      acknowledged[one.pod] = one.number;
      if (i == most) {
        ASSERT_EQ(::kill(child, SIGKILL), 0);
      }
    }
    ::close(pipe[0]);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with " << status;

    TestStore store({.path = path});
    std::set<std::string> archived;
    const auto page = store.list_archive({.with_nodes = true});
    ASSERT_TRUE(page) << page.error().message;
    for (const auto& item : page->items) {
      const std::string name(doc::find_string(*item, "metadata", "name"));
      EXPECT_TRUE(archived.insert(name).second) << name << " is there twice";
      EXPECT_EQ(doc::find_string(*item, "status", "nodes", "n", "id"), "n") << name;
      EXPECT_EQ(doc::find_string(*item, "spec", "entrypoint"), name);
    }
    for (const auto& [number, stage] : acknowledged) {
      const std::string name = fmt::format("w{}", number);
      // What was under way may have been done.
      if (stage == 3) {
        EXPECT_FALSE(archived.contains(name)) << name;
      } else if (number % 3 != 0) {
        EXPECT_TRUE(archived.contains(name)) << name << " at " << stage;
      }
      if (stage == 2) {
        EXPECT_FALSE(store.get({&kWorkflows, "default", name})) << name;
      }
    }
  }
  EXPECT_GT(acknowledged.size(), 20U);
}

}  // namespace
}  // namespace tiphys::store
