//! `chiton audit`

use super::{look, print_json, print_line};
use crate::arguments::Audit;
use crate::exit::{Exit, Failure};
use crate::settings::Settings;
use crate::terminal::style::{Style, one_line};
use chiton_store::{AuditFilter, AuditRow};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

/// The verdicts that exist.
const VERDICTS: [&str; 7] = ["allowed", "denied", "limited", "failed", "cancelled", "revoked", "refused"];

/// Shows records of the audit trail, oldest first.
pub async fn run(filter: Audit, json: bool) -> Result<(), Failure> {
    if let Some(verdict) = &filter.verdict
        && !VERDICTS.contains(&verdict.as_str())
    {
        let message = format!("there is no verdict '{verdict}'; the verdicts are {}", VERDICTS.join(", "));
        return Err(Failure::new(Exit::Usage, message));
    }
    let since_ms = filter.since.as_deref().map(since).transpose()?;
    let settings = Settings::load()?;
    let mut records = match look(&settings)? {
        None => Vec::new(),
        Some(store) => {
            let filter = AuditFilter {
                session: filter.session,
                tool: filter.tool,
                verdict: filter.verdict,
                since_ms,
                limit: filter.limit,
            };
            store.audit_query(filter).await?
        }
    };
    records.sort_by_key(|record| record.time_ms);
    match json {
        true => print_json(&serde_json::to_value(&records).map_err(Failure::because(Exit::Failure))?),
        false => records.iter().try_for_each(|record| print_line(&line(record))),
    }
}

fn since(span: &str) -> Result<i64, Failure> {
    let wrong = || Failure::new(Exit::Usage, format!("'{span}' is no span of time; write it such as 10m, 2h or 3d"));
    let days = span.strip_suffix('d').and_then(|days| days.parse::<i64>().ok());
    let back = match days {
        Some(days) => SignedDuration::from_hours(days.checked_mul(24).ok_or_else(wrong)?),
        None => span.parse().map_err(|_| wrong())?,
    };
    let begin = Timestamp::now().checked_sub(back).map_err(|_| wrong())?;
    Ok(begin.as_millisecond())
}

fn line(record: &AuditRow) -> String {
    let time = Timestamp::from_millisecond(record.time_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    let time = time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string();
    let style = match record.verdict.as_str() {
        "allowed" => Style::Good,
        "cancelled" => Style::Notice,
        _ => Style::Bad,
    };
    let what = match record.tool.is_empty() {
        true => record.component.clone(),
        false => record.tool.clone(),
    };
    let mut line = format!("{}  {:9}  {what}  {}", Style::Dim.paint(time), record.verdict, record.operation);
    line = line.replacen(&record.verdict, &style.paint(&record.verdict), 1);
    for detail in [&record.target, &record.rule] {
        if !detail.is_empty() {
            line.push_str("  ");
            line.push_str(&one_line(&chiton_agent::inert(detail), 200));
        }
    }
    if record.duration_us > 0 {
        line.push_str(&Style::Dim.paint(format!("  {:.1} ms", record.duration_us as f64 / 1_000.0)));
    }
    if !record.session.is_empty() {
        line.push_str(&Style::Dim.paint(format!("  [{}]", record.session)));
    }
    line
}
