//! The lock file.

use chiton_skills::lock::Lock;

const ONE: &str = "[[skills]]\nname = \"weather\"\nversion = \"0.1.0\"\nsource = \"oci://x.org/weather:0.1.0\"\n\
    digest = \"0000000000000000000000000000000000000000000000000000000000000001\"\nkey = \"RWQ\"\n";

#[test]
fn a_lock_reads_back_to_itself_in_the_order_of_names() {
    let lock = Lock::parse(&format!("{ONE}\n{}", ONE.replace("\"weather\"", "\"airport\""))).unwrap();
    let names: Vec<_> = lock.skills.iter().map(|skill| skill.name.to_string()).collect();
    assert_eq!(names, ["airport", "weather"]);
    assert_eq!(Lock::parse(&lock.to_text().unwrap()).unwrap(), lock);
    assert_eq!(Lock::parse("").unwrap(), Lock::default());
}

#[test]
fn a_lock_with_anything_else_in_it_is_refused() {
    for bad in [
        ONE.replace("source", "sauce"),
        ONE.replace("0.1.0\"\nsource", "latest\"\nsource"),
        ONE.replace("weather\"\nversion", "We\\u202eather\"\nversion"),
        ONE.replace("01\"", "xy\""),
        format!("{ONE}{ONE}"),
    ] {
        let error = Lock::parse(&bad).unwrap_err().to_string();
        assert!(error.contains("the lock file cannot be read") && !error.contains('\u{202e}'), "{error}");
    }
}
