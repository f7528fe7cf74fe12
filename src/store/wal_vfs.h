// How SQLite's files are opened: as it does by itself, but for the write-ahead log. What it appends there goes to the
// kernel at once (it writes each page with two calls, and a transaction is a dozen of pages), and the file keeps its
// size when it is emptied.
#pragma once

namespace tiphys::store {

/// The name for sqlite3_open_v2. What is appended is held back until a sync, a read, or a write elsewhere; a commit
/// syncs the log before anybody may read it (synchronous = FULL), so a failed write fails the commit.
const char* wal_vfs();

}  // namespace tiphys::store
