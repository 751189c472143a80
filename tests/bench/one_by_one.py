# SPDX-License-Identifier: MIT
"""one_by_one.py DATABASE SECONDS: creates todos in a transaction each, durable, with nobody else waiting; prints how many a second."""
import sqlite3
import sys
import time
import uuid

db = sqlite3.connect(sys.argv[1], isolation_level=None)
if db.execute("PRAGMA journal_mode = WAL").fetchone() != ("wal",):
    sys.exit("no write-ahead log")
db.execute("PRAGMA synchronous = FULL")
db.execute("PRAGMA foreign_keys = ON")
user = db.execute("SELECT id FROM users").fetchone()[0]
count, start, now = 0, time.perf_counter(), int(time.time() * 1000)
end = start + float(sys.argv[2])
while time.perf_counter() < end:
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO todos (id, title, completed, user_id, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)",
               (bytes.fromhex(f"{now + count:012x}7000") + uuid.uuid4().bytes[8:], "Water the plants", 0, user,
                now + count, now + count))
    db.execute("COMMIT")
    count += 1
print(count / (time.perf_counter() - start))
