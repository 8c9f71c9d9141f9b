//! The bytes of `docs/storage-format.md`, as they are on disk.
//!
//! A difference here is a new format: it needs another format version and a way to read the old one.

use std::fmt::Write as _;
use std::ops::Bound;
use std::path::Path;

use backend::Direction;
use bytes::Bytes;
use cql_mutation::{
    ClusteringKey, Deletion, Liveness, Mutation, PartitionUpdateBuilder, Partitions, ReadCommand,
    RowBuilder,
};
use cql_types::{PartitionKey, Token};
use node_env::Files;
use node_env::files::{Access, read_all};
use node_env::simulation::run;
use node_storage::{Space, SpaceRange, WriteBatch};

use crate::model::{Batch, Col, Write};
use crate::world::{Life, SPACE, World, clustering, write_batch};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        write!(out, "{byte:02x}").unwrap();
        out
    })
}

fn entries(life: &Life) -> Vec<(Bytes, Bytes)> {
    let snapshot = life.storage.engine().snapshot();
    let mut scan = snapshot
        .scan(Bound::Unbounded, Bound::Unbounded, Direction::Forward)
        .unwrap();
    std::iter::from_fn(|| scan.next().unwrap()).collect()
}

fn story() -> Vec<Batch> {
    let cells = vec![(Col::V, Some("x".to_owned()))];
    let batch = |time: i64, write| Batch {
        time: 1_600_000_000_000_000 + time,
        writes: vec![(1, write)],
    };
    vec![
        batch(0, Write::DeletePartition),
        batch(1, Write::Insert { ck: 2, cells }),
        batch(
            2,
            Write::Static {
                value: Some("s".to_owned()),
            },
        ),
        batch(3, Write::DeleteRange { from: 5, to: 6 }),
    ]
}

async fn write(life: &Life) {
    for batch in story() {
        let batch = write_batch(&life.table, &batch, 1_600_000_000);
        let position = life.shards[0].apply(batch).unwrap();
        life.shards[0].durable(position).await.unwrap();
    }
}

#[test]
fn the_directory() {
    run(async {
        let mut world = World::new(1);
        drop(world.boot(2).await.unwrap());
        let files = &world.machine.files;
        let names = |path: &str| {
            files
                .list(Path::new(path))
                .unwrap()
                .into_iter()
                .map(|entry| entry.name)
                .collect::<Vec<_>>()
        };
        assert_eq!(names("/node"), ["FORMAT", "log"]);
        let format = files.open(Path::new("/node/FORMAT"), Access::Read).unwrap();
        assert_eq!(read_all(&*format, 100).unwrap(), b"messina data 1\n");
        assert_eq!(
            names("/node/log"),
            [
                "0000000001-0000-0000000001.log",
                "0000000001-0001-0000000001.log",
                "0000000001-local-0000000001.log",
                "FORMAT",
            ]
        );
    });
}

#[test]
fn the_log() {
    run(async {
        let mut world = World::new(1);
        let life = world.boot(1).await.unwrap();
        write(&life).await;
        let path = Path::new("/node/log/0000000001-0000-0000000001.log");
        let bytes = read_all(
            &*world.machine.files.open(path, Access::Read).unwrap(),
            1 << 20,
        )
        .unwrap();
        assert_eq!(bytes.len(), 8 << 10);
        let salt = hex(&bytes[24..32]);
        assert_eq!(
            hex(&bytes[..24]),
            concat!("4d534e414c4f4731", "0000000001000000", "0100000000000000")
        );
        assert_eq!(hex(&bytes[32..40]), "0020000000000000");
        assert_eq!(bytes[40..44], crc32fast::hash(&bytes[..40]).to_le_bytes());
        assert!(bytes[44..64].iter().all(|byte| *byte == 0));
        // The second frame: an INSERT of pk 1, ck 2, v = 'x', when the first was durable.
        let first = 32 + u32::from_le_bytes(bytes[64..68].try_into().unwrap()) as usize;
        let at = 64 + first.next_multiple_of(8);
        let length = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        let frame = &bytes[at..at + 32 + length];
        assert_eq!(hex(&frame[8..16]), salt);
        assert_eq!(
            hex(&frame[16..32]),
            concat!("0200000000000000", "01000000", "01", "000000")
        );
        let crc = crc32fast::hash(&[&frame[..4], &frame[8..]].concat());
        assert_eq!(frame[4..8], crc.to_le_bytes());
        let body = &frame[32..];
        assert_eq!(
            hex(&body[..16]),
            concat!("0100a40731af0500", "01000000", "01040000")
        );
        let mutation = u32::from_le_bytes(body[16..20].try_into().unwrap()) as usize;
        assert_eq!(mutation, body.len() - 20);
        assert_eq!(hex(&body[20..]), golden_mutation(&life));
    });
}

