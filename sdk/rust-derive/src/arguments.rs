//! `#[arguments]`: the derives of serde and schemars, found through the SDK.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Error, Result};

pub(crate) fn expand(attribute: TokenStream, item: TokenStream) -> Result<TokenStream> {
    if !attribute.is_empty() {
        return Err(Error::new_spanned(attribute, "#[arguments] takes nothing in parentheses"));
    }
    let item: DeriveInput = syn::parse2(item)?;
    let (serialize, shape) = match &item.data {
        Data::Struct(_) => (None, quote!(deny_unknown_fields)),
        // A choice is often a default, which the schema shows.
        Data::Enum(_) => (Some(quote!(::chiton_sdk::generated::serde::Serialize,)), quote!(rename_all = "snake_case")),
        Data::Union(_) => {
            return Err(Error::new_spanned(&item.ident, "arguments are a struct or an enum"));
        }
    };
    Ok(quote! {
        #[derive(
            #serialize
            ::chiton_sdk::generated::serde::Deserialize,
            ::chiton_sdk::generated::schemars::JsonSchema,
        )]
        #[serde(crate = "::chiton_sdk::generated::serde", #shape)]
        #[schemars(crate = "::chiton_sdk::generated::schemars")]
        #item
    })
}
