//! The macros of `chiton-sdk`; see there.

mod arguments;
mod tool;

use proc_macro::TokenStream;

/// Makes a function a tool.
///
/// The function takes one `#[arguments]` struct or nothing and returns a `ToolResult`. Its doc comment is
/// what the model reads. `effects(...)` names what a call may do; what is not named is not allowed.
/// `name = "..."` gives another name than the function's.
#[proc_macro_attribute]
pub fn tool(attribute: TokenStream, item: TokenStream) -> TokenStream {
    answer(tool::expand(attribute.into(), item.into()))
}

/// Makes a struct the arguments of a tool, or an enum the choices of one argument.
///
/// Doc comments of the fields become descriptions, an `Option` or `#[serde(default)]` makes a field
/// optional, and `#[schemars(range(min = 1))]` and its kin narrow it. A struct refuses fields it does not
/// know; the variants of an enum are written in snake case.
#[proc_macro_attribute]
pub fn arguments(attribute: TokenStream, item: TokenStream) -> TokenStream {
    answer(arguments::expand(attribute.into(), item.into()))
}

fn answer(expanded: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    expanded.unwrap_or_else(|error| error.to_compile_error()).into()
}
