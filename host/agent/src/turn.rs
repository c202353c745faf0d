//! One turn: ask the model, run the calls it asks for, until there is an answer or a bound is reached.

use crate::TurnEvent;
use crate::agent::Room;
use crate::ask::Stop;
use crate::budget::Sum;
use crate::calls::Wanted;
use crate::commands::Command;
use crate::event::EventSink;
use crate::heartbeat;
use crate::inert::inert;
use crate::pictures::{Picture, Pictures};
use crate::repetition::Repetition;
use crate::result::Told;
use crate::revisions::Tainted;
use crate::subagents::is_task;
use crate::window::{GO_ON, Window, is_nudge, well_formed};
use crate::wire::{self, Kept};
use chiton_providers::{Finish, Model, Reply};
use chiton_sandbox::{SessionRights, Verdict};
use chiton_store::{CallRow, NewMessage, NewOutbox, Outcome, StoreError, Turn, TurnId, failpoint};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// Points of a turn at which a test can kill the process, beside those of the store.
pub const FAILPOINTS: [&str; 6] =
    ["before-model", "after-model", "before-call", "after-call", "before-answer", "after-answer"];

/// Replies that were cut at their length limit and are gone on with, in a row.
const MOST_CUT: u32 = 3;
/// Empty replies after which the turn fails.
const MOST_EMPTY: u32 = 3;
/// Messages that come while the turn runs and join it, after one step.
const MOST_JOINED: usize = 5;
/// Starts of a turn after which it is given up: it may be what brings the host down.
const MOST_STARTS: u32 = 4;

const CANCELLED: &str = "[The user cancelled this request before it was answered.]";
const CHOICES: &str = "\n\nSay \"look\" to have it checked, \"again\" to have it done once more, or \"leave it\".";
const FAILED: &str = "[This request was not answered, because of an error outside the conversation.]";
const GIVEN_UP: &str =
    "Chiton was stopped several times while it worked on this message, so it is given up; ask again, for less at once";
const TOO_MANY_ROUNDS: &str =
    "I stopped because this message used up its rounds of tool calls before I came to an answer. Ask me to go on.";

/// Whether the turn is over.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Its end is recorded.
    Recorded,
    /// It goes on at the next start.
    Suspended,
}

/// Why no further round comes.
pub(crate) enum End {
    /// The answer, and the message that the history keeps of it.
    Answer {
        text: String,
        message: Arc<str>,
    },
    Failed(String),
    Cancelled,
    Suspended,
}

/// A turn on its way.
pub(crate) struct Course<'a> {
    pub(crate) room: &'a Arc<Room>,
    pub(crate) id: TurnId,
    pub(crate) rights: SessionRights,
    pub(crate) message: NewMessage,
    /// The model that answers in this session.
    pub(crate) model: Arc<Model>,
    pub(crate) window: &'a mut Window,
    /// This turn's messages, each committed.
    pub(crate) steps: Vec<Arc<str>>,
    /// What this turn uses of skills, and how many of its messages were searched for that.
    pub(crate) used: BTreeSet<String>,
    pub(crate) searched: usize,
    /// Replies with calls so far.
    rounds: u32,
    pub(crate) sink: EventSink,
    /// The user's word.
    pub(crate) cancel: CancellationToken,
    /// Ends what runs: the user's word or the turn's time limit.
    pub(crate) stop: CancellationToken,
    _timer: AbortOnDropHandle<()>,
    pub(crate) repetition: Repetition,
    /// The model only repeats itself: no more tools.
    pub(crate) hopeless: bool,
    /// Tools of calls of which nobody knows whether they took effect.
    pub(crate) uncertain: Vec<String>,
    pub(crate) pictures: Pictures,
    /// Pictures of the round that runs.
    pub(crate) seen: Vec<Picture>,
    /// What was streamed of the reply that is on its way.
    pub(crate) partial: String,
    /// What the turn has cost since it was started last.
    pub(crate) spent: Sum,
    /// Tool calls so far.
    pub(crate) calls: u32,
    /// The session begins anew after this turn.
    pub(crate) fresh: bool,
    /// Holds from the first call on that may read strangers' words.
    tainted: Tainted<'a>,
}

