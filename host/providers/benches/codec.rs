//! The cost of the codec beside that of the model: writing a request of 1 MB and reading a stream of 1 MB.

use chiton_providers::bench;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::sync::Arc;

const SIZE: usize = 1 << 20;

fn write_request(criterion: &mut Criterion) {
    let text = "words with \\\"quotes\\\" and a path /a/b ".repeat(27);
    let message: Arc<str> = format!(r#"{{"role":"user","content":"{text}"}}"#).into();
    let messages = vec![message.clone(); SIZE / message.len()];
    let mut group = criterion.benchmark_group("codec");
    group.throughput(Throughput::Bytes(SIZE as u64));
    for vendor in ["custom", "mistral"] {
        group.bench_function(format!("write 1 MB for {vendor}"), |bencher| {
            bencher.iter(|| bench::request_body(vendor, black_box(&messages)));
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
            bencher.iter(|| bench::read_stream(black_box(stream.as_bytes().chunks(size))));
        });
    }
    group.finish();
}

criterion_group!(benches, write_request, read_stream);
criterion_main!(benches);
