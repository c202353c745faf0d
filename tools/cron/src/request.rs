//! What the model asks for, and what is missing in it.

use chiton_sdk::bindings::chiton::tool::schedule::Timing;
use chiton_sdk::prelude::*;

/// How many characters of the message name a job that was given no name.
const NAME_FROM_MESSAGE: usize = 30;

#[arguments]
#[derive(Default)]
pub(crate) struct Cron {
    /// What to do.
    action: Action,
    /// For add: short name of the job (default: the beginning of the message).
    name: Option<String>,
    /// For add: what you shall do or say when the job is due, so that it can be understood without this conversation.
    message: Option<String>,
    /// For add: run again and again after so many seconds, at least 10.
    every_seconds: Option<u64>,
    /// For add: five fields (minute, hour, day, month, weekday), such as '0 9 * * 1-5' for 9:00 on workdays.
    cron_expr: Option<String>,
    /// For add: IANA time zone of cron_expr or at, such as 'Europe/Berlin' (default: the bot's).
    tz: Option<String>,
    /// For add: run once at this time, such as '2026-11-30T09:00'.
    at: Option<String>,
    /// For remove: id of the job, as add and list give it.
    job_id: Option<String>,
}

#[arguments]
#[derive(Clone, Copy, Default, PartialEq)]
enum Action {
    Add,
    #[default]
    List,
    Remove,
}

/// What is to be done.
#[derive(Debug)]
pub(crate) enum Request {
    Add { name: String, message: String, due: Timing },
    List,
    Remove { id: String },
}

/// What was given, if it says anything: models like to fill in empty strings.
fn given(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn refused(sentence: &str) -> Failure {
    Failure::InvalidArguments(sentence.to_owned())
}

impl Cron {
    pub(crate) fn request(self) -> Result<Request, Failure> {
        match self.action {
            Action::List => Ok(Request::List),
            Action::Remove => {
                let id =
                    given(self.job_id).ok_or_else(|| refused("remove needs job_id; action 'list' shows the ids"))?;
                Ok(Request::Remove { id })
            }
            Action::Add => {
                let message = given(self.message)
                    .ok_or_else(|| refused("add needs message: what shall be done or said when the job is due"))?;
                let name = given(self.name).unwrap_or_else(|| message.chars().take(NAME_FROM_MESSAGE).collect());
                let due = timing(self.every_seconds, given(self.cron_expr), given(self.at), given(self.tz))?;
                Ok(Request::Add { name, message, due })
            }
        }
    }
}

fn timing(
    every: Option<u64>,
    cron: Option<String>,
    at: Option<String>,
    zone: Option<String>,
) -> Result<Timing, Failure> {
    // 0 is how some models say that there is no interval
    match (every.filter(|seconds| *seconds > 0), cron, at) {
        (Some(_), None, None) if zone.is_some() => Err(refused("tz goes with cron_expr or at, not with every_seconds")),
        (Some(seconds), None, None) => Ok(Timing::Every(seconds)),
        (None, Some(expression), None) => Ok(Timing::Cron((expression, zone.unwrap_or_default()))),
        (None, None, Some(time)) => Ok(Timing::At(match zone {
            Some(zone) if !has_zone(&time) => format!("{time}[{zone}]"),
            _ => time,
        })),
        (None, None, None) => Err(refused("add needs a time: one of every_seconds, cron_expr and at")),
        _ => Err(refused("give only one of every_seconds, cron_expr and at")),
    }
}

/// Whether a time has a zone or an offset of its own: nothing else has a sign or letter after the time of day.
fn has_zone(time: &str) -> bool {
    let time_of_day = time.split_once(['T', 't', ' ']).map_or("", |(_, time)| time);
    time_of_day.contains(['+', '-', 'Z', 'z', '['])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add() -> Cron {
        Cron { action: Action::Add, message: Some("water the plants".into()), ..Cron::default() }
    }

    fn due(arguments: Cron) -> String {
        match arguments.request() {
            Ok(Request::Add { due, .. }) => format!("{due:?}"),
            other => panic!("{other:?}"),
        }
    }

    fn refusal(arguments: Cron) -> String {
        match arguments.request() {
            Err(Failure::InvalidArguments(sentence)) => sentence,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn each_kind_of_time_is_passed_on() {
        let (expression, zone) = (Some("0 9 * * *".to_owned()), Some("Europe/Berlin".to_owned()));
        assert_eq!(due(Cron { every_seconds: Some(60), ..add() }), "Timing::Every(60)");
        assert_eq!(due(Cron { cron_expr: expression.clone(), ..add() }), r#"Timing::Cron(("0 9 * * *", ""))"#);
        let zoned = Cron { cron_expr: expression, tz: zone, ..add() };
        assert_eq!(due(zoned), r#"Timing::Cron(("0 9 * * *", "Europe/Berlin"))"#);
        assert_eq!(due(Cron { at: Some("2026-11-30T09:00".into()), ..add() }), r#"Timing::At("2026-11-30T09:00")"#);
    }

    #[test]
    fn the_zone_of_a_time_counts_when_the_time_has_none_of_its_own() {
        for (at, passed) in [
            ("2026-11-30T09:00", "2026-11-30T09:00[Europe/Berlin]"),
            ("2026-11-30 09:00:30", "2026-11-30 09:00:30[Europe/Berlin]"),
            ("2026-11-30T09:00Z", "2026-11-30T09:00Z"),
            ("2026-11-30T09:00-05:00", "2026-11-30T09:00-05:00"),
            ("2026-11-30T09:00[Asia/Tokyo]", "2026-11-30T09:00[Asia/Tokyo]"),
        ] {
            let given = Cron { at: Some(at.into()), tz: Some("Europe/Berlin".into()), ..add() };
            assert_eq!(due(given), format!("Timing::At({passed:?})"));
        }
    }

    #[test]
    fn empty_strings_and_zero_are_nothing_given() {
        let empty = || Some(String::new());
        let given = Cron {
            every_seconds: Some(0),
            cron_expr: empty(),
            tz: empty(),
            at: Some("2026-11-30T09:00".into()),
            ..add()
        };
        assert_eq!(due(given), r#"Timing::At("2026-11-30T09:00")"#);
    }

    #[test]
    fn a_job_without_a_name_has_the_beginning_of_its_message() {
        let message = Some("look whether the heating in the cellar is on".to_owned());
        let asked = Cron { message, every_seconds: Some(60), ..add() }.request();
        assert!(matches!(asked, Ok(Request::Add { name, .. }) if name == "look whether the heating in th"));
    }

    #[test]
    fn what_is_missing_or_too_much_is_said() {
        let at = || Some("2026-11-30T09:00".to_owned());
        assert!(refusal(add()).contains("add needs a time"));
        assert!(refusal(Cron { every_seconds: Some(60), at: at(), ..add() }).contains("only one of"));
        assert!(refusal(Cron { message: Some(" ".into()), at: at(), ..add() }).contains("add needs message"));
        assert!(refusal(Cron { every_seconds: Some(60), tz: Some("UTC".into()), ..add() }).contains("tz goes with"));
        assert!(refusal(Cron { action: Action::Remove, ..Cron::default() }).contains("remove needs job_id"));
    }
}
