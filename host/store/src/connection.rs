//! Opening the database file: safe place, sound content, known format.

use crate::error::StoreError;
use crate::messages;
use crate::place;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Every format step, oldest first; the format number is how many of them were applied.
const MIGRATIONS: &[&str] =
    &[include_str!("schema/0001.sql"), include_str!("schema/0002.sql"), INDEXED, include_str!("schema/0004.sql")];
/// The step that brings the index of messages.
const INDEXED: &str = include_str!("schema/0003.sql");
/// Since this format, what is deleted is overwritten.
const SECURE: u32 = 3;
/// Marks the file as ours: "Chtn".
const APPLICATION_ID: i32 = 0x4368_746e;
/// The first SQLite without the WAL-reset corruption.
const OLDEST_SQLITE: i32 = 3_051_003;

/// The version of SQLite that is linked, such as `3.51.3`.
pub fn sqlite_version() -> &'static str {
    rusqlite::version()
}

/// How to open a database, kept for the connections that follow the first.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    pub(crate) busy: Duration,
}

impl Place {
    /// Finds the database at `path` without opening it.
    pub(crate) fn find(path: &Path, busy: Duration) -> Result<Self, StoreError> {
        refuse_old_sqlite(rusqlite::version_number())?;
        Ok(Self { path: place::trusted_path(path)?, busy })
    }

    /// Opens the one connection that writes; makes the file, or brings it to the present format.
    pub(crate) fn open_writer(&self, warnings: &mut Vec<String>) -> Result<Connection, StoreError> {
        place::private_file(&self.path, warnings)?;
        self.tighten_companions(warnings)?;
        self.writer().map_err(|error| self.explain(error))
    }

    fn writer(&self) -> Result<Connection, Failure> {
        let mut connection = self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        // before anything is written: what is not ours stays as it is
        let found = format(&connection)?;
        refuse_unknown(found, MIGRATIONS.len())?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "journal_size_limit", 16 << 20)?;
        connection.pragma_update(None, "secure_delete", true)?;
        migrate(&mut connection, MIGRATIONS)?;
        if matches!(found, Format::Ours(version) if version < SECURE)
            && let Err(error) = connection.execute_batch("PRAGMA temp_store = FILE; VACUUM; PRAGMA temp_store = MEMORY")
        {
            tracing::warn!("what was deleted by older releases is still in the file: {error}");
        }
        Ok(connection)
    }

    /// Folds the whole log into the database and empties it, which needs a connection outside every transaction.
    pub(crate) fn empty_log(&self) -> Result<(), StoreError> {
        let emptied = self.connect(OpenFlags::SQLITE_OPEN_READ_WRITE).and_then(|connection| {
            Ok(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, bool>(0))?)
        });
        match emptied.map_err(|error| self.explain(error))? {
            true => Err(StoreError::Locked { path: self.path.clone() }),
            false => Ok(()),
        }
    }

    /// Opens a connection that can only read.
    pub(crate) fn open_reader(&self) -> Result<Connection, StoreError> {
        if self.path.symlink_metadata().is_err() {
            return Err(StoreError::Missing { path: self.path.clone() });
        }
        self.reader().map_err(|error| self.explain(error))
    }

    fn reader(&self) -> Result<Connection, Failure> {
        let connection = self.connect(OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let found = format(&connection)?;
        refuse_unknown(found, MIGRATIONS.len())?;
        match found {
            Format::Ours(version) if version as usize == MIGRATIONS.len() => Ok(connection),
            Format::Ours(version) => Err(Failure::Older(version)),
            Format::Empty | Format::Foreign => Err(Failure::Empty),
        }
    }

    /// Repairs the modes of the database and its companions; refuses what is not this user's.
    pub(crate) fn tighten_existing(&self, warnings: &mut Vec<String>) -> Result<(), StoreError> {
        place::existing_private_file(&self.path, warnings)?;
        self.tighten_companions(warnings)
    }

    fn tighten_companions(&self, warnings: &mut Vec<String>) -> Result<(), StoreError> {
        for suffix in ["-wal", "-shm", "-journal"] {
            let mut name = self.path.clone().into_os_string();
            name.push(suffix);
            place::existing_private_file(Path::new(&name), warnings)?;
        }
        Ok(())
    }

    fn connect(&self, access: OpenFlags) -> Result<Connection, Failure> {
        let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(self.busy)?;
        connection.pragma_update(None, "mmap_size", 0)?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.pragma_update(None, "trusted_schema", false)?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(connection)
    }

    /// Says what a failure of SQLite means for this database.
    pub(crate) fn sqlite(&self, error: &rusqlite::Error) -> StoreError {
        StoreError::from_sqlite(&self.path, error)
    }

    fn explain(&self, failure: Failure) -> StoreError {
        let (path, known) = (self.path.clone(), MIGRATIONS.len() as u32);
        match failure {
            Failure::Sqlite(error) => self.sqlite(&error),
            Failure::Newer(found) => StoreError::Newer { path, found, known },
            Failure::Older(found) => StoreError::Older { path, found, known },
            Failure::Foreign => StoreError::Foreign { path },
            Failure::Empty => StoreError::Missing { path },
        }
    }
}

#[derive(Debug)]
enum Failure {
    Sqlite(rusqlite::Error),
    Newer(u32),
    Older(u32),
    Foreign,
    /// The file was made and nothing written yet.
    Empty,
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Empty,
    Ours(u32),
    Foreign,
}

