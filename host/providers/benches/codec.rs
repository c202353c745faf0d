//! The cost of the codec beside that of the model: writing a request of 1 MB and reading a stream of 1 MB.

use chiton_providers::{HttpProvider, ProviderOptions, bench};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::sync::Arc;

const SIZE: usize = 1 << 20;

/// A history of 1 MB: questions, rounds of two calls, their results.
fn history() -> Vec<Arc<str>> {
    let text = "words with \\\"quotes\\\" and a path /a/b ".repeat(27);
    let call = |id: usize| {
        format!(
            r#"{{"id":"call_{id}","type":"function","function":{{"name":"read_file","arguments":"{{\"path\":\"a\"}}"}}}}"#
        )
    };
    let round = |id: usize| {
        let result = |id: usize| format!(r#"{{"role":"tool","tool_call_id":"call_{id}","content":"{text}"}}"#);
        let asked =
            format!(r#"{{"role":"assistant","content":"I look.","tool_calls":[{},{}]}}"#, call(id), call(id + 1));
        [format!(r#"{{"role":"user","content":"{text}"}}"#), asked, result(id), result(id + 1)]
    };
    let mut size = 0;
    let messages = (0..).step_by(2).flat_map(round).map(Arc::from);
    messages.take_while(|message: &Arc<str>| (size < SIZE, size += message.len()).0).collect()
}

fn write_request(criterion: &mut Criterion) {
    let messages = history();
    let mut group = criterion.benchmark_group("codec");
    group.throughput(Throughput::Bytes(SIZE as u64));
    for vendor in ["custom", "mistral", "anthropic", "gemini"] {
        let connect = || HttpProvider::new(ProviderOptions::new(vendor, "http://127.0.0.1:1", None));
        let Ok(provider) = connect() else { continue };
        group.bench_function(format!("write 1 MB for {vendor}"), |bencher| {
            bencher.iter(|| bench::write_request(&provider, black_box(&messages)));
        });
        group.bench_function(format!("write 1 MB for {vendor} the first time"), |bencher| {
            bencher.iter_batched(
                connect,
                |provider| provider.map(|provider| bench::write_request(&provider, black_box(&messages))),
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

fn read_stream(criterion: &mut Criterion) {
    let chunk = |delta: &str, finish: &str| {
        format!(
            "data: {{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"m\",\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{finish}}}]}}\n\n"
        )
    };
    let text = chunk(r#"{"content":"some words "}"#, "null");
    let mut stream = text.repeat(SIZE / text.len());
    stream.push_str(&chunk("{}", "\"stop\""));
    let mut group = criterion.benchmark_group("codec");
    group.throughput(Throughput::Bytes(stream.len() as u64));
    for size in [1 << 10, 64 << 10] {
        group.bench_function(format!("read 1 MB in pieces of {} KiB", size >> 10), |bencher| {
            bencher.iter(|| bench::read_stream("custom", black_box(stream.as_bytes().chunks(size))));
        });
    }
    group.finish();
}

criterion_group!(benches, write_request, read_stream);
criterion_main!(benches);
