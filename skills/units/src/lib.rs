//! The skill `units`: exact calculation with units.

use chiton_sdk::prelude::*;
use fend_core::{Context, Interrupt};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Longest expression, in bytes.
const LONGEST_EXPRESSION: usize = 2_000;
/// Most characters of a result that are given.
const MOST_OF_A_RESULT: usize = 4_000;
/// How long one calculation may take.
const LONGEST: Duration = Duration::from_secs(5);

/// Calculates an expression exactly, with units: '5 km to miles', '1/3 + 1/6 to fraction', '15% of 80', '2^200',
/// '20 °C to °F'. Several steps are separated by ';'.
#[tool]
fn calculate(arguments: Calculate) -> ToolResult {
    let expression = arguments.expression.trim();
    if expression.is_empty() || expression.len() > LONGEST_EXPRESSION {
        let sentence = format!("write an expression of 1 to {LONGEST_EXPRESSION} bytes, such as '5 km to miles'");
        return Err(Failure::InvalidArguments(sentence));
    }
    result(expression, &Until { end: Instant::now() + LONGEST, steps: AtomicU32::new(0) })
}

#[arguments]
struct Calculate {
    /// The expression.
    expression: String,
}

/// The end of a calculation that takes too long.
struct Until {
    end: Instant,
    /// How often it was asked: a look at the clock costs more than a step of a calculation.
    steps: AtomicU32,
}

/// Steps of a calculation between two looks at the clock.
const STEPS: u32 = 256;

impl Until {
    fn over(&self) -> bool {
        Instant::now() >= self.end
    }
}

impl Interrupt for Until {
    fn should_interrupt(&self) -> bool {
        self.steps.fetch_add(1, Ordering::Relaxed) % STEPS == STEPS - 1 && self.over()
    }
}

fn result(expression: &str, until: &Until) -> ToolResult {
    let mut context = Context::new();
    context.disable_rng();
    match fend_core::evaluate_with_interrupt(expression, &mut context, until) {
        Ok(result) if result.output_is_empty() => {
            Err(Failure::InvalidArguments("the expression has no result; end it with what to calculate".to_owned()))
        }
        Ok(result) => Ok(shortened(result.get_main_result())),
        Err(_) if until.over() => {
            Err(Failure::TimedOut("the calculation takes too long; ask for less exact or smaller numbers".to_owned()))
        }
        Err(reason) => Err(Failure::InvalidArguments(format!("'{expression}' cannot be calculated: {reason}"))),
    }
}

fn shortened(result: &str) -> String {
    let length = result.chars().count();
    if length <= MOST_OF_A_RESULT {
        return result.to_owned();
    }
    let beginning: String = result.chars().take(MOST_OF_A_RESULT).collect();
    format!("{beginning}… ({length} characters in all)")
}

chiton_sdk::export!(calculate);

#[cfg(test)]
mod tests {
    use super::*;

    fn calculated(expression: &str) -> ToolResult {
        calculate(Calculate { expression: expression.to_owned() })
    }

    #[test]
    fn results_are_exact_or_say_that_they_are_not() {
        for (expression, result) in [
            ("0.1 + 0.2", "0.3"),
            ("1/3 + 1/6 to fraction", "1/2"),
            ("5 feet 3 inches to cm", "160.02 cm"),
            ("20 °C to °F", "68 °F"),
            ("sqrt 2", "approx. 1.4142135624"),
            ("a = 2 m; b = 3 m; a * b", "6 m^2"),
        ] {
            assert_eq!(calculated(expression).unwrap(), result, "{expression}");
        }
    }

    #[test]
    fn what_cannot_be_calculated_says_why() {
        for (expression, reason) in [
            ("3 kg to m", "incompatible"),
            ("1 foobar", "unknown identifier 'foobar'"),
            ("1/0", "division by zero"),
            ("100 USD to EUR", "exchange rates are not available"),
            ("", "1 to 2000 bytes"),
        ] {
            let Err(Failure::InvalidArguments(found)) = calculated(expression) else { panic!("{expression}") };
            assert!(found.contains(reason), "{expression}: {found}");
        }
    }

    #[test]
    fn a_calculation_that_would_not_end_is_given_up() {
        let over = Until { end: Instant::now(), steps: AtomicU32::new(0) };
        assert!(matches!(result("10^10^10", &over), Err(Failure::TimedOut(_))));
    }

    #[test]
    fn a_result_of_many_digits_is_shortened() {
        let result = calculated("3^20000").unwrap();
        assert!(result.ends_with("… (9543 characters in all)"), "{}", &result[3_990..]);
    }
}
