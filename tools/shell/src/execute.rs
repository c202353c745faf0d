//! Lists and compound commands.

use crate::error::{Flow, Run};
use crate::shell::Shell;
use crate::system::System;
use brush_parser::ast::{
    AndOr, AndOrList, ArithmeticForClauseCommand, CaseClauseCommand, CaseItemPostAction, Command, CompoundCommand,
    CompoundList, ForClauseCommand, FunctionDefinition, IfClauseCommand, Pipeline, RedirectList, SeparatorOperator,
    WhileOrUntilClauseCommand,
};
use std::rc::Rc;

impl<S: System> Shell<S> {
    /// Runs commands one after the other.
    pub(crate) fn list(&mut self, list: &CompoundList) -> Run {
        let mut status = 0;
        for item in &list.0 {
            self.check()?;
            status = match item.1 {
                SeparatorOperator::Sequence => self.and_or(&item.0)?,
                SeparatorOperator::Async => self.background(&item.0)?,
            };
            self.state.status = status;
        }
        Ok(status)
    }

    fn and_or(&mut self, list: &AndOrList) -> Run {
        let last = list.additional.len();
        let mut status = self.tested_unless(last == 0, &list.first)?;
        for (index, next) in list.additional.iter().enumerate() {
            self.state.status = status;
            let (wanted, pipeline) = match next {
                AndOr::And(pipeline) => (status == 0, pipeline),
                AndOr::Or(pipeline) => (status != 0, pipeline),
            };
            if wanted {
                status = self.tested_unless(index + 1 == last, pipeline)?;
            }
        }
        Ok(status)
    }

    /// Runs a pipeline; the status of all but the last of a list is tested by what follows.
    fn tested_unless(&mut self, last: bool, pipeline: &Pipeline) -> Run {
        let tested = self.state.tested;
        self.state.tested |= !last || pipeline.bang;
        let status = self.pipeline(pipeline);
        self.state.tested = tested;
        let status = status?;
        let checked = last && !pipeline.bang && !tested && status != 0;
        if checked && counts_for_errexit(pipeline) && self.state.options.is_on("errexit") {
            return Err(Flow::Exit(status));
        }
        Ok(if pipeline.bang { u8::from(status == 0) } else { status })
    }

    /// Runs a list whose status is a condition.
    pub(crate) fn condition(&mut self, list: &CompoundList) -> Run<bool> {
        let tested = std::mem::replace(&mut self.state.tested, true);
        let status = self.list(list);
        self.state.tested = tested;
        Ok(status? == 0)
    }

    /// Runs one command in this shell.
    pub(crate) fn command(&mut self, command: &Command) -> Run {
        match command {
            Command::Simple(simple) => self.simple(simple),
            Command::Compound(compound, redirects) => {
                self.redirected(redirects.as_ref(), |shell| shell.compound(compound))
            }
            Command::Function(definition) => {
                self.define(definition);
                Ok(0)
            }
            Command::ExtendedTest(test, redirects) => self
                .redirected(redirects.as_ref(), |shell| shell.extended_test(&test.expr).map(|holds| u8::from(!holds))),
        }
    }

    pub(crate) fn define(&mut self, definition: &FunctionDefinition) {
        self.state.functions.insert(definition.fname.value.clone(), Rc::new(definition.clone()));
    }

    /// Runs something with redirections, which end with it.
    pub(crate) fn redirected(&mut self, redirects: Option<&RedirectList>, run: impl FnOnce(&mut Self) -> Run) -> Run {
        let Some(redirects) = redirects else { return run(self) };
        let Some(streams) = self.redirect_all(redirects.0.iter())? else { return Ok(1) };
        let before = std::mem::replace(&mut self.state.streams, streams);
        let status = run(self);
        self.state.streams = before;
        status
    }

    pub(crate) fn compound(&mut self, compound: &CompoundCommand) -> Run {
        match compound {
            CompoundCommand::BraceGroup(group) => self.list(&group.list),
            CompoundCommand::Subshell(subshell) => self.subshell(|shell| shell.list(&subshell.list)),
            CompoundCommand::IfClause(clause) => self.if_clause(clause),
            CompoundCommand::WhileClause(clause) => self.while_clause(clause, true),
            CompoundCommand::UntilClause(clause) => self.while_clause(clause, false),
            CompoundCommand::ForClause(clause) => self.for_clause(clause),
            CompoundCommand::CaseClause(clause) => self.case_clause(clause),
            CompoundCommand::Arithmetic(command) => {
                let value = self.arithmetic(&command.expr.value)?;
                Ok(u8::from(value == 0))
            }
            CompoundCommand::ArithmeticForClause(clause) => self.arithmetic_for(clause),
            CompoundCommand::Coprocess(_) => Ok(self.fail(1, "coproc is not supported; use a pipeline or a file")),
        }
    }

