#include "controllers/memo_cache.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <variant>

#include "base/log.h"
#include "controllers/names.h"

namespace tiphys::controllers {
namespace {

/// What Kubernetes lets a ConfigMap hold (k8s.io/api/core/v1, MaxSecretSize).
constexpr std::size_t kMostConfigMapBytes = 1024 * 1024;
constexpr int kMostAttempts = 5;

bool valid_key(std::string_view key) {
  const auto alphanumeric = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  return !key.empty() && alphanumeric(key.front()) &&
         std::all_of(key.begin(), key.end(), [&](char c) { return alphanumeric(c) || c == '-'; });
}

/// Why a ConfigMap may not serve as cache; "" when it may.
std::string refusal(const doc::Value& config_map) {
  const doc::Value* label = doc::find(config_map, "metadata", "labels", kConfigMapTypeLabel);
  if (!label) {
    return fmt::format("memoization configmap doesn't have {} label, refusing to use it", kConfigMapTypeLabel);
  }
  if (!label->is_string() || label->get_string() != kCacheConfigMapType) {
    return fmt::format("memoization configmap doesn't have label {} = {}, refusing to use it", kConfigMapTypeLabel,
                       kCacheConfigMapType);
  }
  return "";
}

/// What a ConfigMap holds during one round: as it was read, with what the round has changed.
class Page {
 public:
  explicit Page(doc::Object data) : data_(std::move(data)) {
    for (const auto& [key, value] : data_) bytes_ += key.size() + text(value).size();
  }

  /// "" when there is no entry.
  std::string_view find(std::string_view key) const {
    const doc::Value* value = data_.if_contains(key);
    return value ? text(*value) : std::string_view();
  }
  /// False when the ConfigMap would grow too large.
  bool set(const std::string& key, const std::string& entry) {
    const doc::Value* old = data_.if_contains(key);
    const std::size_t bytes = bytes_ + entry.size() + key.size() - (old ? key.size() + text(*old).size() : 0);
    if (bytes > kMostConfigMapBytes) return false;
    bytes_ = bytes;
    data_[key] = entry;
    changed_[key] = entry;
    return true;
  }
  doc::Object& changed() { return changed_; }

 private:
  static std::string_view text(const doc::Value& value) {
    return value.is_string() ? std::string_view(value.get_string()) : std::string_view();
  }
  doc::Object data_, changed_;
  std::size_t bytes_ = 0;
};

/// The outputs of an entry; none when it is older than `max_age` or holds nothing.
Result<std::optional<api::Outputs>> read_entry(doc::Value& entry, const std::optional<Duration>& max_age, Time now) {
  const Time created = parse_rfc3339(doc::find_string(entry, "creationTimestamp")).value_or(Time{});
  const bool fresh = !max_age || now - created <= *max_age;
  if (!fresh || doc::find_string(entry, "nodeID").empty()) return std::nullopt;
  const doc::Value* held = doc::find(entry, "outputs");
  if (!held || !held->is_object()) return api::Outputs{};
  Result<api::Outputs> outputs = api::parse_outputs(*held);
  if (!outputs) return std::unexpected(outputs.error().in("malformed cache entry"));
  return std::move(*outputs);
}

bool transient(Code code) {
  return code == Code::kUnavailable || code == Code::kAborted || code == Code::kDeadlineExceeded ||
         code == Code::kResourceExhausted;
}

}  // namespace

struct MemoCache::Operation {
  std::variant<engine::LookUpCache, engine::SaveCache> request;
  Answered done;  ///< look-ups only
};

/// One ConfigMap's queue. At most one round of reading and writing is under way.
struct MemoCache::Book {
  cluster::Key key;
  std::deque<Operation> waiting;
  bool busy = false;
  int attempts = 0;
};

struct MemoCache::Shared : std::enable_shared_from_this<Shared> {
  Shared(Executor& the_executor, cluster::Cluster& the_cluster) : executor(the_executor), cluster(the_cluster) {}