/// Runs `turn` to its end and records it.
pub(crate) async fn run(
    room: &Arc<Room>,
    turn: Turn,
    window: &mut Window,
    listener: Option<mpsc::Sender<TurnEvent>>,
    cancel: CancellationToken,
) -> Result<Ended, StoreError> {
    let Turn { id, session, inbox, steps, calls, rounds: replies, starts, .. } = turn;
    let model = room.model_of(&session).await?;
    let stop = cancel.child_token();
    let (timer, limit) = (stop.clone(), room.settings.max_turn_time);
    let timer = tokio::spawn(async move {
        tokio::time::sleep(limit).await;
        timer.cancel();
    });
    let rights = room.rights(id, &session, inbox.message.metadata.as_deref(), &calls);
    let mut course = Course {
        tainted: Tainted::new(room, rights.tainted),
        rights,
        room,
        model,
        id,
        message: inbox.message,
        window,
        rounds: asked_rounds(&steps),
        steps,
        used: BTreeSet::new(),
        searched: 0,
        sink: EventSink::new(listener),
        cancel,
        stop,
        _timer: AbortOnDropHandle::new(timer),
        repetition: Repetition::default(),
        hopeless: false,
        uncertain: Vec::new(),
        pictures: Pictures::default(),
        seen: Vec::new(),
        partial: String::new(),
        spent: Sum::default(),
        calls: calls.len().try_into().unwrap_or(u32::MAX),
        fresh: false,
    };
    let answered = match Command::taken(&course.message) {
        Some(command) => course.perform(command).await,
        None if starts > MOST_STARTS => Ok(course.give_up(&calls)),
        None => course.answer(&calls, replies).await,
    };
    match answered {
        Ok(end) => course.close(end).await,
        Err(error) => {
            course.sink.end(TurnEvent::Failed { error: error.to_string(), outbox: None });
            Err(error)
        }
    }
}

