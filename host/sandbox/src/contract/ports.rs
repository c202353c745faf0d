//! The interfaces that only pass on to a port: schedule, messaging, agents, memory, proposals.

use super::v0_1::tool_types::Failure;
use super::v0_1::{agents, memory, messaging, proposals, schedule};
use crate::Capability;
use crate::Verdict;
use crate::ports::{Agents, Attachment, Due, PortError, Ports, ScheduledJob, Scheduling};
use crate::state::{Call, State};
use std::sync::Arc;
use std::time::Duration;

/// The value of a `schedule`, a `messaging` and a `memory` grant for the chat of the call.
const THIS_CHAT: &str = "this-chat";
/// The value of an `agents` grant.
const SPAWN: &str = "spawn";

/// What a function of an interface gives: an answer or a failure, unless the guest ends.
type Answer<T> = wasmtime::Result<Result<T, Failure>>;

impl Call {
    /// The values that were granted of a kind.
    pub(crate) fn values(&self, kind: Capability) -> &[String] {
        self.rights.capabilities.get(&kind).map(Vec::as_slice).unwrap_or_default()
    }

    /// The values and the port of a kind, if the call has any of it; else what is missing.
    pub(crate) fn port<'a, P: ?Sized>(
        &'a self,
        kind: Capability,
        port: &'a Option<Arc<P>>,
        wanted: &str,
    ) -> Result<(&'a [String], &'a P), PortError> {
        let name = kind.name();
        match (self.rights.capabilities.get(&kind), port) {
            (Some(values), Some(port)) => Ok((values, &**port)),
            (Some(_), None) => Err(PortError::Failed(format!("'{name}' is granted, but nothing serves it here"))),
            (None, _) => Err(PortError::Denied { grant: format!("{name}={wanted}"), target: wanted.to_owned() }),
        }
    }

    fn scheduling<'a>(&'a self, ports: &'a Ports) -> Result<&'a dyn Scheduling, PortError> {
        self.port(Capability::Schedule, &ports.schedule, THIS_CHAT).map(|(_, port)| port)
    }

    fn agents<'a>(&'a self, ports: &'a Ports) -> Result<&'a dyn Agents, PortError> {
        self.port(Capability::Agents, &ports.agents, SPAWN).map(|(_, port)| port)
    }

    /// Puts what a port did, or denied, into the audit trail.
    pub(crate) fn audited<T>(&self, operation: &str, target: &str, result: Result<T, PortError>) -> Result<T, Failure> {
        match &result {
            Ok(_) => self.subject.record(operation, target, "", Verdict::Allowed, Duration::ZERO),
            Err(PortError::Denied { grant: rule, target } | PortError::Refused { rule, target }) => {
                self.subject.deny(operation, target, rule);
            }
            Err(_) => self.subject.record(operation, target, "failed", Verdict::Failed, Duration::ZERO),
        }
        result.map_err(Failure::from)
    }
}

impl schedule::Host for State {
    async fn add(&mut self, name: String, message: String, due: schedule::Timing) -> Answer<schedule::Job> {
        let due = match due {
            schedule::Timing::At(time) => Due::At(time),
            schedule::Timing::Every(seconds) => Due::Every(seconds),
            schedule::Timing::Cron((expression, zone)) => Due::Cron(expression, zone),
        };
        let (call, ports) = (&self.call, self.call.ports());
        let added = async { call.scheduling(&ports)?.add(&call.caller, name, message, due).await }.await;
        Ok(call.audited("schedule.add", "", added).map(job))
    }

    async fn jobs(&mut self) -> Answer<Vec<schedule::Job>> {
        let (call, ports) = (&self.call, self.call.ports());
        let jobs = async { call.scheduling(&ports)?.jobs(&call.caller).await }.await;
        Ok(call.audited("schedule.jobs", "", jobs).map(|jobs| jobs.into_iter().map(job).collect()))
    }

