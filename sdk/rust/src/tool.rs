//! What `#[tool]` implements and `export!` calls.

use crate::{Blob, Definition, Effects, Failure, Part, schema};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

/// What a tool function returns: text, JSON, parts, or why there is none.
pub type ToolResult<T = String> = Result<T, Failure>;

/// One tool. Implemented by `#[tool]`.
pub trait Tool {
    /// The name that the model calls.
    const NAME: &'static str;
    /// What it does and when to use it.
    const DESCRIPTION: &'static str;
    /// What a call may do.
    const EFFECTS: Effects;
    /// What it takes.
    type Arguments: DeserializeOwned + JsonSchema;

    /// Runs it.
    fn run(arguments: Self::Arguments) -> Result<Vec<Part>, Failure>;
}

/// What can be the result of a tool.
pub trait IntoParts {
    /// The parts, in the order in which the model shall see them.
    fn into_parts(self) -> Vec<Part>;
}

impl IntoParts for String {
    fn into_parts(self) -> Vec<Part> {
        vec![Part::Text(self)]
    }
}

impl IntoParts for &str {
    fn into_parts(self) -> Vec<Part> {
        self.to_owned().into_parts()
    }
}

impl IntoParts for serde_json::Value {
    fn into_parts(self) -> Vec<Part> {
        vec![Part::Json(self.to_string())]
    }
}

/// A file, or a picture if the media type says so.
impl IntoParts for Blob {
    fn into_parts(self) -> Vec<Part> {
        vec![if self.mime.starts_with("image/") { Part::Image(self) } else { Part::File(self) }]
    }
}

impl IntoParts for Part {
    fn into_parts(self) -> Vec<Part> {
        vec![self]
    }
}

impl IntoParts for Vec<Part> {
    fn into_parts(self) -> Vec<Part> {
        self
    }
}

/// The arguments of a tool that takes none.
#[doc(hidden)]
#[crate::arguments]
pub struct Nothing {}

/// The definition of `T`, made when the component is loaded.
#[doc(hidden)]
pub fn definition<T: Tool>() -> Definition {
    Definition {
        name: T::NAME.to_owned(),
        description: schema::unwrap_lines(T::DESCRIPTION),
        parameters: schema::of::<T::Arguments>(),
        effects: T::EFFECTS,
    }
}

/// Reads the arguments and runs `T`.
#[doc(hidden)]
pub fn call<T: Tool>(arguments: &str) -> Result<Vec<Part>, Failure> {
    let mut json = serde_json::Deserializer::from_str(arguments);
    match serde_path_to_error::deserialize(&mut json) {
        Ok(arguments) => T::run(arguments),
        Err(error) => Err(Failure::InvalidArguments(invalid(&error))),
    }
}

fn invalid(error: &serde_path_to_error::Error<serde_json::Error>) -> String {
    let reason = error.inner();
    match error.path().to_string().as_str() {
        "." => format!("the arguments are not what the tool takes: {reason}"),
        path => format!("argument '{path}': {reason}"),
    }
}

/// The answer to a name that the component does not have.
#[doc(hidden)]
pub fn unknown(name: &str) -> Result<Vec<Part>, Failure> {
    Err(Failure::NotFound(format!("this component has no tool '{name}'")))
}

/// Exports functions that carry `#[tool]` as the component's tools: `chiton_sdk::export!(greet, wave);`
#[macro_export]
macro_rules! export {
    ($($tool:path),+ $(,)?) => {
        struct Component;

        impl $crate::generated::Guest for Component {
            fn list_tools() -> ::std::vec::Vec<$crate::Definition> {
                ::std::vec![$($crate::generated::definition::<$tool>()),+]
            }

            fn call(
                name: ::std::string::String,
                arguments: ::std::string::String,
            ) -> ::core::result::Result<::std::vec::Vec<$crate::Part>, $crate::Failure> {
                $(if name == <$tool as $crate::Tool>::NAME {
                    return $crate::generated::call::<$tool>(&arguments);
                })+
                $crate::generated::unknown(&name)
            }
        }

        $crate::bindings::export!(Component with_types_in $crate::bindings);
    };
}
