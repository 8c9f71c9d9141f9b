//! What a client bound to the markers of a statement, and what the node adds to it.

/// One bound value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound<'a> {
    /// Serialized bytes.
    Value(&'a [u8]),
    /// Null.
    Null,
    /// Nothing was bound on purpose: the statement acts as if the column was not named.
    Unset,
}

/// The values of one request, by the index of the marker.
pub trait BindValues {
    /// How many values the client sent.
    fn len(&self) -> usize;

    /// The value of a marker; [`Bound::Unset`] past the end, which [`crate::Prepared::check_count`] excludes.
    fn get(&self, index: usize) -> Bound<'_>;

    /// Whether the client sent none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl BindValues for [Bound<'_>] {
    fn len(&self) -> usize {
        <[Bound<'_>]>::len(self)
    }

    fn get(&self, index: usize) -> Bound<'_> {
        <[Bound<'_>]>::get(self, index)
            .copied()
            .unwrap_or(Bound::Unset)
    }
}

/// What a statement is bound with besides its values: the node's clock and chance, read once a request.
#[derive(Debug, Clone, Copy)]
pub struct BindContext {
    /// The write time in µs when the statement has none of its own: the client's, else the node's.
    pub timestamp: i64,
    /// The node's own write time in µs: strictly increasing, never the client's.
    pub node_time: i64,
    /// Now, in seconds since the epoch: for expiry and local deletion times.
    pub now: i64,
    /// A number that no other request of the node gets soon: for generated ids.
    pub unique: u64,
}
