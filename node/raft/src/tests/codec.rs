//! Bytes: what is written is read, what is damaged is refused.

use bytes::Bytes;
use proptest::prelude::*;
use raft::eraftpb::{Message, MessageType};

use super::*;

fn payload() -> impl Strategy<Value = Payload> {
    let step = (0..3_u8, 1..50_u64).prop_map(|(kind, id)| match kind {
        0 => MemberStep::AddVoter(member(id)),
        1 => MemberStep::AddLearner(member(id)),
        _ => MemberStep::Remove(member(id)),
    });
    prop_oneof![
        Just(Payload::Empty),
        prop::collection::vec(any::<u8>(), 1..40).prop_map(|data| Payload::Command(data.into())),
        (
            prop::collection::vec(step, 0..5),
            prop::collection::vec(any::<u8>(), 0..9)
        )
            .prop_map(|(steps, context)| Payload::Members(MembersChange {
                steps,
                context: context.into()
            })),
    ]
}

fn append(payloads: &[Payload], index: u64, term: u64) -> PeerMessage {
    let mut message = Message::default();
    message.set_msg_type(MessageType::MsgAppend);
    (message.to, message.from, message.term) = (2, 1, term + 3);
    (message.index, message.log_term, message.commit) = (index, term, index);
    let entries = payloads.iter().zip(index + 1..).map(|(payload, index)| {
        LogEntry {
            index,
            term: term + 1,
            payload: payload.clone(),
        }
        .to_library()
    });
    message.set_entries(entries.collect::<Vec<_>>().into());
    PeerMessage(message)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn payloads_round_trip(payload in payload()) {
        prop_assert_eq!(&Payload::decode(payload.encode().into()).unwrap(), &payload);
        let entry = LogEntry { index: 5, term: 3, payload };
        prop_assert_eq!(LogEntry::of_library(&entry.to_library()), entry);
    }

    #[test]
    fn messages_round_trip(payloads in prop::collection::vec(payload(), 0..5), index in 1..1000_u64, term in 1..9_u64) {
        let message = append(&payloads, index, term);
        let bytes = Bytes::from(message.encode());
        prop_assert_eq!(PeerMessage::decode(bytes.clone()).unwrap(), message);
        for cut in 0..bytes.len() {
            prop_assert!(PeerMessage::decode(bytes.slice(..cut)).is_err());
        }
    }

    #[test]
    fn noise_is_refused_or_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        drop(PeerMessage::decode(bytes.clone().into()));
        drop(Payload::decode(bytes.clone().into()));
        drop(Members::decode(bytes.into()));
    }
}

#[test]
fn members_round_trip() {
    let members = Members {
        voters: [member(1), member(900)].into(),
        learners: [member(3)].into(),
        outgoing: [member(4)].into(),
        next_learners: [member(5)].into(),
    };
    assert_eq!(Members::decode(members.encode().into()).unwrap(), members);
    assert_eq!(Members::of_conf_state(&members.to_conf_state()), members);
    assert_eq!(
        members.to_string(),
        "voters [1, 900], outgoing [4], learners [3]"
    );
}

#[test]
fn what_the_library_could_trip_over_is_refused() {
    let good = append(&[Payload::Empty, Payload::Empty], 7, 2);
    let spoiled = |spoil: fn(&mut Message)| {
        let mut message = good.clone();
        spoil(&mut message.0);
        PeerMessage::decode(message.encode().into()).is_err()
    };
    assert!(!spoiled(|_| ()));
    assert!(
        spoiled(|message| message.index = 8),
        "a hole before the entries"
    );
    assert!(
        spoiled(|message| message.term = 1),
        "entries from the future"
    );
    assert!(
        spoiled(|message| message.term = 0),
        "a message that counts as local"
    );
    assert!(spoiled(|message| message.from = 0), "nobody");
    assert!(
        spoiled(|message| message.index = u64::MAX),
        "no place for a next entry"
    );
    assert!(
        spoiled(|message| message.set_msg_type(MessageType::MsgHup)),
        "not for the network"
    );
    assert!(
        spoiled(|message| message.set_msg_type(MessageType::MsgPropose)),
        "not for the network"
    );
    assert!(
        spoiled(|message| message.set_msg_type(MessageType::MsgHeartbeat)),
        "entries do not belong"
    );
}

#[test]
fn what_the_library_reads_of_a_change_is_what_was_meant() {
    // The library's leader parses the bytes; a change it cannot read would be dropped.
    let change = MembersChange {
        steps: vec![
            MemberStep::AddVoter(member(300)),
            MemberStep::Remove(member(1)),
            MemberStep::AddLearner(member(2)),
        ],
        context: Bytes::from_static(b"who"),
    };
    assert_eq!(
        change.library_bytes(),
        [
            8, 2, 18, 5, 8, 0, 16, 172, 2, 18, 4, 8, 1, 16, 1, 18, 4, 8, 2, 16, 2
        ]
    );
    assert!(change.to_library().get_changes().len() == 3);
}

#[test]
fn a_group_is_written_as_a_uuid() {
    let id = GroupId(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff);
    assert_eq!(id.to_string(), "00112233-4455-6677-8899-aabbccddeeff");
}