    fn if_clause(&mut self, clause: &IfClauseCommand) -> Run {
        if self.condition(&clause.condition)? {
            return self.list(&clause.then);
        }
        for branch in clause.elses.iter().flatten() {
            let chosen = match &branch.condition {
                Some(condition) => self.condition(condition)?,
                None => true,
            };
            if chosen {
                return self.list(&branch.body);
            }
        }
        Ok(0)
    }

    /// Runs the body of a loop once; `false` ends the loop.
    fn round(&mut self, body: &CompoundList, status: &mut u8) -> Run<bool> {
        self.check()?;
        self.state.loops += 1;
        let flow = self.list(body);
        self.state.loops -= 1;
        match flow {
            Ok(code) => *status = code,
            Err(Flow::Break(levels)) => {
                *status = 0;
                return if levels > 1 { Err(Flow::Break(levels - 1)) } else { Ok(false) };
            }
            Err(Flow::Continue(levels)) if levels > 1 => return Err(Flow::Continue(levels - 1)),
            Err(Flow::Continue(_)) => *status = 0,
            Err(other) => return Err(other),
        }
        Ok(true)
    }

    fn while_clause(&mut self, clause: &WhileOrUntilClauseCommand, wanted: bool) -> Run {
        let mut status = 0;
        loop {
            // `break` in the condition ends the loop too.
            self.state.loops += 1;
            let condition = self.condition(&clause.0);
            self.state.loops -= 1;
            match condition {
                Ok(holds) if holds != wanted => return Ok(status),
                Ok(_) => {}
                Err(Flow::Break(1)) => return Ok(0),
                Err(Flow::Break(levels)) => return Err(Flow::Break(levels - 1)),
                Err(other) => return Err(other),
            }
            if !self.round(&clause.1.list, &mut status)? {
                return Ok(status);
            }
        }
    }

    fn for_clause(&mut self, clause: &ForClauseCommand) -> Run {
        let values = match &clause.values {
            Some(words) => self.fields(words.iter().map(|word| word.value.as_str()))?,
            // `for x in; do` and `for x; do` are one to the grammar; the second is what people write.
            None => self.state.positional.clone(),
        };
        let mut status = 0;
        for value in values {
            self.assign_text(&clause.variable_name, &value)?;
            if !self.round(&clause.body.list, &mut status)? {
                break;
            }
        }
        Ok(status)
    }

    fn arithmetic_for(&mut self, clause: &ArithmeticForClauseCommand) -> Run {
        if let Some(initializer) = &clause.initializer {
            self.arithmetic(&initializer.value)?;
        }
        let mut status = 0;
        loop {
            let condition = clause.condition.as_ref().map_or("", |condition| condition.value.trim());
            if !condition.is_empty() && self.arithmetic(condition)? == 0 {
                return Ok(status);
            }
            if !self.round(&clause.body.list, &mut status)? {
                return Ok(status);
            }
            if let Some(updater) = &clause.updater {
                self.arithmetic(&updater.value)?;
            }
        }
    }

    fn case_clause(&mut self, clause: &CaseClauseCommand) -> Run {
        let value = self.text(&clause.value.value)?;
        let mut status = 0;
        let mut fall_through = false;
        for item in &clause.cases {
            let mut chosen = std::mem::take(&mut fall_through);
            for pattern in &item.patterns {
                chosen = chosen || self.pattern(&pattern.value)?.matches(&value);
            }
            if !chosen {
                continue;
            }
            status = match &item.cmd {
                Some(list) => self.list(list)?,
                None => 0,
            };
            match item.post_action {
                CaseItemPostAction::ExitCase => break,
                CaseItemPostAction::UnconditionallyExecuteNextCaseItem => fall_through = true,
                CaseItemPostAction::ContinueEvaluatingCases => {}
            }
        }
        Ok(status)
    }
}

/// Whether a failure of this pipeline is one of its own: what is inside a group or a loop was judged there.
fn counts_for_errexit(pipeline: &Pipeline) -> bool {
    match &pipeline.seq[..] {
        [Command::Compound(compound, _)] => {
            matches!(compound, CompoundCommand::Subshell(_) | CompoundCommand::Arithmetic(_))
        }
        _ => true,
    }
}
