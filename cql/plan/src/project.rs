//! From the rows of an answer to the cells of a result: columns, aliases, `writetime`, `ttl`, `token`, `count`.
//!
//! The cells that a result needs are looked up in one walk over a row, into a slot each; then every selector reads its
//! slot.
//! Nothing is allocated for a row but what a collection or a decoded clustering value needs, in buffers that are kept.

use std::sync::Arc;

use cql_mutation::{
    CellRef, ColumnRef, ColumnSet, ReadResult, ResultRow, RowRef, assemble_collection,
};
use cql_schema::{Column, ColumnKind, ColumnNumber, Table};
use cql_types::{
    ClusteringDecoder, Components, CqlType, ListIter, MapIter, PartitionKey, TupleIter, compare,
};

use crate::aggregate::{Aggregate, Total};
use crate::cast::cast;
use crate::functions::Function;
use crate::prepared::ResultColumn;
use crate::values::BindContext;

/// Takes the cells of a result, row by row, each row with as many cells as the result has columns.
pub trait RowSink {
    /// A row begins.
    fn begin_row(&mut self);

    /// The next cell of the row; `None` is null.
    fn cell(&mut self, value: Option<&[u8]>);
}

/// How rows become result rows.
#[derive(Debug)]
pub struct Projection {
    pub(crate) items: Vec<Item>,
    /// The static and regular columns that are looked up.
    slots: Vec<Slot>,
    /// The slot of each column number; [`NO_SLOT`] where there is none.
    slot_of: Vec<u16>,
    pub(crate) aggregate: bool,
}

#[derive(Debug)]
struct Slot {
    number: ColumnNumber,
    is_static: bool,
    ty: CqlType,
}

/// Marks a column that nothing reads.
const NO_SLOT: u16 = u16::MAX;

/// One column of the result.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) what: What,
    pub(crate) name: Arc<str>,
    pub(crate) ty: CqlType,
}

/// What a column of the result shows.
#[derive(Debug)]
pub(crate) enum What {
    Partition(usize),
    Clustering(usize),
    Cell(usize),
    /// A field of a user type that is in a slot, or of a key column.
    Field(Box<What>, usize),
    WriteTime(usize),
    Ttl(usize),
    Token,
    CountRows,
    /// Counts the rows in which it is not null.
    Count(Box<What>),
    Call(Function, Option<(CqlType, Box<What>)>),
    /// An aggregate of a value of this type.
    Aggregate(Aggregate, Box<What>, CqlType),
    /// A value of the first type as one of the second.
    Cast(Box<What>, CqlType, CqlType),
    /// The value of a map's key, or the element of a set if it is there.
    Element(Box<What>, CqlType, Vec<u8>),
}

impl What {
    pub(crate) fn is_aggregate(&self) -> bool {
        matches!(self, Self::CountRows | Self::Count(_) | Self::Aggregate(..))
    }

    /// Whether it or something within it is so.
    pub(crate) fn any(&self, wanted: &dyn Fn(&Self) -> bool) -> bool {
        wanted(self)
            || match self {
                Self::Field(inner, _)
                | Self::Count(inner)
                | Self::Aggregate(_, inner, _)
                | Self::Cast(inner, _, _)
                | Self::Element(inner, _, _) => inner.any(wanted),
                Self::Call(_, argument) => argument
                    .as_ref()
                    .is_some_and(|(_, inner)| inner.any(wanted)),
                Self::Partition(_)
                | Self::Clustering(_)
                | Self::Cell(_)
                | Self::WriteTime(_)
                | Self::Ttl(_)
                | Self::Token
                | Self::CountRows => false,
            }
    }
}

impl Projection {
    /// `*`.
    pub(crate) fn all(table: &Table) -> Self {
        let mut projection = Self::empty();
        // In the order in which the ecosystem shows them: keys, statics, regulars.
        for column in table.columns() {
            let what = projection.read(column);
            projection.items.push(Item {
                what,
                name: Arc::clone(&column.name),
                ty: column.ty.clone(),
            });
        }
        projection
    }

    pub(crate) fn empty() -> Self {
        Self {
            items: Vec::new(),
            slots: Vec::new(),
            slot_of: Vec::new(),
            aggregate: false,
        }
    }