  Executor& executor;
  cluster::Cluster& cluster;
  std::map<cluster::Key, Book> books;

  void begin(Book& book);
  void read(Book& book, Result<cluster::Object> answer);
  void answer_all(Book& book, const Error& error);
  engine::CacheAnswered look_up(Page& page, const engine::LookUpCache& request);
  void save(Page& page, const engine::SaveCache& request);
  void write(Book& book, bool exists, doc::Object changed);
  void written(Book& book, bool exists, const doc::Object& changed, Result<cluster::Object> answer);
  void end(Book& book);
  /// False when enough has been tried.
  bool retry_later(Book& book, std::move_only_function<void()> task);
  /// A call-back for this object's thread that does nothing once the cache is gone.
  template <typename F>
  auto guarded(F task) {
    return [weak = weak_from_this(), task = std::move(task)](auto... args) mutable {
      if (auto self = weak.lock()) task(*self, std::move(args)...);
    };
  }
};

MemoCache::MemoCache(Executor& executor, cluster::Cluster& cluster)
    : shared_(std::make_shared<Shared>(executor, cluster)) {}

MemoCache::~MemoCache() = default;

void MemoCache::look_up(std::string ns, engine::LookUpCache request, Answered done) {
  const std::string config_map = request.config_map;
  enqueue(std::move(ns), config_map, {std::move(request), std::move(done)});
}

void MemoCache::save(std::string ns, engine::SaveCache request) {
  const std::string config_map = request.config_map;
  enqueue(std::move(ns), config_map, {std::move(request), {}});
}

void MemoCache::enqueue(std::string ns, const std::string& config_map, Operation operation) {
  cluster::Key key{&cluster::kConfigMaps, std::move(ns), config_map};
  Book& book = shared_->books[key];
  book.key = std::move(key);
  book.waiting.push_back(std::move(operation));
  if (!book.busy) shared_->begin(book);
}

void MemoCache::Shared::begin(Book& book) {
  book.busy = true;
  cluster.get(book.key,
              guarded([&book](Shared& self, Result<cluster::Object> answer) { self.read(book, std::move(answer)); }));
}

void MemoCache::Shared::read(Book& book, Result<cluster::Object> answer) {
  const bool exists = answer.has_value();
  if (!exists && answer.error().code != Code::kNotFound) {
    const bool again =
        transient(answer.error().code) && retry_later(book, guarded([&book](Shared& self) { self.begin(book); }));
    if (!again) answer_all(book, answer.error());
    return;
  }
  if (exists) {
    if (std::string why = refusal(**answer); !why.empty()) {
      answer_all(book, {Code::kFailedPrecondition, std::move(why)});
      return;
    }
  }
  doc::Object data;
  if (const doc::Value* held = exists ? doc::find(**answer, "data") : nullptr; held && held->is_object()) {
    data = held->get_object();
  }
  Page page(std::move(data));
  for (Operation& operation : std::exchange(book.waiting, {})) {
    if (const auto* request = std::get_if<engine::SaveCache>(&operation.request)) {
      save(page, *request);
    } else {
      operation.done(look_up(page, std::get<engine::LookUpCache>(operation.request)));
    }
  }
  if (page.changed().empty()) {
    end(book);
  } else {
    write(book, exists, std::move(page.changed()));
  }
}

void MemoCache::Shared::answer_all(Book& book, const Error& error) {
  for (Operation& operation : std::exchange(book.waiting, {})) {
    if (const auto* request = std::get_if<engine::LookUpCache>(&operation.request)) {
      operation.done(engine::CacheAnswered{request->node_id, std::nullopt, error.message});
    } else {
      log::error("{}: the outputs of node {} were not saved: {}", book.key.name,
                 std::get<engine::SaveCache>(operation.request).node_id, error.message);
    }
  }
  end(book);
}

engine::CacheAnswered MemoCache::Shared::look_up(Page& page, const engine::LookUpCache& request) {
  engine::CacheAnswered answer{request.node_id, std::nullopt, ""};
  if (!valid_key(request.key)) {
    answer.error = fmt::format("invalid cache key: {}", request.key);
    return answer;
  }
  const std::string_view text = page.find(request.key);
  if (text.empty()) return answer;
  Result<doc::Value> entry = doc::parse_json(text);
  if (!entry || !entry->is_object()) {
    answer.error = fmt::format("malformed cache entry: could not unmarshal JSON; unable to parse: {}",
                               entry ? "not an object" : entry.error().message);
    return answer;
  }
  Result<std::optional<api::Outputs>> outputs = read_entry(*entry, request.max_age, executor.now());
  if (!outputs) {
    answer.error = outputs.error().message;
    return answer;
  }
  answer.outputs = std::move(*outputs);
  // Hits of the same second leave the entry as it is; one that finds the ConfigMap full goes unnoted.
  entry->get_object()["lastHitTimestamp"] = format_rfc3339(executor.now());
  if (const std::string hit = doc::to_json(*entry); hit != text) page.set(request.key, hit);
  return answer;
}

void MemoCache::Shared::save(Page& page, const engine::SaveCache& request) {
  if (!valid_key(request.key)) {
    log::error("the outputs of node {} were not saved: invalid cache key: {}", request.node_id, request.key);
    return;
  }
  const std::string now = format_rfc3339(executor.now());
  const bool fits = page.set(request.key, doc::to_json(doc::Object{{"nodeID", request.node_id},
                                                                   {"outputs", api::to_document(request.outputs)},
                                                                   {"creationTimestamp", now},
                                                                   {"lastHitTimestamp", now}}));
  if (!fits) {
    log::error(
        "node {}: error creating cache entry: ConfigMap \"{}\" is invalid: []: Too long: may not be more than {} "
        "bytes. Please check out this page for help: "
        "https://argo-workflows.readthedocs.io/en/latest/memoization/#faqs",
        request.node_id, request.config_map, kMostConfigMapBytes);
  }
}

void MemoCache::Shared::write(Book& book, bool exists, doc::Object changed) {
  auto done = guarded([&book, exists, changed](Shared& self, Result<cluster::Object> answer) {
    self.written(book, exists, changed, std::move(answer));
  });
  if (exists) {
    cluster.patch(book.key, cluster::PatchType::kMerge, doc::Object{{"data", std::move(changed)}}, std::move(done));
    return;
  }
  cluster.create(
      cluster::kConfigMaps,
      doc::Object{{"apiVersion", "v1"},
                  {"kind", "ConfigMap"},
                  {"metadata", doc::Object{{"name", book.key.name},
                                           {"namespace", book.key.ns},
                                           {"labels", doc::Object{{kConfigMapTypeLabel, kCacheConfigMapType}}}}},
                  {"data", std::move(changed)}},
      std::move(done));
}

void MemoCache::Shared::written(Book& book, bool exists, const doc::Object& changed, Result<cluster::Object> answer) {
  if (answer) {
    end(book);
    return;
  }
  const Code code = answer.error().code;
  // Somebody created or deleted the ConfigMap since it was read.
  const bool raced = code == (exists ? Code::kNotFound : Code::kAlreadyExists);
  if (raced || transient(code)) {
    const bool now_exists = raced ? !exists : exists;
    auto again = guarded([&book, now_exists, changed](Shared& self) { self.write(book, now_exists, changed); });
    if (retry_later(book, std::move(again))) return;
  }
  log::error("could not save to config map cache {}: {}", book.key.name, answer.error().message);
  end(book);
}

void MemoCache::Shared::end(Book& book) {
  book.attempts = 0;
  book.busy = false;
  if (book.waiting.empty()) {
    books.erase(cluster::Key(book.key));
  } else {
    begin(book);
  }
}

bool MemoCache::Shared::retry_later(Book& book, std::move_only_function<void()> task) {
  if (++book.attempts >= kMostAttempts) return false;
  executor.schedule(executor.now() + std::chrono::seconds(1 << (book.attempts - 1)), std::move(task));
  return true;
}

}  // namespace tiphys::controllers
