//! HTTP for `fetch`, and URLs.

use crate::host::{array, bytes, text};
use boa_engine::object::builtins::JsArray;
use boa_engine::object::{JsObject, ObjectInitializer};
use boa_engine::property::Attribute;
use boa_engine::{Context, JsArgs, JsError, JsNativeError, JsResult, JsString, JsValue, js_string};
use chiton_program::http;
use url::Url;

/// `fetch(method, url, [[name, value]...], body, redirects)`.
pub(crate) fn fetch(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let request = http::Request {
        method: text(arguments, 0, context)?,
        url: text(arguments, 1, context)?,
        headers: headers(arguments.get_or_undefined(2), context)?,
        body: bytes(arguments, 3, context)?,
        redirects: u8::try_from(arguments.get_or_undefined(4).to_u32(context)?).unwrap_or(u8::MAX),
    };
    let response = http::fetch(&request).map_err(|failure| refused(failure, context))?;
    let body = array(response.body, context)?;
    let fields = response.headers.into_iter().map(|header| [header.name, header.value]);
    let fields: Vec<JsValue> = fields
        .map(|pair| JsArray::from_iter(pair.into_iter().map(|text| JsString::from(text).into()), context).into())
        .collect();
    let fields = JsArray::from_iter(fields, context);
    let mut object = ObjectInitializer::new(context);
    object
        .property(js_string!("status"), response.status, Attribute::all())
        .property(js_string!("url"), JsString::from(response.url), Attribute::all())
        .property(js_string!("headers"), fields, Attribute::all())
        .property(js_string!("body"), body, Attribute::all());
    Ok(object.build().into())
}

fn headers(value: &JsValue, context: &mut Context) -> JsResult<Vec<http::Header>> {
    let Some(list) = value.as_object() else { return Ok(Vec::new()) };
    let list = JsArray::from_object(list.clone())?;
    let mut headers = Vec::new();
    for index in 0..list.length(context)? {
        let pair = list.get(index, context)?;
        let Some(pair) = pair.as_object() else { continue };
        let mut field = |place: u32| -> JsResult<String> {
            Ok(pair.get(place, context)?.to_string(context)?.to_std_string_lossy())
        };
        headers.push(http::Header { name: field(0)?, value: field(1)? });
    }
    Ok(headers)
}

/// What the host said, as an error that also tells `tool.js` which case of the contract it is.
fn refused(failure: http::Failure, context: &mut Context) -> JsError {
    let (case, text) = match failure {
        http::Failure::InvalidArguments(text) => ("invalid-arguments", text),
        http::Failure::Denied(grant) => ("denied", grant),
        http::Failure::NotFound(text) => ("not-found", text),
        http::Failure::TimedOut(text) => ("timed-out", text),
        http::Failure::Failed(text) => ("failed", text),
    };
    let sentence = if case == "denied" { format!("denied: the grant {text} is missing") } else { text.clone() };
    let error = JsNativeError::error().with_message(sentence).into_opaque(context);
    told(&error, case, &text, context);
    JsError::from_opaque(error.into())
}

/// Says in an error which case of the contract it is.
pub(crate) fn told(error: &JsObject, case: &str, text: &str, context: &mut Context) {
    let failure = JsArray::from_iter([case, text].map(|word| JsString::from(word).into()), context);
    // A fresh object takes every property.
    let _ = error.create_data_property(js_string!("failure"), failure, context);
}

/// `href(text)`: the URL in its normal form.
pub(crate) fn href(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let given = text(arguments, 0, context)?;
    let url = Url::parse(&given).map_err(|_| invalid(&given))?;
    Ok(JsString::from(url.as_str()).into())
}

fn invalid(given: &str) -> JsNativeError {
    JsNativeError::typ().with_message(format!("Invalid URL: {given}"))
}

/// `parseUrl(text, base)`: the parts, as the class `URL` names them.
pub(crate) fn parse_url(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let given = text(arguments, 0, context)?;
    let base = arguments.get_or_undefined(1);
    let parsed = if base.is_undefined() {
        Url::parse(&given)
    } else {
        Url::parse(&text(arguments, 1, context)?).and_then(|base| base.join(&given))
    };
    let url = parsed.map_err(|_| invalid(&given))?;
    let with =
        |mark: char, text: Option<&str>| text.filter(|text| !text.is_empty()).map(|text| format!("{mark}{text}"));
    let parts = [
        ("protocol", format!("{}:", url.scheme())),
        ("username", url.username().to_owned()),
        ("password", url.password().unwrap_or_default().to_owned()),
        ("hostname", url.host_str().unwrap_or_default().to_owned()),
        ("port", url.port().map(|port| port.to_string()).unwrap_or_default()),
        ("pathname", url.path().to_owned()),
        ("search", with('?', url.query()).unwrap_or_default()),
        ("hash", with('#', url.fragment()).unwrap_or_default()),
    ];
    let mut object = ObjectInitializer::new(context);
    for (name, value) in parts {
        object.property(JsString::from(name), JsString::from(value), Attribute::all());
    }
    Ok(object.build().into())
}