    /// Whether the result is one row about all rows.
    pub(crate) fn is_aggregate(&self) -> bool {
        self.aggregate
    }

    /// How many cells a result row has.
    #[must_use]
    pub fn width(&self) -> usize {
        self.items.len()
    }

    /// The static and regular columns that the result needs.
    pub(crate) fn columns(&self) -> ColumnSet {
        self.slots.iter().map(|slot| slot.number).collect()
    }

    /// Whether the result shows a column, or something of it.
    pub(crate) fn mentions(&self, column: &Column) -> bool {
        let position = usize::from(column.position);
        let is_it = |what: &What| match column.kind {
            ColumnKind::PartitionKey => matches!(what, What::Partition(at) if *at == position),
            ColumnKind::Clustering => matches!(what, What::Clustering(at) if *at == position),
            ColumnKind::Static | ColumnKind::Regular => false,
        };
        let is_cell = matches!(column.kind, ColumnKind::Static | ColumnKind::Regular);
        self.items.iter().any(|item| item.what.any(&is_it))
            || (is_cell && self.slots.iter().any(|slot| slot.number == column.number))
    }

    pub(crate) fn result_columns(&self, table: &Table) -> Arc<[ResultColumn]> {
        self.items
            .iter()
            .map(|item| ResultColumn {
                keyspace: Arc::clone(&table.keyspace),
                table: Arc::clone(&table.name),
                name: Arc::clone(&item.name),
                ty: item.ty.clone(),
            })
            .collect()
    }

    pub(crate) fn slot(&mut self, column: &Column) -> usize {
        let found = self
            .slots
            .iter()
            .position(|slot| slot.number == column.number);
        found.unwrap_or_else(|| {
            self.slots.push(Slot {
                number: column.number,
                is_static: column.kind == ColumnKind::Static,
                ty: column.ty.clone(),
            });
            let slot = self.slots.len() - 1;
            let number = usize::from(column.number.0);
            if self.slot_of.len() <= number {
                self.slot_of.resize(number + 1, NO_SLOT);
            }
            if let Some(entry) = self.slot_of.get_mut(number) {
                *entry = u16::try_from(slot).unwrap_or(NO_SLOT);
            }
            slot
        })
    }

    pub(crate) fn read(&mut self, column: &Column) -> What {
        match column.kind {
            ColumnKind::PartitionKey => What::Partition(usize::from(column.position)),
            ColumnKind::Clustering => What::Clustering(usize::from(column.position)),
            ColumnKind::Static | ColumnKind::Regular => What::Cell(self.slot(column)),
        }
    }

    /// Writes the result rows of an answer; not for an aggregate, whose rows [`Totals`] takes.
    pub fn rows<S: RowSink>(
        &self,
        table: &Table,
        result: &ReadResult,
        ctx: &BindContext,
        sink: &mut S,
    ) {
        let mut view = View::new(self, table, ctx);
        for row in result.iter() {
            view.enter(&row);
            sink.begin_row();
            for item in &self.items {
                view.emit(&item.what, |value| sink.cell(value));
            }
        }
    }
}

/// The value of a key in a serialized map, or the element of a set if it is there.
fn element<'b>(ty: &CqlType, bytes: &'b [u8], wanted: &[u8]) -> Option<&'b [u8]> {
    match ty {
        CqlType::Map { key, .. } => MapIter::trusted(bytes)
            .find(|(found, _)| compare(key, found, wanted).is_eq())
            .map(|(_, value)| value),
        CqlType::Set { element, .. } => {
            ListIter::trusted(bytes).find(|found| compare(element, found, wanted).is_eq())
        }
        _ => None,
    }
}

/// The aggregates over all pages.
#[derive(Debug, Default)]
pub struct Totals {
    /// One a column of the result; what is not aggregated shows the value of the first row.
    totals: Vec<Total>,
    rows: u64,
}

