use crate::connector::lines::{Event, Line, LineBuffer, LineFeed, write_lines};
use crate::error::{Error, ErrorKind};
use crate::record::payload::{Payload, PayloadBatch};
use futures_util::FutureExt;
use tokio::sync::mpsc;

/// Every line of `text` in pieces of `step` bytes, with the position after each; too long ones as their length.
fn split(text: &[u8], step: usize, max_line: usize) -> Vec<(Result<Vec<u8>, u64>, u64)> {
    let mut buffer = LineBuffer::new(max_line);
    let mut lines = Vec::new();
    let take = |buffer: &mut LineBuffer, lines: &mut Vec<_>| {
        while let Some(line) = buffer.next() {
            let line = match line {
                Line::Whole(bytes) => Ok(bytes.to_vec()),
                Line::TooLong(length) => Err(length),
            };
            lines.push((line, buffer.consumed));
        }
    };
    for chunk in text.chunks(step) {
        buffer.extend(chunk);
        take(&mut buffer, &mut lines);
        assert!(buffer.bytes.len() <= max_line + 2 + step, "a line that is too long is not held");
    }
    buffer.ended = true;
    take(&mut buffer, &mut lines);
    assert_eq!(buffer.consumed, text.len() as u64);
    lines
}

#[test]
fn lines_and_positions_do_not_depend_on_the_chunks() {
    let text = b"ab\n\nabcd\r\nabcde\nabcdefghijklmnop\nx\r\ny\rz\nlast";
    let expected = vec![
        (Ok(b"ab".to_vec()), 3),
        (Ok(b"".to_vec()), 4),
        (Ok(b"abcd".to_vec()), 10),
        (Err(5), 16),
        (Err(16), 33),
        (Ok(b"x".to_vec()), 36),
        (Ok(b"y\rz".to_vec()), 40),
        (Ok(b"last".to_vec()), 44),
    ];
    for step in 1..=text.len() {
        assert_eq!(split(text, step, 4), expected, "in pieces of {step}");
    }
    assert_eq!(split(b"abcdefgh", 3, 4), [(Err(8), 8)]);
    assert_eq!(split(b"", 1, 4), []);
    assert_eq!(split(b"a\n", 1, 4), [(Ok(b"a".to_vec()), 2)]);
}

#[test]
fn a_new_origin_drops_half_a_line_and_counts_from_its_offset() {
    let mut buffer = LineBuffer::new(100);
    buffer.extend(b"a\nhalf");
    assert_eq!(buffer.next(), Some(Line::Whole(b"a")));
    assert_eq!(buffer.next(), None);
    assert_eq!(buffer.restart(7), 4);
    buffer.extend(b"b\n");
    assert_eq!(buffer.next(), Some(Line::Whole(b"b")));
    assert_eq!(buffer.consumed, 9);
}

#[tokio::test]
async fn the_position_never_stands_inside_a_line() {
    let (sender, events) = mpsc::channel(8);
    let mut feed = LineFeed::new("p/source".to_owned(), 10, events);
    sender.send(Ok(Event::Origin("file", 0))).await.unwrap();
    sender.send(Ok(Event::Bytes(b"good\nthis line is much too lo".to_vec()))).await.unwrap();
    let mut batch = PayloadBatch::new();
    assert!(feed.next(&mut batch, None).await.unwrap());
    assert_eq!(feed.position(), Some((&"file", 5)), "a restart would take the rest of the line for a line");
    sender.send(Ok(Event::Bytes(b"ng\nnext\n".to_vec()))).await.unwrap();
    batch.clear();
    assert!(feed.next(&mut batch, None).await.unwrap());
    assert_eq!(batch.get(0).map(Payload::bytes), Some(&b"next"[..]));
    assert_eq!(feed.position(), Some((&"file", 37)));
}

#[tokio::test]
async fn a_future_that_is_dropped_loses_nothing() {
    let (sender, events) = mpsc::channel(1);
    let mut feed: LineFeed<()> = LineFeed::new("p/source".to_owned(), 100, events);
    let writer = tokio::spawn(async move {
        for number in 0..200 {
            for piece in ["line ".to_owned(), format!("{number}\n")] {
                sender.send(Ok(Event::Bytes(piece.into_bytes()))).await.unwrap();
            }
        }
    });
    let (mut batch, mut lines) = (PayloadBatch::with_capacity(3), Vec::new());
    loop {
        // Polled once and dropped: the next call goes on where this one was.
        match feed.next(&mut batch, Some("t")).now_or_never() {
            Some(more) => {
                let more = more.unwrap();
                lines.extend(batch.iter().map(|line| String::from_utf8(line.bytes().to_vec()).unwrap()));
                batch.clear();
                if !more {
                    break;
                }
            }
            None => {
                assert!(batch.is_empty());
                tokio::task::yield_now().await;
            }
        }
    }
    writer.await.unwrap();
    assert_eq!(lines, (0..200).map(|number| format!("line {number}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn an_error_of_the_reader_comes_after_the_lines_before_it() {
    let (sender, events) = mpsc::channel(4);
    let mut feed: LineFeed<()> = LineFeed::new("p/source".to_owned(), 100, events);
    sender.send(Ok(Event::Bytes(b"a\nb\n".to_vec()))).await.unwrap();
    sender.send(Err(Error::temporary(ErrorKind::Io, "later"))).await.unwrap();
    sender.send(Ok(Event::Bytes(b"c".to_vec()))).await.unwrap();
    sender.send(Ok(Event::End)).await.unwrap();
    drop(sender);
    let mut batch = PayloadBatch::new();
    assert!(feed.next(&mut batch, Some("t")).await.unwrap());
    assert_eq!(batch.iter().map(Payload::bytes).collect::<Vec<_>>(), [b"a", b"b"]);
    assert_eq!(batch.get(1).unwrap().metadata().topic, Some("t"));
    batch.clear();
    assert_eq!(feed.next(&mut batch, None).await.unwrap_err().message(), "later");
    assert!(batch.is_empty());
    assert!(feed.next(&mut batch, None).await.unwrap());
    assert_eq!(batch.get(0).unwrap().bytes(), b"c");
    batch.clear();
    assert!(!feed.next(&mut batch, None).await.unwrap());
}

#[test]
fn payloads_become_lines() {
    let mut batch = PayloadBatch::new();
    batch.push(b"a");
    batch.push(b"");
    let mut out = Vec::new();
    write_lines(&batch, &mut out);
    assert_eq!(out, b"a\n\n");
}
