//! Which of several sources comes first.

use super::{Order, RowSource, SourceEnd};
use std::cmp::Ordering;

/// The source that stands on the first row in reading order.
#[derive(Clone, Copy)]
pub(super) struct First {
    pub(super) index: usize,
    /// Whether another source has the same row.
    pub(super) is_shared: bool,
}

/// What the sources stand on.
pub(super) enum Head<'s> {
    Row(First),
    /// A source ended early, behind this row; all others are behind it too.
    Cut(&'s [u8]),
    Nothing,
}

pub(super) fn first_source<S: RowSource>(sources: &[S], order: Order) -> Head<'_> {
    let mut best: Option<(First, &[u8])> = None;
    for (index, source) in sources.iter().enumerate() {
        let Some((key, _)) = source.current() else {
            match source.end() {
                SourceEnd::Complete => continue,
                SourceEnd::Cut(last) => return Head::Cut(last),
            }
        };
        let Some((first, found)) = &mut best else {
            best = Some((
                First {
                    index,
                    is_shared: false,
                },
                key,
            ));
            continue;
        };
        let compared = match order {
            Order::Forward => key.cmp(found),
            Order::Reverse => (*found).cmp(key),
        };
        match compared {
            Ordering::Less => {
                best = Some((
                    First {
                        index,
                        is_shared: false,
                    },
                    key,
                ))
            }
            Ordering::Equal => first.is_shared = true,
            Ordering::Greater => {}
        }
    }
    best.map_or(Head::Nothing, |(first, _)| Head::Row(first))
}