fn format(connection: &Connection) -> Result<Format, rusqlite::Error> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let (id, version) = (number("application_id")?, number("user_version")?);
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(match id {
        APPLICATION_ID => Format::Ours(version.cast_unsigned()),
        0 if tables == 0 && version == 0 => Format::Empty,
        _ => Format::Foreign,
    })
}

fn refuse_old_sqlite(number: i32) -> Result<(), StoreError> {
    if number >= OLDEST_SQLITE {
        return Ok(());
    }
    let found = format!("{}.{}.{}", number / 1_000_000, number / 1000 % 1000, number % 1000);
    Err(StoreError::OldSqlite { found })
}

fn refuse_unknown(found: Format, known: usize) -> Result<(), Failure> {
    match found {
        Format::Foreign => Err(Failure::Foreign),
        Format::Ours(version) if version as usize > known => Err(Failure::Newer(version)),
        Format::Ours(_) | Format::Empty => Ok(()),
    }
}

/// Applies the steps that are missing, all or none.
fn migrate(connection: &mut Connection, steps: &[&str]) -> Result<(), Failure> {
    if matches!(format(connection)?, Format::Ours(version) if version as usize == steps.len()) {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // asked again under the lock: another process may have been quicker
    let done = match format(&transaction)? {
        Format::Ours(version) => version as usize,
        Format::Empty | Format::Foreign => 0,
    };
    for step in steps.iter().skip(done) {
        transaction.execute_batch(step)?;
        if *step == INDEXED {
            messages::index_all(&transaction)?;
        }
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", steps.len() as u32)?;
    Ok(transaction.commit()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "CREATE TABLE one (a INTEGER) STRICT; INSERT INTO one VALUES (1);";
    const SECOND: &str = "ALTER TABLE one ADD COLUMN b INTEGER; UPDATE one SET b = a + 1;";
    const BROKEN: &str = "CREATE TABLE two (a INTEGER) STRICT; INSERT INTO nowhere VALUES (1);";

    #[test]
    fn a_database_of_an_older_format_is_brought_forwards_with_its_content() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &[FIRST]).unwrap();
        assert_eq!(format(&connection).unwrap(), Format::Ours(1));
        migrate(&mut connection, &[FIRST, SECOND]).unwrap();
        assert_eq!(format(&connection).unwrap(), Format::Ours(2));
        let b: i64 = connection.query_row("SELECT b FROM one", [], |row| row.get(0)).unwrap();
        assert_eq!(b, 2);
    }

    #[test]
    fn every_released_format_is_brought_forwards_with_what_waits_in_it() {
        for released in 1..MIGRATIONS.len() {
            let mut connection = Connection::open_in_memory().unwrap();
            migrate(&mut connection, &MIGRATIONS[..released]).unwrap();
            let waiting =
                "INSERT INTO outbox (channel, chat_id, text, created_at) VALUES ('terminal', 'a', 'hello', 1)";
            connection.execute(waiting, []).unwrap();
            let said = "
                INSERT INTO sessions (id, key, created_at, updated_at) VALUES (7, 'terminal:a', 1, 1);
                INSERT INTO inbox (id, session_id, channel, account, external_id, chat_id, sender, text, received_at, state)
                VALUES (1, 7, 'terminal', '', '1', 'a', 'ann', '', 1, 'done'), (2, 7, 'terminal', '', '2', 'a', 'ann', '', 1, 'done');
                INSERT INTO messages (id, session_id, body) VALUES
                    (1, 7, '{\"role\":\"user\",\"content\":\"Où est la fougère ?\"}'),
                    (2, 7, '{\"role\":\"tool\",\"content\":\"fougere\"}'), (3, 7, '{\"role\":\"assistant\",\"content\":\"Fougère!\"}');
                INSERT INTO turns (session_id, inbox_id, first_message, began_at, state)
                VALUES (7, 1, 1, 100, 'done'), (7, 2, 3, 200, 'done');";
            connection.execute_batch(said).unwrap();
            migrate(&mut connection, MIGRATIONS).unwrap();
            assert_eq!(format(&connection).unwrap(), Format::Ours(MIGRATIONS.len() as u32));
            let text: String = connection.query_row("SELECT text FROM outbox", [], |row| row.get(0)).unwrap();
            assert_eq!(text, "hello", "from format {released}");
            // What is said from then on is indexed as it is said.
            if released >= SECURE as usize {
                continue;
            }
            let found = "SELECT group_concat(messages.id || ' at ' || at, ', ') FROM recall JOIN messages ON messages.id = recall.rowid
                WHERE recall MATCH '{text} : fougere AND {session} : s7'";
            let found: String = connection.query_row(found, [], |row| row.get(0)).unwrap();
            assert_eq!(found, "1 at 100, 3 at 200", "from format {released}");
        }
    }

    #[test]
    fn a_migration_that_fails_leaves_the_old_format_whole() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection, &[FIRST]).unwrap();
        assert!(migrate(&mut connection, &[FIRST, SECOND, BROKEN]).is_err());
        assert_eq!(format(&connection).unwrap(), Format::Ours(1));
        assert!(connection.prepare("SELECT b FROM one").is_err());
        assert!(connection.prepare("SELECT * FROM two").is_err());
    }

    #[test]
    fn a_sqlite_that_can_corrupt_a_database_is_refused() {
        assert!(refuse_old_sqlite(3_051_003).is_ok());
        let refused = refuse_old_sqlite(3_051_002).unwrap_err();
        assert!(refused.to_string().contains("SQLite 3.51.2"), "{refused}");
    }
}
