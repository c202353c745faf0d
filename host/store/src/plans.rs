//! How SQLite runs each statement on the way of a message: by index, never through a whole table.

use crate::{
    Store, attachments, copies, history, inbox, jobs, messages, outbox, recall, rested, revisions, runs, session,
    spending, tasks, turn,
};
use rusqlite::Connection;

fn plan(connection: &Connection, sql: &str) -> Vec<String> {
    let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
    let mut rows = explain.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next().unwrap() {
        steps.push(row.get("detail").unwrap());
    }
    steps
}

#[test]
fn no_statement_of_a_turn_reads_a_whole_table_or_sorts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chiton.db");
    drop(Store::open(&path).unwrap());
    let connection = Connection::open(&path).unwrap();
    for sql in [
        inbox::KNOWN,
        inbox::SESSION,
        inbox::NEW_SESSION,
        inbox::QUEUE,
        inbox::FULL,
        messages::KEEP,
        messages::PAGE,
        turn::OLDEST,
        turn::INTERRUPTED,
        turn::STEPS,
        turn::CALLS,
        turn::BEHIND,
        turn::JOIN,
        turn::JOINED_ANSWERED,
        turn::BEGIN,
        turn::RUNNING,
        turn::GROW,
        turn::START_CALL,
        turn::FINISH_CALL,
        turn::FINISH,
        turn::ANSWERED,
        turn::TOUCH,
        turn::ANSWER,
        history::SUMMARY,
        history::TURNS,
        history::MESSAGES,
        session::STATE,
        session::MODEL,
        session::SUMMARISE,
        session::RESET,
        spending::ADD,
        spending::SUM,
        recall::FOUND,
        recall::SESSION,
        revisions::KEEP,
        revisions::FORGET,
        revisions::LIST,
        revisions::TEXT,
        revisions::JUDGE,
        revisions::REWRITE,
        inbox::DONE,
        rested::CONSOLIDATED,
        rested::LAST_ENDED,
        rested::MODEL_OF,
        copies::TAKEN,
        copies::MESSAGES,
        copies::HIDE,
        copies::SAME_MODEL,
        outbox::PENDING,
        outbox::DELIVERED,
        outbox::FAILED,
        outbox::UNDELIVERABLE,
        attachments::SESSION,
        attachments::ATTACH,
        attachments::ATTACHED,
        attachments::DROP,
        attachments::STATE,
        jobs::OF_SESSION,
        jobs::ADD,
        jobs::ONE,
        jobs::LIST,
        jobs::NEXT_DUE,
        jobs::DUE,
        jobs::APPROVE,
        jobs::REMOVE,
        jobs::TAKE_BACK,
        jobs::TAKEN_BACK,
        jobs::FORGET,
        runs::MOVE,
        runs::STARTED,
        runs::OPEN,
        runs::LEFT_OUT,
        runs::RUN,
        runs::FORGET,
        runs::TURN_ENDED,
        runs::JUDGE,
        runs::WENT_WELL,
        runs::RETRY,
        runs::DISABLE,
        runs::HISTORY,
        runs::ENDED,
        tasks::OF_PARENT,
        tasks::START,
        tasks::SETTLE_IN,
        tasks::ONE,
        tasks::LIST,
        tasks::OF_TURN,
        tasks::END,
        tasks::ANNOUNCED,
        tasks::CANCEL,
        tasks::TAKE_BACK,
        tasks::FORGET,
    ] {
        for step in plan(&connection, sql) {
            let scanned =
                step.starts_with("SCAN") && !step.starts_with("SCAN (subquery") && step != "SCAN CONSTANT ROW";
            let by_index = !scanned && !step.contains("TEMP B-TREE");
            // the calls of one turn are few, so sorting them is no matter
            assert!(by_index || sql == turn::CALLS, "{step}\n{sql}");
        }
    }
    let waiting = plan(&connection, inbox::WAITING);
    assert!(waiting.iter().all(|step| !step.starts_with("SCAN") || step.contains("inbox_waiting")), "{waiting:?}");
    // each reads an index that holds only what is allowed at the same time
    for (sql, index) in [
        (jobs::IN_ALL, "jobs_kept"),
        (tasks::IN_ALL, "tasks_running"),
        (tasks::UNANNOUNCED, "tasks_unannounced"),
        (attachments::WAITING_BYTES, "attachments_of_message"),
    ] {
        let steps = plan(&connection, sql);
        assert!(steps.iter().all(|step| !step.starts_with("SCAN") || step.contains(index)), "{steps:?}");
    }
    for sql in [turn::OLDEST, turn::BEHIND, inbox::FULL, session::STATE, tasks::TAKE_BACK] {
        let steps = plan(&connection, sql);
        assert!(steps.iter().any(|step| step.contains("inbox_waiting")), "{steps:?}");
    }
}
