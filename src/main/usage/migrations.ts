/** Each brings the schema one version further; never edited once released. */
export const MIGRATIONS = [
  `CREATE TABLE memory_corrections (
     model TEXT PRIMARY KEY,
     offset_bytes REAL NOT NULL,
     samples INTEGER NOT NULL
   ) STRICT`,

  // Times in milliseconds, money in whole nano-dollars; NULL is what nobody knows, never a zero.
  `CREATE TABLE usage_requests (
     id INTEGER PRIMARY KEY,
     request_id TEXT NOT NULL,
     at_ms INTEGER NOT NULL,
     user TEXT,
     key_name TEXT,
     asked TEXT NOT NULL,
     route TEXT NOT NULL,
     content_type TEXT,
     experiment TEXT,
     arm TEXT,
     provider TEXT,
     model TEXT,
     streamed INTEGER NOT NULL,
     try_count INTEGER NOT NULL,
     queue_ms REAL,
     load_ms REAL,
     prefill_ms REAL,
     first_token_ms REAL,
     total_ms REAL NOT NULL,
     prompt_tokens INTEGER,
     cached_tokens INTEGER,
     cache_write_tokens INTEGER,
     completion_tokens INTEGER,
     reasoning_tokens INTEGER,
     cost_nano_dollars INTEGER,
     price_version TEXT,
     status TEXT NOT NULL,
     error_code TEXT
   ) STRICT;
   CREATE INDEX usage_requests_by_time ON usage_requests (at_ms);

   CREATE TABLE usage_tries (
     request INTEGER NOT NULL REFERENCES usage_requests (id) ON DELETE CASCADE,
     number INTEGER NOT NULL,
     provider TEXT NOT NULL,
     model TEXT NOT NULL,
     queue_ms REAL,
     load_ms REAL,
     prefill_ms REAL,
     first_token_ms REAL,
     total_ms REAL NOT NULL,
     prompt_tokens INTEGER,
     cached_tokens INTEGER,
     cache_write_tokens INTEGER,
     completion_tokens INTEGER,
     reasoning_tokens INTEGER,
     cost_nano_dollars INTEGER,
     price_version TEXT,
     status TEXT NOT NULL,
     error_code TEXT,
     PRIMARY KEY (request, number)
   ) STRICT, WITHOUT ROWID;

   CREATE TABLE usage_texts (
     request INTEGER PRIMARY KEY REFERENCES usage_requests (id) ON DELETE CASCADE,
     prompt TEXT NOT NULL,
     answer TEXT NOT NULL
   ) STRICT;

   CREATE TABLE budget_alerts (
     budget TEXT NOT NULL,
     period_start_ms INTEGER NOT NULL,
     share REAL NOT NULL,
     at_ms INTEGER NOT NULL,
     PRIMARY KEY (budget, period_start_ms, share)
   ) STRICT, WITHOUT ROWID`,
];