impl Totals {
    /// Takes the rows of one page.
    pub fn add(
        &mut self,
        projection: &Projection,
        table: &Table,
        result: &ReadResult,
        ctx: &BindContext,
    ) {
        self.totals.resize(projection.items.len(), Total::default());
        let mut view = View::new(projection, table, ctx);
        for row in result.iter() {
            view.enter(&row);
            for (item, total) in projection.items.iter().zip(&mut self.totals) {
                match &item.what {
                    What::CountRows => total.count += 1,
                    What::Count(inner) => {
                        view.emit(inner, |value| total.count += i64::from(value.is_some()));
                    }
                    What::Aggregate(aggregate, inner, ty) => view.emit(inner, |value| {
                        if let Some(bytes) = value {
                            total.add(*aggregate, ty, bytes);
                        }
                    }),
                    what if self.rows == 0 => {
                        view.emit(what, |value| total.value = value.map(<[u8]>::to_vec));
                    }
                    _ => {}
                }
            }
            self.rows += 1;
        }
    }

    /// Writes the one row.
    pub fn finish<S: RowSink>(&self, projection: &Projection, sink: &mut S) {
        sink.begin_row();
        let none = Total::default();
        for (index, item) in projection.items.iter().enumerate() {
            let total = self.totals.get(index).unwrap_or(&none);
            match &item.what {
                What::CountRows | What::Count(_) => sink.cell(Some(&total.count.to_be_bytes())),
                What::Aggregate(aggregate, _, ty) => {
                    sink.cell(total.finish(*aggregate, ty).as_deref());
                }
                _ => sink.cell(total.value.as_deref()),
            }
        }
    }
}

/// A row, taken apart.
struct View<'r> {
    projection: &'r Projection,
    table: &'r Table,
    ctx: &'r BindContext,
    cells: Vec<Option<ColumnRef<'r>>>,
    /// The partition key, where it has several columns that are asked for.
    key: Option<PartitionKey>,
    splits_key: bool,
    row: Option<ResultRow<'r>>,
    /// The clustering values of the row, back to back, and where each ends.
    clustering: Vec<u8>,
    ends: Vec<usize>,
    scratch: Vec<u8>,
    needs_clustering: bool,
}

impl<'r> View<'r> {
    fn new(projection: &'r Projection, table: &'r Table, ctx: &'r BindContext) -> Self {
        let reads = |wanted: &dyn Fn(&What) -> bool| {
            projection.items.iter().any(|item| item.what.any(wanted))
        };
        Self {
            projection,
            table,
            ctx,
            cells: vec![None; projection.slots.len()],
            key: None,
            splits_key: table.partition_key().len() > 1
                && reads(&|what| matches!(what, What::Partition(_))),
            row: None,
            clustering: Vec::new(),
            ends: Vec::new(),
            scratch: Vec::new(),
            needs_clustering: reads(&|what| matches!(what, What::Clustering(_))),
        }
    }

    fn enter(&mut self, row: &ResultRow<'r>) {
        let same = self
            .row
            .is_some_and(|old| std::ptr::eq(old.partition.key, row.partition.key));
        if !same && self.splits_key {
            let key = bytes::Bytes::copy_from_slice(row.partition.key);
            self.key = PartitionKey::from_bytes(key).ok();
        }
        self.row = Some(*row);
        self.fill(row.row, false);
        if !same || row.row.is_none() {
            self.fill(row.partition.static_row, true);
        }
        if self.needs_clustering {
            self.decode_clustering(row);
        }
    }

    /// Puts the cells of one row into their slots.
    fn fill(&mut self, row: Option<RowRef<'r>>, statics: bool) {
        let slots = self.projection.slots.iter().zip(&mut self.cells);
        for (slot, cell) in slots {
            if slot.is_static == statics {
                *cell = None;
            }
        }
        let Some(row) = row else { return };
        for (number, column) in row.cells() {
            let slot = self.projection.slot_of.get(usize::from(number.0));
            if let Some(cell) = slot.and_then(|slot| self.cells.get_mut(usize::from(*slot))) {
                *cell = Some(column);
            }
        }
    }

