//! The audit trail.

use super::new_store;
use chiton_store::{AuditFilter, AuditRow, Store, StoreOptions};

fn record(number: i64) -> AuditRow {
    AuditRow {
        time_ms: number,
        session: format!("terminal:{}", number % 2),
        component: "file".into(),
        digest: "sha256:00".into(),
        tool: ["read_file", "write_file"][(number % 2) as usize].into(),
        operation: "open".into(),
        target: "/etc/passwd".into(),
        rule: "files=/etc:read".into(),
        verdict: ["denied", "allowed", "allowed"][(number % 3) as usize].into(),
        duration_us: 12,
    }
}

async fn times(store: &Store, filter: AuditFilter) -> Vec<i64> {
    store.audit_query(filter).await.unwrap().iter().map(|row| row.time_ms).collect()
}

#[tokio::test]
async fn a_record_is_found_as_it_was_taken() {
    let (_folder, _path, store) = new_store();
    store.audit(record(1));
    assert_eq!(store.audit_query(AuditFilter::default()).await.unwrap(), [record(1)]);
}

#[tokio::test]
async fn records_are_filtered_and_the_newest_shown_oldest_first() {
    let (_folder, _path, store) = new_store();
    for number in 0..12 {
        store.audit(record(number));
    }
    let all = AuditFilter::default;
    assert_eq!(times(&store, AuditFilter { limit: 3, ..all() }).await, [9, 10, 11]);
    assert_eq!(times(&store, AuditFilter { verdict: Some("denied".into()), ..all() }).await, [0, 3, 6, 9]);
    assert_eq!(times(&store, AuditFilter { since_ms: Some(10), ..all() }).await, [10, 11]);
    let both = AuditFilter {
        session: Some("terminal:1".into()),
        tool: Some("write_file".into()),
        verdict: Some("denied".into()),
        ..all()
    };
    assert_eq!(times(&store, both).await, [3, 9]);
}

#[tokio::test]
async fn records_are_written_when_the_store_closes() {
    let (_folder, path, store) = new_store();
    store.audit(record(1));
    drop(store);
    let store = Store::open_read_only(&path).unwrap();
    assert_eq!(times(&store, AuditFilter::default()).await, [1]);
}

#[tokio::test]
async fn records_are_written_soon_without_another_write() {
    let (_folder, path, store) = new_store();
    store.audit(record(1));
    let reader = Store::open_read_only(&path).unwrap();
    for _attempt in 0..200 {
        if times(&reader, AuditFilter::default()).await == [1] {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("the record was not written within 10 s");
}

#[tokio::test]
async fn the_trail_keeps_its_newest_records_only() {
    let folder = tempfile::tempdir().unwrap();
    let options = StoreOptions { audit_capacity: 10, ..StoreOptions::default() };
    let store = Store::open_with(folder.path().join("chiton.db"), options).unwrap();
    for number in 0..25 {
        store.audit(record(number));
        store.flush().await.unwrap();
    }
    assert_eq!(times(&store, AuditFilter::default()).await, (15..25).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_flood_of_records_is_counted_where_it_is_not_kept() {
    let (_folder, _path, store) = new_store();
    for number in 0..50_000 {
        store.audit(record(number));
    }
    let kept = store.audit_query(AuditFilter { limit: u32::MAX, ..AuditFilter::default() }).await.unwrap().len() as u64;
    assert_eq!(kept + store.audit_lost(), 50_000);
    assert!(kept >= 8192, "{kept}");
}
