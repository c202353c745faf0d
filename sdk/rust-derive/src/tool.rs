//! `#[tool]`: a type named like the function that implements `chiton_sdk::Tool`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Attribute, Error, Expr, FnArg, Ident, ItemFn, Lit, LitStr, Meta, Result, Token, Type};

/// The effects of the contract, as they are written in the attribute.
const EFFECTS: [&str; 8] = [
    "reads_files",
    "writes_files",
    "uses_network",
    "runs_programs",
    "sends_messages",
    "schedules",
    "spawns",
    "destructive",
];

pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let function: ItemFn = syn::parse2(item)?;
    let Settings { name, effects } = Settings::parse(attribute, &function)?;
    let description = doc(&function.attrs);
    if description.trim().is_empty() {
        return Err(Error::new_spanned(
            &function.sig.ident,
            "a tool needs a doc comment: the model reads it to know when to use the tool",
        ));
    }
    let (arguments, pass) = match argument(&function)? {
        Some(arguments) => (quote!(#arguments), quote!(arguments)),
        None => (quote!(::chiton_sdk::generated::Nothing), quote!()),
    };
    let (vis, ident) = (&function.vis, &function.sig.ident);
    Ok(quote! {
        #function

        #[doc = #description]
        #[allow(non_camel_case_types, reason = "a tool is named like its function")]
        #vis struct #ident {}

        impl ::chiton_sdk::Tool for #ident {
            const NAME: &'static str = #name;
            const DESCRIPTION: &'static str = #description;
            const EFFECTS: ::chiton_sdk::Effects =
                ::chiton_sdk::Effects::empty()#(.union(::chiton_sdk::Effects::#effects))*;
            type Arguments = #arguments;

            fn run(
                arguments: Self::Arguments,
            ) -> ::core::result::Result<::std::vec::Vec<::chiton_sdk::Part>, ::chiton_sdk::Failure> {
                let _ = &arguments;
                #ident(#pass).map(::chiton_sdk::IntoParts::into_parts)
            }
        }
    })
}

/// What stands in the parentheses of the attribute.
struct Settings {
    name: LitStr,
    effects: Vec<Ident>,
}

impl Settings {
    fn parse(attribute: TokenStream, function: &ItemFn) -> Result<Self> {
        let ident = &function.sig.ident;
        let mut settings = Self { name: LitStr::new(&ident.to_string(), ident.span()), effects: Vec::new() };
        for meta in Punctuated::<Meta, Token![,]>::parse_terminated.parse2(attribute)? {
            match &meta {
                Meta::List(list) if list.path.is_ident("effects") => {
                    let names = list.parse_args_with(Punctuated::<Ident, Token![,]>::parse_terminated)?;
                    settings.effects = names.iter().map(effect).collect::<Result<_>>()?;
                }
                Meta::NameValue(pair) if pair.path.is_ident("name") => settings.name = text(&pair.value)?,
                other => {
                    return Err(Error::new_spanned(other, "expected effects(...) or name = \"...\""));
                }
            }
        }
        Ok(settings)
    }
}

/// The constant of an effect.
fn effect(name: &Ident) -> Result<Ident> {
    let written = name.to_string();
    if EFFECTS.contains(&written.as_str()) {
        return Ok(format_ident!("{}", written.to_uppercase(), span = name.span()));
    }
    Err(Error::new_spanned(name, format!("unknown effect; the effects are {}", EFFECTS.join(", "))))
}

fn text(value: &Expr) -> Result<LitStr> {
    match value {
        Expr::Lit(literal) if matches!(literal.lit, Lit::Str(_)) => syn::parse2(quote!(#literal)),
        other => Err(Error::new_spanned(other, "expected a string")),
    }
}

/// The type of the only argument, if there is one.
fn argument(function: &ItemFn) -> Result<Option<&Type>> {
    if let Some(asyncness) = &function.sig.asyncness {
        return Err(Error::new_spanned(asyncness, "a tool is a plain function: every call has its own instance"));
    }
    let mut inputs = function.sig.inputs.iter();
    match (inputs.next(), inputs.next()) {
        (None, _) => Ok(None),
        (Some(FnArg::Typed(argument)), None) => Ok(Some(&argument.ty)),
        _ => Err(Error::new_spanned(&function.sig.inputs, "a tool takes one #[arguments] struct, or nothing")),
    }
}

/// The doc comment, line by line.
fn doc(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter(|attribute| attribute.path().is_ident("doc"));
    let lines = lines.filter_map(|attribute| attribute.meta.require_name_value().ok());
    let lines = lines.filter_map(|pair| text(&pair.value).ok());
    lines.map(|line| line.value().trim().to_owned()).collect::<Vec<_>>().join("\n")
}
