//! jq over the crates of jaq.

mod arguments;
mod creating;
mod filter;
mod inputs;
mod output;

use arguments::{Asked, Options};
use filter::{Data, Kind};
use inputs::Inputs;
use jaq_core::{Ctx, Vars, unwrap_valr};
use jaq_json::Val;
use jaq_std::input::RcIter;
use output::Output;
use std::ffi::OsString;
use std::io::ErrorKind;

/// The codes that jq's manual gives: an option or a file that is wrong, a filter that does not compile, no output
/// under `-e`, an error while the filter ran.
const USAGE_ERROR: u8 = 2;
const COMPILE_ERROR: u8 = 3;
const NO_OUTPUT: u8 = 4;
const RUN_ERROR: u8 = 5;

chiton_program::main!(run);

fn run(arguments: Vec<OsString>) -> u8 {
    filter::show_debug_messages();
    match arguments::parse(arguments) {
        Ok(Asked::Run(options)) => evaluate(&options),
        Ok(Asked::Print(text)) => {
            println!("{text}");
            0
        }
        Err(error) => {
            eprintln!("jq: error: {error}\n{}", arguments::USAGE);
            USAGE_ERROR
        }
    }
}

fn evaluate(options: &Options) -> u8 {
    let names: Vec<String> = options.variables.iter().map(|(name, _)| format!("${name}")).collect();
    let compiled = match filter::compile(&options.filter, &names) {
        Ok(compiled) => compiled,
        Err(errors) => {
            errors.iter().for_each(|error| eprintln!("jq: error: {error}"));
            eprintln!("jq: {} compile error{}", errors.len(), if errors.len() == 1 { "" } else { "s" });
            return COMPILE_ERROR;
        }
    };
    let inputs = Inputs::new(options);
    let values = RcIter::new(inputs.values());
    let data = Data { lut: &compiled.lut, inputs: &values, name: &inputs };
    let context = Ctx::<Kind>::new(&data, Vars::new(options.variables.iter().map(|(_, value)| value.clone())));
    let null = RcIter::new(std::iter::once(Ok(Val::Null)));
    let given: jaq_std::input::Inputs<Val> = if options.null_input { &null } else { data.inputs };

    let mut output = Output::new(&options.form);
    let mut code = 0;
    for input in given {
        let input = match input {
            Ok(input) => input,
            Err(error) => {
                let _ = output.flush();
                eprintln!("jq: error (at {}): {error}", inputs.name());
                return USAGE_ERROR;
            }
        };
        let mut failed = false;
        for result in compiled.id.run((context.clone(), input)) {
            let written = match result.map_err(|exception| exception.get_halt()) {
                Ok(value) => output.write(&value),
                Err(Ok(halted)) => {
                    let _ = output.flush();
                    return u8::try_from(halted).unwrap_or(RUN_ERROR);
                }
                Err(Err(exception)) => match unwrap_valr(Err(exception)) {
                    Ok(value) => output.write(&value),
                    Err(error) => {
                        let flushed = output.flush();
                        eprintln!("jq: error (at {}): {}", inputs.name(), filter::message(error));
                        code = RUN_ERROR;
                        failed = true;
                        flushed
                    }
                },
            };
            if let Err(error) = written {
                return refused(&error);
            }
            // An error ends what is made of this input, not the inputs after it.
            if failed {
                break;
            }
        }
    }
    if let Err(error) = output.flush() {
        return refused(&error);
    }
    match (code, inputs.any_failed()) {
        (0, true) => USAGE_ERROR,
        (0, false) if options.exit_status => output.last().map_or(NO_OUTPUT, |truthy| u8::from(!truthy)),
        (code, _) => code,
    }
}

fn refused(error: &std::io::Error) -> u8 {
    if error.kind() == ErrorKind::BrokenPipe {
        return chiton_program::BROKEN_PIPE;
    }
    eprintln!("jq: error: writing output failed: {error}");
    USAGE_ERROR
}