    async fn remove(&mut self, id: String) -> Answer<()> {
        let (call, ports) = (&self.call, self.call.ports());
        let removed = async { call.scheduling(&ports)?.remove(&call.caller, id.clone()).await }.await;
        Ok(call.audited("schedule.remove", &id, removed))
    }
}

fn job(job: ScheduledJob) -> schedule::Job {
    schedule::Job {
        id: job.id,
        name: job.name,
        message: job.message,
        due: match job.due {
            Due::At(time) => schedule::Timing::At(time),
            Due::Every(seconds) => schedule::Timing::Every(seconds),
            Due::Cron(expression, zone) => schedule::Timing::Cron((expression, zone)),
        },
        next: job.next,
        state: job.state,
    }
}

impl messaging::Host for State {
    async fn send(
        &mut self,
        chat: Option<String>,
        text: String,
        attachments: Vec<messaging::Attachment>,
    ) -> Answer<messaging::Delivery> {
        let file = |file: messaging::Attachment| Attachment { name: file.name, mime: file.mime, data: file.data };
        let attachments = attachments.into_iter().map(file).collect();
        let wanted = chat.clone().unwrap_or_else(|| THIS_CHAT.to_owned());
        let (call, ports) = (&self.call, self.call.ports());
        let sent = async {
            let (values, port) = call.port(Capability::Messaging, &ports.messaging, &wanted)?;
            port.send(&call.caller, values, chat, text, attachments).await
        };
        let sent = sent.await;
        let delivery = |taken| if taken { messaging::Delivery::Delivered } else { messaging::Delivery::Waiting };
        Ok(call.audited("message", &wanted, sent).map(delivery))
    }
}

impl agents::Host for State {
    async fn start(&mut self, task: String, label: String) -> Answer<String> {
        let (call, ports) = (&self.call, self.call.ports());
        let started = async { call.agents(&ports)?.start(&call.caller, task, label).await }.await;
        Ok(call.audited("agents.start", "", started))
    }

    async fn wait(&mut self, id: String) -> Answer<String> {
        let (call, ports) = (&self.call, self.call.ports());
        let answered = async { call.agents(&ports)?.wait(&call.caller, id.clone()).await }.await;
        Ok(call.audited("agents.wait", &id, answered))
    }

    async fn cancel(&mut self, id: String) -> Answer<()> {
        let (call, ports) = (&self.call, self.call.ports());
        let cancelled = async { call.agents(&ports)?.cancel(&call.caller, id.clone()).await }.await;
        Ok(call.audited("agents.cancel", &id, cancelled))
    }
}

impl memory::Host for State {
    async fn search(&mut self, query: String, chat: Option<String>, limit: u32) -> Answer<String> {
        let target = chat.clone().unwrap_or_else(|| THIS_CHAT.to_owned());
        let (call, ports) = (&self.call, self.call.ports());
        let found = async {
            let (values, port) = call.port(Capability::Memory, &ports.memory, &target)?;
            port.search(&call.caller, values, &query, chat, limit).await
        };
        let found = found.await;
        Ok(call.audited("memory.search", &target, found))
    }

    async fn read(&mut self, chat: Option<String>, before: Option<i64>, limit: u32) -> Answer<String> {
        let target = chat.clone().unwrap_or_else(|| THIS_CHAT.to_owned());
        let (call, ports) = (&self.call, self.call.ports());
        let read = async {
            let (values, port) = call.port(Capability::Memory, &ports.memory, &target)?;
            port.read(&call.caller, values, chat, before, limit).await
        };
        let read = read.await;
        Ok(call.audited("memory.read", &target, read))
    }
}

impl proposals::Host for State {
    async fn propose(&mut self, folder: String) -> Answer<String> {
        let (call, ports) = (&self.call, self.call.ports());
        let proposed = async {
            let (_, port) = call.port(Capability::Proposals, &ports.proposals, THIS_CHAT)?;
            port.propose(&call.caller, &call.rights.files, &folder).await
        };
        let proposed = proposed.await;
        Ok(call.audited("propose", &folder, proposed))
    }
}