/// The bytes of a mutation belong to `docs/row-format.md`; here it only matters that they are inside.
fn golden_mutation(life: &Life) -> String {
    let batch = write_batch(&life.table, &story()[1], 1_600_000_000);
    let mut out = Vec::new();
    batch.mutations[0].1.encode(&mut out);
    hex(&out)
}

#[test]
fn the_engine() {
    run(async {
        let mut world = World::new(1);
        let life = world.boot(1).await.unwrap();
        write(&life).await;
        life.shards[0].flush().await.unwrap();
        assert_eq!(life.storage.new_space().await.unwrap(), Space(1024));
        life.storage
            .kill(SpaceRange {
                space: Space(1024),
                first: Token::MIN,
                last: Token(-1),
            })
            .await
            .unwrap();
        // Token of pk 1 with the sign flipped, then the escaped key 00000001.
        let partition = "478499982ae4e0cf00fefeff010038";
        let expected = [
            ("0000000001".to_owned(), "424004000000000000".to_owned()),
            (
                "00000000020000000100000000".to_owned(),
                "420400000000000000".to_owned(),
            ),
            (
                "000000000300000400".to_owned() + "0000000000000000" + "7fffffffffffffff",
                "420000000000000000".to_owned(),
            ),
            ("0000000004".to_owned(), "420300a40731af0500".to_owned()),
            // Header: deletion, static row, range tombstones follow.
            (format!("00000401{partition}0000"), "0107".to_owned()),
            (
                format!("00000401{partition}01408000000520") + "00",
                "01".to_owned(),
            ),
            (
                format!("00000401{partition}02408000000238") + "00",
                "01".to_owned(),
            ),
            // The clean-up index: second 1,600,000,000 and ten days.
            (
                format!("ffffffff800000005f6b3f0000000401{partition}"),
                "420000000000000000".to_owned(),
            ),
        ];
        let found: Vec<(String, String)> = entries(&life)
            .iter()
            .map(|(key, value)| (hex(key), hex(value)))
            .collect();
        let keys =
            |list: &[(String, String)]| list.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>();
        assert_eq!(keys(&found), keys(&expected));
        for ((_, found), (key, expected)) in found.iter().zip(&expected) {
            assert!(found.starts_with(expected.as_str()), "{key}: {found}");
        }
    });
}

/// Two rows and a static row of a partition whose key has 40,000 bytes are one entry.
#[test]
fn keys_above_32_kib_share_an_entry() {
    run(async {
        let mut world = World::new(1);
        world.memtable_bytes = 64 << 20;
        let mut options = world.options(1);
        options.log.segment_bytes = 1 << 20;
        options.log.first_segment_bytes = 1 << 20;
        let life = world.boot_with(options).await.unwrap();
        let long = |last: u8| {
            let mut key = vec![b'k'; 40_000];
            key[39_999] = last;
            PartitionKey::from_bytes(Bytes::from(key)).unwrap()
        };
        let update = |ck: i32| {
            let mut update = PartitionUpdateBuilder::new();
            let row = RowBuilder::new().liveness(Liveness::lasting(5)).take();
            update.row(ClusteringKey::new(&clustering(ck)), row);
            update.static_row(
                RowBuilder::new()
                    .set(cql_schema::ColumnNumber(0), 5, b"s")
                    .take(),
            );
            update.finish()
        };
        let apply = |key: PartitionKey, update| {
            life.shards[0]
                .apply(WriteBatch::of(
                    SPACE,
                    Mutation::new(life.table.id, key, update),
                ))
                .unwrap();
        };
        let mut rows = 0;
        for ck in 0..3 {
            apply(long(b'a'), update(ck));
            life.shards[0].flush().await.unwrap();
            rows += 1;
            let data: Vec<_> = entries(&life)
                .into_iter()
                .filter(|(key, _)| key[..4] == [0, 0, 4, 1])
                .collect();
            assert_eq!(data.len(), 1);
            let (key, value) = &data[0];
            assert_eq!((key.len(), value[0]), (32_768, 65));
            assert_eq!(
                value[1..5],
                u32::to_le_bytes(rows + 1),
                "the header and the rows"
            );
        }
        let read = |partitions| ReadCommand::all_of(&life.table, partitions, 0);
        let one = life
            .read(0, &read(Partitions::Keys(vec![long(b'a'), long(b'b')])))
            .await
            .unwrap();
        let all = Partitions::Range {
            start: Bound::Unbounded,
            end: Bound::Unbounded,
        };
        assert_eq!(one.result.row_count(), 3);
        assert_eq!(
            life.read(0, &read(all.clone()))
                .await
                .unwrap()
                .result
                .row_count(),
            3
        );
        let mut delete = PartitionUpdateBuilder::new();
        delete.delete_partition(Deletion {
            timestamp: 9,
            deleted_at: 0,
        });
        apply(long(b'a'), delete.finish());
        life.shards[0].flush().await.unwrap();
        assert_eq!(
            life.read(0, &read(all)).await.unwrap().result.row_count(),
            0
        );
    });
}
