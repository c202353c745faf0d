//! The search providers: where each is asked, how, and how its answer is read.

use crate::fetch::USER_AGENT;
use dom_query::Document;
use serde::Deserialize;
use url::Url;
use url::form_urlencoded::Serializer;

/// One provider.
pub(crate) struct Provider {
    /// Its name in results.
    pub(crate) name: &'static str,
    /// What must be there before it is asked.
    pub(crate) needs: Needs,
    /// The request for a query; the third argument is the placeholder of the secret or the base address.
    pub(crate) request: fn(&str, u8, &str) -> Request,
    /// The results in an answer; none if the answer is not what the provider sends.
    pub(crate) read: fn(&str) -> Option<Vec<Hit>>,
}

/// What a provider needs.
pub(crate) enum Needs {
    /// A secret of this name, granted for its origin.
    Secret(&'static str),
    /// The address of an instance, in this environment variable.
    Address(&'static str),
    /// Nothing.
    Nothing,
}

/// What is sent to a provider.
#[derive(Debug, PartialEq)]
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

/// One result.
#[derive(Debug, PartialEq)]
pub(crate) struct Hit {
    pub(crate) title: String,
    pub(crate) url: String,
    pub(crate) snippet: String,
}

/// All providers; the first that has what it needs is asked.
///
/// The host puts secrets in. The grants are
/// `secrets=BRAVE_API_KEY https://api.search.brave.com/ header=X-Subscription-Token: {}` and
/// `secrets=TAVILY_API_KEY https://api.tavily.com/ header=Authorization: Bearer {}`.
pub(crate) const PROVIDERS: [Provider; 4] = [
    Provider { name: "brave", needs: Needs::Secret("BRAVE_API_KEY"), request: ask_brave, read: read_brave },
    Provider { name: "tavily", needs: Needs::Secret("TAVILY_API_KEY"), request: ask_tavily, read: read_results },
    Provider { name: "searxng", needs: Needs::Address("SEARXNG_URL"), request: ask_searxng, read: read_results },
    Provider { name: "duckduckgo", needs: Needs::Nothing, request: ask_duckduckgo, read: read_duckduckgo },
];

fn get(url: &str, query: &[(&str, &str)], headers: Vec<(&'static str, String)>) -> Request {
    let query = Serializer::new(String::new()).extend_pairs(query).finish();
    Request { method: "GET", url: format!("{url}?{query}"), headers, body: Vec::new() }
}

/// <https://api-dashboard.search.brave.com/app/documentation/web-search>
fn ask_brave(query: &str, count: u8, key: &str) -> Request {
    let headers = vec![("accept", "application/json".to_owned()), ("x-subscription-token", key.to_owned())];
    let query = [("q", query), ("count", &count.to_string())];
    get("https://api.search.brave.com/res/v1/web/search", &query, headers)
}

/// <https://docs.tavily.com/documentation/api-reference/endpoint/search>
fn ask_tavily(query: &str, count: u8, key: &str) -> Request {
    Request {
        method: "POST",
        url: "https://api.tavily.com/search".to_owned(),
        headers: vec![("content-type", "application/json".to_owned()), ("authorization", format!("Bearer {key}"))],
        body: serde_json::json!({ "query": query, "max_results": count }).to_string().into_bytes(),
    }
}

/// <https://docs.searxng.org/dev/search_api.html>; the instance must allow the format `json`.
fn ask_searxng(query: &str, _count: u8, address: &str) -> Request {
    let headers = vec![("accept", "application/json".to_owned())];
    get(&format!("{}/search", address.trim_end_matches('/')), &[("q", query), ("format", "json")], headers)
}

/// DuckDuckGo's page for browsers without scripts.
fn ask_duckduckgo(query: &str, _count: u8, _: &str) -> Request {
    get("https://html.duckduckgo.com/html/", &[("q", query)], vec![("user-agent", USER_AGENT.to_owned())])
}

fn read_brave(body: &str) -> Option<Vec<Hit>> {
    #[derive(Deserialize)]
    struct Answer {
        web: Option<Web>,
    }
    #[derive(Deserialize)]
    struct Web {
        results: Vec<Found>,
    }
    let answer: Answer = serde_json::from_str(body).ok()?;
    Some(answer.web.map(|web| web.results.into_iter().map(Hit::from).collect()).unwrap_or_default())
}

/// The answers of Tavily and SearXNG have the same shape.
fn read_results(body: &str) -> Option<Vec<Hit>> {
    #[derive(Deserialize)]
    struct Answer {
        results: Vec<Found>,
    }
    let answer: Answer = serde_json::from_str(body).ok()?;
    Some(answer.results.into_iter().map(Hit::from).collect())
}

#[derive(Deserialize)]
struct Found {
    #[serde(default)]
    title: String,
    url: String,
    #[serde(alias = "description")]
    content: Option<String>,
}

impl From<Found> for Hit {
    fn from(found: Found) -> Self {
        Self { title: plain(&found.title), url: found.url, snippet: plain(&found.content.unwrap_or_default()) }
    }
}

/// Text without the tags and entities by which providers mark the words that were found.
fn plain(text: &str) -> String {
    if text.contains(['<', '&']) { Document::fragment(text).text().to_string() } else { text.to_owned() }
}

fn read_duckduckgo(body: &str) -> Option<Vec<Hit>> {
    let page = Document::from(body);
    if page.select("#links, .no-results").is_empty() {
        return None; // a question whether a person asks, or a page that has changed
    }
    let results = page.select(".result:not(.result--ad):not(.result--no-result)");
    let hits = results.iter().filter_map(|result| {
        let link = result.select_single("a.result__a");
        let url = behind_redirect(&link.attr("href")?)?;
        let snippet = result.select_single(".result__snippet").text().trim().to_owned();
        Some(Hit { title: link.text().trim().to_owned(), url, snippet })
    });
    Some(hits.collect())
}

/// Where a link of DuckDuckGo leads: its redirect names the page in `uddg`.
fn behind_redirect(link: &str) -> Option<String> {
    let url = Url::parse("https://duckduckgo.com/").ok()?.join(link).ok()?;
    let target = url.query_pairs().find(|(name, _)| name == "uddg").map(|(_, target)| target.into_owned());
    Some(target.unwrap_or_else(|| url.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hit(title: &str, url: &str, snippet: &str) -> Hit {
        Hit { title: title.to_owned(), url: url.to_owned(), snippet: snippet.to_owned() }
    }

    fn provider(name: &str) -> &'static Provider {
        const { &PROVIDERS }.iter().find(|provider| provider.name == name).unwrap()
    }

    #[test]
    fn brave_takes_the_key_in_its_own_header() {
        let request = (provider("brave").request)("rust & wasm", 3, "KEY");
        assert_eq!(request.url, "https://api.search.brave.com/res/v1/web/search?q=rust+%26+wasm&count=3");
        assert!(request.headers.contains(&("x-subscription-token", "KEY".to_owned())));
        let hits = (provider("brave").read)(include_str!("../tests/fixtures/brave.json")).unwrap();
        assert_eq!(hits.len(), 2);
        assert_eq!(
            hits[0],
            hit("Snails & their shells", "https://snails.example/shells", "How a shell grows, ring by ring.")
        );
    }

    #[test]
    fn brave_without_results_gives_none() {
        assert_eq!((provider("brave").read)(r#"{"type":"search","query":{"original":"x"}}"#), Some(Vec::new()));
    }

    #[test]
    fn tavily_takes_the_key_as_a_bearer_token() {
        let request = (provider("tavily").request)("snails", 4, "KEY");
        assert!(request.headers.contains(&("authorization", "Bearer KEY".to_owned())));
        assert_eq!(request.body, br#"{"query":"snails","max_results":4}"#);
        let hits = (provider("tavily").read)(include_str!("../tests/fixtures/tavily.json")).unwrap();
        assert_eq!(
            hits,
            [hit("Keeping snails", "https://snails.example/keeping", "Snails like damp soil and lettuce.")]
        );
    }

    #[test]
    fn searxng_is_asked_at_the_configured_address() {
        let request = (provider("searxng").request)("snails", 4, "https://search.example/sx/");
        assert_eq!(request.url, "https://search.example/sx/search?q=snails&format=json");
        let hits = (provider("searxng").read)(include_str!("../tests/fixtures/searxng.json")).unwrap();
        assert_eq!(hits[1], hit("Without a snippet", "https://snails.example/none", ""));
    }

    #[test]
    fn duckduckgo_gives_the_pages_behind_its_redirects_and_no_advertisements() {
        let hits = (provider("duckduckgo").read)(include_str!("../tests/fixtures/duckduckgo.html")).unwrap();
        let expected = [
            hit("Snails - a guide", "https://snails.example/guide?a=1&b=2", "All about snails and slugs."),
            hit("Shells", "https://shells.example/", "Pictures of shells."),
        ];
        assert_eq!(hits, expected);
    }

    #[test]
    fn duckduckgo_s_question_whether_a_person_asks_is_no_empty_result() {
        let read = provider("duckduckgo").read;
        assert_eq!(read("<html><body><div class='anomaly-modal__title'>Select all ducks</div>"), None);
        assert_eq!(
            read("<div id=links><div class='result result--no-result'>No results.</div></div>"),
            Some(Vec::new())
        );
    }

    #[test]
    fn an_answer_that_is_not_the_providers_is_told_apart_from_no_results() {
        for provider in &PROVIDERS {
            assert_eq!((provider.read)("<html>Bad gateway</html>"), None, "{}", provider.name);
        }
    }
}