    fn decode_clustering(&mut self, row: &ResultRow<'r>) {
        self.clustering.clear();
        self.ends.clear();
        let Some(encoded) = row.clustering else {
            return;
        };
        let written = row.row.and_then(RowRef::written_clustering);
        if let Some(written) = written {
            for value in TupleIter::trusted(written.bytes) {
                self.clustering.extend_from_slice(value.unwrap_or_default());
                self.ends.push(self.clustering.len());
            }
            return;
        }
        let mut decoder = ClusteringDecoder::new(self.table.clustering_types(), encoded);
        while let Ok(true) = decoder.next_into(&mut self.clustering) {
            self.ends.push(self.clustering.len());
        }
    }

    fn cell(&self, slot: usize) -> Option<CellRef<'r>> {
        match self.cells.get(slot)?.as_ref()? {
            ColumnRef::Simple(cell) => Some(*cell),
            ColumnRef::Complex(_) => None,
        }
    }

    /// The value of a selector within another one.
    fn value(&mut self, what: &What) -> Option<Vec<u8>> {
        let mut value = None;
        self.emit(what, |bytes| value = bytes.map(<[u8]>::to_vec));
        value
    }

    /// Hands over the value of one selector.
    fn emit(&mut self, what: &What, mut give: impl FnMut(Option<&[u8]>)) {
        match what {
            What::Partition(index) => {
                let keys = self.table.partition_key().len();
                if keys == 1 {
                    return give(self.row.map(|row| row.partition.key));
                }
                let value = self.key.as_ref().and_then(|key| {
                    let mut components: Components<'_> = key.components(keys).ok()?;
                    components.nth(*index)
                });
                give(value);
            }
            What::Clustering(index) => {
                let start = match index.checked_sub(1) {
                    None => Some(0),
                    Some(before) => self.ends.get(before).copied(),
                };
                let value = start
                    .zip(self.ends.get(*index))
                    .and_then(|(start, end)| self.clustering.get(start..*end));
                give(value);
            }
            What::Cell(slot) => match self.cells.get(*slot).and_then(Option::as_ref) {
                None => give(None),
                Some(ColumnRef::Simple(cell)) => give(cell.live_value(self.ctx.now)),
                Some(ColumnRef::Complex(complex)) => {
                    let Some(slot) = self.projection.slots.get(*slot) else {
                        return give(None);
                    };
                    self.scratch.clear();
                    let some =
                        assemble_collection(&slot.ty, complex, self.ctx.now, &mut self.scratch);
                    give(some.then_some(self.scratch.as_slice()));
                }
            },
            What::Field(base, index) => {
                let whole = self.value(base);
                let field = whole
                    .as_deref()
                    .and_then(|bytes| TupleIter::trusted(bytes).nth(*index).flatten());
                give(field);
            }
            What::WriteTime(slot) => {
                let time = self.cell(*slot).map(|cell| cell.timestamp.to_be_bytes());
                give(time.as_ref().map(<[u8; 8]>::as_slice));
            }
            What::Ttl(slot) => {
                let left = self
                    .cell(*slot)
                    .and_then(|cell| cell.ttl_left(self.ctx.now))
                    .and_then(|left| i32::try_from(left).ok())
                    .map(i32::to_be_bytes);
                give(left.as_ref().map(<[u8; 4]>::as_slice));
            }
            What::Token => {
                let token = self.row.map(|row| row.partition.token.0.to_be_bytes());
                give(token.as_ref().map(<[u8; 8]>::as_slice));
            }
            What::CountRows | What::Count(_) | What::Aggregate(..) => give(None),
            What::Cast(inner, from, to) => {
                let value = self.value(inner);
                let value = value.and_then(|bytes| cast(from, to, &bytes));
                give(value.as_deref());
            }
            What::Element(inner, ty, key) => {
                let whole = self.value(inner);
                give(whole.as_deref().and_then(|bytes| element(ty, bytes, key)));
            }
            What::Call(function, argument) => {
                let value = argument.as_ref().and_then(|(_, inner)| self.value(inner));
                if argument.is_some() && value.is_none() {
                    return give(None);
                }
                let typed = argument
                    .as_ref()
                    .zip(value.as_deref())
                    .map(|((ty, _), bytes)| (ty, bytes));
                let result = function.call(typed, self.ctx, 0).ok();
                give(result.as_deref());
            }
        }
    }
}