impl Course<'_> {
    async fn answer(&mut self, calls: &[CallRow], replies: u32) -> Result<End, StoreError> {
        self.go_on_after_interruption(calls, replies).await?;
        let (mut empty, mut cut) = (0, 0);
        loop {
            if let Some(end) = self.stopped() {
                return Ok(end);
            }
            let closing = self.hopeless || self.rounds >= self.room.settings.rounds() || empty + 1 == MOST_EMPTY;
            let reply = match self.ask(!closing).await {
                Ok(reply) => reply,
                Err(Stop::End(end)) => return Ok(end),
                Err(Stop::Store(error)) => return Err(error),
            };
            if !reply.tool_calls.is_empty() && !closing {
                self.append(reply.message.clone()).await?;
                self.rounds += 1;
                self.run_calls(wanted(reply)).await?;
                self.join().await?;
            } else if reply.text.trim().is_empty() && !heartbeat::is_heartbeat(&self.message) {
                empty += 1;
                if let Some(end) = self.without_text(&reply, empty) {
                    return Ok(end);
                }
            } else if reply.finish == Finish::Length && cut < MOST_CUT {
                cut += 1;
                self.append(wire::assistant(&reply.text)).await?;
                self.append(wire::user(GO_ON)).await?;
            } else {
                return Ok(self.answered(reply));
            }
        }
    }

    /// What the last run of this turn left undone: calls without results, a cut reply without its nudge.
    async fn go_on_after_interruption(&mut self, calls: &[CallRow], replies: u32) -> Result<(), StoreError> {
        let unknown = |row: &&CallRow| row.verdict.as_deref() == Some(crate::calls::UNCERTAIN);
        self.uncertain.extend(calls.iter().filter(unknown).map(|row| row.tool.clone()));
        let kept: Vec<Kept> = self.steps.iter().map(|step| Kept::of(step)).collect();
        let Some(last) = kept.iter().rposition(|message| message.role == "assistant") else { return Ok(()) };
        let done: Vec<String> = kept[last..].iter().filter_map(|message| message.tool_call_id.clone()).collect();
        let is_last = last + 1 == kept.len();
        let asked = kept.into_iter().nth(last).map(Kept::asked).unwrap_or_default();
        if asked.is_empty() {
            return if is_last { self.append(wire::user(GO_ON)).await } else { Ok(()) };
        }
        let left = asked.into_iter().filter(|call| !done.contains(&call.id)).map(|call| {
            let begun = |row: &&CallRow| row.round == replies && row.call_id == call.id;
            let begun = calls.iter().find(begun).is_some_and(|row| !row.read_only && !row.finished());
            Wanted { begun, ..Wanted::kept(call) }
        });
        let left = left.collect();
        self.run_calls(left).await
    }

    /// The end of a turn that may be what brings the host down, with what is not known of its calls.
    fn give_up(&mut self, calls: &[CallRow]) -> End {
        let unknown = |row: &&CallRow| {
            row.verdict.as_deref().map_or(!row.read_only, |verdict| verdict == crate::calls::UNCERTAIN)
        };
        self.uncertain.extend(calls.iter().filter(unknown).map(|row| row.tool.clone()));
        End::Failed(GIVEN_UP.to_owned())
    }

    /// Takes the messages in that came while the turn ran: the model reads them before its next step.
    async fn join(&mut self) -> Result<(), StoreError> {
        for joined in self.room.store.join_waiting(self.id, MOST_JOINED).await? {
            self.steps.push(wire::user(&joined.message.text));
            self.sink.joined(self.room.bus.join(&joined.message));
        }
        Ok(())
    }

    /// A call begins that may read strangers' words, and write them in the same moment: what is written from now on
    /// is not taken for the owner's, whatever becomes of the call.
    pub(crate) async fn meet_strangers(&mut self) -> Result<(), StoreError> {
        if !self.tainted.holds() {
            self.room.look(false).await?;
            self.tainted = Tainted::new(self.room, true);
        }
        Ok(())
    }

    /// Why the turn may not go on, if so.
    pub(crate) fn stopped(&self) -> Option<End> {
        if self.cancel.is_cancelled() {
            return Some(End::Cancelled);
        }
        if self.stop.is_cancelled() {
            let limit = self.room.settings.max_turn_time.as_secs();
            return Some(End::Failed(format!(
                "the turn was ended at its time limit of {limit} s; ask for less at once"
            )));
        }
        self.room.closing.is_cancelled().then_some(End::Suspended)
    }

    pub(crate) async fn append(&mut self, message: Arc<str>) -> Result<(), StoreError> {
        self.room.store.append(self.id, &message).await?;
        self.steps.push(message);
        Ok(())
    }

    /// Whether the round that was appended last is the last one with tools.
    pub(crate) fn last_round(&self) -> bool {
        self.rounds >= self.room.settings.rounds()
    }

    /// A reply with nothing to read: asked again, then asked without tools, then given up.
    fn without_text(&mut self, reply: &Reply, times: u32) -> Option<End> {
        if self.rounds >= self.room.settings.rounds() || self.hopeless {
            return Some(End::Answer { text: TOO_MANY_ROUNDS.to_owned(), message: wire::assistant(TOO_MANY_ROUNDS) });
        }
        let cause = match reply.finish {
            Finish::ContentFilter => "the provider withheld the model's answer; put the request in other words",
            Finish::Length => "the model used up its tokens before it answered; raise maxTokens or ask for less",
            _ if times < MOST_EMPTY => return None,
            _ => "the model gave no answer, three times; ask again or choose another model",
        };
        Some(End::Failed(cause.to_owned()))
    }

    fn answered(&mut self, reply: Reply) -> End {
        if reply.finish == Finish::Length {
            self.sink.notice("The answer is longer than the model may write and ends early.");
        }
        let message = if reply.tool_calls.is_empty() { reply.message } else { wire::assistant(&reply.text) };
        End::Answer { text: begun_text(&self.steps) + &reply.text, message }
    }

    /// Records the end, with the answer in the outbox in the same commit.
    async fn close(mut self, end: End) -> Result<Ended, StoreError> {
        self.room.look(self.rights.tainted).await?;
        let (message, outcome, said) = match end {
            End::Answer { text, message } => {
                let doubts = self.doubts();
                self.sink.text(&doubts);
                (message, Outcome::Done, Some(inert(&text).into_owned() + &doubts))
            }
            End::Failed(error) => {
                let error = inert(&error).into_owned();
                (wire::assistant(FAILED), Outcome::Failed(error.clone()), Some(error + &self.doubts()))
            }
            End::Cancelled => {
                let partial = begun_text(&self.steps) + &self.partial;
                (wire::assistant([partial.trim(), CANCELLED].join("\n").trim()), Outcome::Cancelled, None)
            }
            End::Suspended => {
                let error = "Chiton is stopping; the request goes on at the next start".to_owned();
                self.sink.end(TurnEvent::Failed { error, outbox: None });
                return Ok(Ended::Suspended);
            }
        };
        let (channel, chat_id) = heartbeat::told_in(&self.message);
        let news = said.as_deref().filter(|_| outcome == Outcome::Done);
        let silent = heartbeat::is_silent(&self.message, news);
        let answer = said.clone().filter(|_| !silent).map(|text| NewOutbox { channel, chat_id, text });
        failpoint!("before-answer");
        let recorded = match is_task(&self.rights.session) {
            true => self.close_task(&message, &outcome, said.as_deref().unwrap_or_default()).await.map(|()| None),
            false => self.room.store.finish_turn(self.id, Some(&message), outcome.clone(), answer).await,
        };
        failpoint!("after-answer");
        let outbox = match recorded {
            Ok(outbox) => outbox.map(|id| id.0),
            Err(error) => {
                self.sink.end(TurnEvent::Failed { error: error.to_string(), outbox: None });
                return Err(error);
            }
        };
        self.steps.push(message);
        match self.fresh {
            true => *self.window = Window::default(),
            false => self.window.push(self.id, well_formed(self.steps)),
        }
        self.room.outbox.send_replace(());
        let said = said.unwrap_or_default();
        self.sink.end(match outcome {
            Outcome::Done => TurnEvent::Finished { text: said, outbox },
            Outcome::Failed(_) => TurnEvent::Failed { error: said, outbox },
            Outcome::Cancelled => TurnEvent::Cancelled,
        });
        Ok(Ended::Recorded)
    }

    /// What the owner must hear about calls of which the end is not known.
    fn doubts(&self) -> String {
        let doubt = |tool: &String| {
            format!("\n\n(Chiton was stopped while `{tool}` ran: whether that call took effect is not known.)")
        };
        let doubts: String = self.uncertain.iter().map(doubt).collect();
        if doubts.is_empty() { doubts } else { doubts + CHOICES }
    }
}

/// The calls of a reply. One that was cut asks for nothing: its arguments may be half of what was meant.
fn wanted(reply: Reply) -> Vec<Wanted> {
    let cut = (reply.finish == Finish::Length).then(|| {
        Told::unrun("Error: your reply was cut at its length limit, so this call was not run; send it again, with less at once.", Verdict::Limited)
    });
    let calls = reply.tool_calls.into_iter();
    calls.map(|call| Wanted { told: cut.clone(), ..Wanted::asked(call) }).collect()
}

/// How many replies asked for calls.
fn asked_rounds(steps: &[Arc<str>]) -> u32 {
    let asked = |step: &&Arc<str>| !Kept::of(step).asked().is_empty();
    steps.iter().filter(asked).count().try_into().unwrap_or(u32::MAX)
}

/// The text of replies that were cut, as far as they belong to the answer that is on its way.
fn begun_text(steps: &[Arc<str>]) -> String {
    let mut parts = Vec::new();
    for pair in steps.rchunks(2) {
        match pair {
            [part, nudge] if is_nudge(nudge) => parts.extend(Kept::of(part).content),
            _ => break,
        }
    }
    parts.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_answer_is_put_together_again() {
        let steps = [
            wire::user("write"),
            wire::assistant("one "),
            wire::user(GO_ON),
            wire::assistant("two "),
            wire::user(GO_ON),
        ];
        assert_eq!(begun_text(&steps), "one two ");
        assert_eq!(begun_text(&steps[..1]), "");
        assert_eq!(begun_text(&steps[..4]), "");
    }
}
